"""`python -m ssmlab`: open the notebooks, answer on the command line, print the collect script."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import ssmlab
from ssmlab.collecting import collect_script
from ssmlab.lab import open_lab
from ssmlab.words import find_near, last_part, say_count

if TYPE_CHECKING:
    import pandas as pd

    _Parser = argparse.ArgumentParser
    _Commands = argparse._SubParsersAction[_Parser]

_LAST_PORT: Final = 65_535
_MOST_ERRORS: Final = 10  # of the data, printed beside an answer
_WRITERS: Final = {".csv": "write_csv", ".parquet": "write_parquet"}
# What `Reach.summary` counts, as the table heads it.
_COLUMNS: Final = {"nodes_conditional": "nodes if", "pairs_conditional": "pairs if", "unmanaged_nodes": "not managed"}
_LEGEND: Final = """\
nodes, documents, pairs: what each principal may run on managed nodes; a pair is one document on one of these nodes
nodes if, pairs if: more of them, if conditions hold that are not known
not managed: more nodes that policies allow, but that are not managed: no command reaches them, no pair counts them
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for an answer that is bad news, 2 for input that cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.run(arguments) or 0)
        print(end="", flush=True)
        return code
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyError, OSError, ValueError) as error:
        _say(f"ssmlab: {error.args[0] if isinstance(error, KeyError) else error}", to=sys.stderr)
        return 2


def _say(*lines: object, to: TextIO | None = None) -> None:
    """Print lines to stdout or `to`; what cannot be seen, or this terminal has no letter for, as visible marks."""
    text = "\n".join(map(str, lines))
    shown = "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)
    encoding = getattr(to or sys.stdout, "encoding", None) or "utf-8"
    print(shown.encode(encoding, "backslashreplace").decode(encoding), file=to)


def _parser() -> argparse.ArgumentParser:
    about = "Who reaches which nodes with which documents through AWS Run Command."
    parser = argparse.ArgumentParser(prog="ssmlab", description=about)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    loading, asking = _loading(), _asking()
    lab = _command(commands, "lab", _lab, "open JupyterLab on the notebooks")
    lab.add_argument("notebook", nargs="?", help="the notebook to open, default: notebooks/00_start_here.ipynb")
    lab.add_argument("--port", type=int, help="default: a free one from 8888 on")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    reach = _command(commands, "reach", _reach, "print how much every principal reaches", loading, asking)
    reach.add_argument("--out", type=Path, help="also write the allowed and conditional pairs to this .csv or .parquet")
    job = "say why one principal may or may not run a document on a node"
    explain = _command(commands, "explain", _explain, job, loading, asking)
    for name in ("principal", "node", "document"):
        explain.add_argument(name)
    job = "print problems of the data and findings in policies; exit 1 if a file is damaged or an expectation is broken"
    check = _command(commands, "check", _check, job, loading)
    check.add_argument("--expect", type=Path, metavar="FILE", help="expectations to test, see notebooks")
    job = "print the shell script that fills a folder from an account (read-only)"
    _command(commands, "collect-script", _collect, job)
    job = "write a snapshot with other names and the same reach, to teach with"
    other = _command(commands, "pseudonymise", _pseudonymise, job, loading)
    other.add_argument("out", type=Path, help="folder for the Parquet snapshot")
    other.add_argument("--seed", type=int, default=0, help="another number gives other names, default: 0")
    workshop = _command(commands, "workshop", _build, "make folders for learners, and see what a room has done")
    _add_workshop(workshop.add_subparsers(required=True, metavar="WHAT"))
    return parser


def _add_workshop(parts: _Commands) -> None:
    new = _command(parts, "new", _new_folder, "make a fresh folder for a learner: notebooks, inventory, nothing done")
    new.add_argument("folder", metavar="DIR")
    new.add_argument("--seed", type=int, help="another inventory of the same shape, with other answers")
    room = _command(parts, "gather", _gather, "print where a room is stuck, from the progress files of its learners")
    room.add_argument("folder", metavar="DIR", help="holds a .json file, or a folder with progress.json, a learner")
    build = _command(parts, "build", _build, "write the exercise notebooks from those with solutions")
    build.add_argument("folder", nargs="?", default="notebooks/course")


def _command(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace], int | None], text: str, *parents: _Parser
) -> _Parser:
    parser = commands.add_parser(name, help=text, description=text, parents=parents)
    parser.set_defaults(run=run)
    return parser


def _loading() -> _Parser:
    """What is asked of every command that loads a snapshot."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("path", help="folder of CLI output, inventory CSV or Parquet snapshot")
    alone = "the accounts are in no organization: service control policies that were not collected do not exist"
    parser.add_argument("--no-organization", dest="organization", action="store_const", const="none", help=alone)
    parser.set_defaults(organization="collected")
    return parser


def _asking() -> _Parser:
    parser = argparse.ArgumentParser(add_help=False)
    told = "a condition key of the request, may be repeated; KEY= alone: known to be absent"
    parser.add_argument("--context", action="append", default=[], metavar="KEY=VALUE", help=told)
    return parser


def _context(arguments: argparse.Namespace) -> Mapping[str, str | None]:
    pairs = [text.partition("=") for text in arguments.context]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise ValueError(f"expected --context KEY=VALUE, got `{key}`")
    return {key: value or None for key, _, value in pairs}


def _lab(arguments: argparse.Namespace) -> int:
    if arguments.port is not None and not 0 <= arguments.port <= _LAST_PORT:
        raise ValueError(f"--port: expected a number from 0 to {_LAST_PORT}, got `{arguments.port}`")
    return open_lab(arguments.notebook, port=arguments.port, browser=False if arguments.no_browser else None)


def _load(arguments: argparse.Namespace) -> ssmlab.Snapshot:
    """Load, and say on stderr what is damaged, and that something is missing. A path that is mistyped is told at once,
    before anything slow is imported.
    """
    if not Path(arguments.path).exists():
        wanted = "a folder, an inventory `.csv` or a policy `.json`"
        raise ValueError(f"`{arguments.path}`: expected {wanted}, got nothing there")
    snapshot = ssmlab.load(arguments.path, organization=arguments.organization)
    if len(snapshot.problems) and arguments.run is not _check:
        errors = snapshot.problems[snapshot.problems["severity"] == "error"]
        counts = (len(errors), "error"), (len(snapshot.problems) - len(errors), "warning")
        told = " and ".join(say_count(*count) for count in counts if count[0])
        rest = [f"ssmlab: {told} in the data, see `ssmlab check {arguments.path}`"]
        _say(*_say_problems(errors.head(_MOST_ERRORS)), *rest, to=sys.stderr)
    return snapshot


def _say_problems(problems: pd.DataFrame) -> list[str]:
    return [f"{row.severity}: {f'{row.file} {row.where}'.strip()}: {row.what}" for row in problems.itertuples()]


def _find(arguments: argparse.Namespace) -> ssmlab.Reach:
    """The reach; a key of `--context` that no policy reads is told on stderr."""
    context, snapshot = _context(arguments), _load(arguments)
    for key in context:
        if key.lower() not in snapshot.condition_keys:
            near = find_near(key, snapshot.condition_keys.values())
            hint = f", did you mean {', '.join(f'`{name}`' for name in near)}?" if near else ""
            _say(f"warning: --context {key} changes nothing: no loaded policy reads it{hint}", to=sys.stderr)
    return ssmlab.reach(snapshot, context=context)


def _reach(arguments: argparse.Namespace) -> None:
    if arguments.out and (arguments.out.suffix not in _WRITERS or not arguments.out.absolute().parent.is_dir()):
        wanted = f"a file that ends in {' or '.join(_WRITERS)}, in a folder that is there"
        raise ValueError(f"--out: expected {wanted}, got `{arguments.out}`")
    found = _find(arguments)
    summary = found.summary().sort_values(["pairs", "pairs_conditional"], ascending=False)
    shown = summary.rename(lambda arn: f"{arn.split(':')[4]} {last_part(arn)}").rename_axis(None)
    nobody = f"Nobody reaches anything: there is no principal in {arguments.path}."
    _say(_LEGEND, nobody if shown.empty else shown.rename(columns=_COLUMNS).to_string())
    if arguments.out:
        _write(found, arguments.out)


def _write(found: ssmlab.Reach, path: Path) -> None:
    import pandas as pd

    from ssmlab import exports

    frames = [found.pairs(outcome=outcome) for outcome in ("allowed", "conditional")]
    pairs = pd.concat(frames, ignore_index=True)
    nodes = found.snapshot.nodes.loc[pairs["node"], ["name", "managed"]].reset_index(drop=True)
    frame = pairs.assign(node_name=nodes["name"], managed=nodes["managed"])
    path.write_bytes(getattr(exports, _WRITERS[path.suffix])(frame))
    apart = int((~frame["managed"].fillna(True).astype(bool)).sum())
    told = f"; {apart:,} of them on nodes that are not managed: column `managed` is False" if apart else ""
    _say(f"wrote {say_count(len(frame), 'pair')} of node and document into {path}{told}")


def _explain(arguments: argparse.Namespace) -> None:
    _say(_find(arguments).explain(arguments.principal, arguments.node, arguments.document))


def _check(arguments: argparse.Namespace) -> int:
    if arguments.expect is not None and not arguments.expect.is_file():
        raise ValueError(f"--expect: expected a YAML file of expectations, got no file at `{arguments.expect}`")
    snapshot = _load(arguments)
    problems, findings = snapshot.problems, ssmlab.check_policies(snapshot)
    lines = _say_problems(problems)
    lines += [
        f"finding: {last_part(str(row.policy))}, statement {row.statement}: {row.what}" for row in findings.itertuples()
    ]
    told = f"{say_count(len(problems), 'problem')}, {say_count(len(findings), 'finding')} in {arguments.path}"
    _say(*lines, told)
    broken = arguments.expect is not None and not _expect(snapshot, arguments.expect)
    return int(broken or (problems["severity"] == "error").any())


def _expect(snapshot: ssmlab.Snapshot, file: Path) -> bool:
    """Print every expectation and whether it holds; do all?"""
    tested = ssmlab.check_expectations(snapshot, file)
    for row in tested.itertuples():
        _say(f"holds: {row.expectation}" if row.holds else f"BROKEN: {row.expectation}: {row.counterexample}")
    return bool(tested["holds"].all())


def _pseudonymise(arguments: argparse.Namespace) -> None:
    out = arguments.out
    others = out.is_dir() and any(path.suffix != ".parquet" for path in out.iterdir())
    if others or out.resolve() == Path(arguments.path).resolve():  # beside CLI output, Parquet would be read instead
        raise ValueError(f"`{out}`: expected a new folder, got one with other files")
    made = ssmlab.pseudonymise(_load(arguments), arguments.seed)
    made.to_parquet(arguments.out)
    told = "tag keys and what is AWS's stayed as they were; look it over before you share it"
    _say(f"{made} in {arguments.out}: {told}")


def _new_folder(arguments: argparse.Namespace) -> None:
    folder = ssmlab.workshop.make_folder(arguments.folder, arguments.seed)
    _say(f"made {folder}: open it with `ssmlab lab {min(folder.glob('*.ipynb'))}`")


def _gather(arguments: argparse.Namespace) -> None:
    frame = ssmlab.workshop.gather(arguments.folder)
    counts = say_count(frame["learner"].nunique(), "learner"), say_count(int(frame["passed"].sum()), "exercise")
    _say(ssmlab.workshop.find_stuck(frame).to_string(), f"{', '.join(counts)} passed")


def _build(arguments: argparse.Namespace) -> None:
    made = ssmlab.workshop.build_course(arguments.folder)
    _say(f"wrote {say_count(len(made), 'notebook')} into {arguments.folder}")


def _collect(_: argparse.Namespace) -> None:
    _say(collect_script().removesuffix("\n"))
