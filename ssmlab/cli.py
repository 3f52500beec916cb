"""`python -m ssmlab`: open the notebooks, answer on the command line, print the collect script."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

import ssmlab
from ssmlab.collecting import collect_script
from ssmlab.explanation import last_part
from ssmlab.exports import write_csv, write_parquet
from ssmlab.lab import open_lab
from ssmlab.workshop import build_course, find_stuck, gather, make_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for an answer that is bad news, 2 for input that cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ssmlab.LoadError, KeyError, OSError, ValueError) as error:
        print(f"ssmlab: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ssmlab", description="Who reaches which nodes with which documents through AWS Run Command."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lab = _command(commands, "lab", _lab, "open JupyterLab on the notebooks")
    lab.add_argument("notebook", nargs="?", help="the notebook to open, default: notebooks/00_start_here.ipynb")
    lab.add_argument("--port", type=int, help="default: a free one from 8888 on")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    reach = _command(commands, "reach", _reach, "print how much every principal reaches")
    reach.add_argument("path", help="folder of CLI output, inventory CSV or Parquet snapshot")
    reach.add_argument("--out", type=Path, help="also write the allowed and conditional pairs to this .csv or .parquet")
    _add_context(reach)
    explain = _command(commands, "explain", _explain, "say why one principal may or may not run a document on a node")
    for name in ("path", "principal", "node", "document"):
        explain.add_argument(name)
    _add_context(explain)
    check = _command(
        commands,
        "check",
        _check,
        "print problems of the data and findings in policies; exit 1 if a file is damaged or an expectation is broken",
    )
    check.add_argument("path")
    check.add_argument("--expect", type=Path, metavar="FILE", help="expectations to test, see notebooks")
    _command(
        commands, "collect-script", _collect, "print the shell script that fills a folder from an account (read-only)"
    )
    other = _command(
        commands, "pseudonymise", _pseudonymise, "write a snapshot with other names and the same reach, to teach with"
    )
    other.add_argument("path", help="folder of CLI output, inventory CSV or Parquet snapshot")
    other.add_argument("out", type=Path, help="folder for the Parquet snapshot")
    other.add_argument("--seed", type=int, default=0, help="another number gives other names, default: 0")
    _add_workshop(_command(commands, "workshop", _build, "make folders for learners, and see what a room has done"))
    return parser


def _add_workshop(workshop: argparse.ArgumentParser) -> None:
    parts = workshop.add_subparsers(required=True, metavar="WHAT")
    new = _command(parts, "new", _new_folder, "make a fresh folder for a learner: notebooks, inventory, nothing done")
    new.add_argument("folder", metavar="DIR")
    new.add_argument("--seed", type=int, help="another inventory of the same shape, with other answers")
    room = _command(parts, "gather", _gather, "print where a room is stuck, from the progress files of its learners")
    room.add_argument("folder", metavar="DIR", help="holds a .json file, or a folder with progress.json, a learner")
    build = _command(parts, "build", _build, "write the exercise notebooks from those with solutions")
    build.add_argument("folder", nargs="?", default="notebooks/course")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if name in ("reach", "explain", "check", "pseudonymise"):
        alone = "the accounts are in no organization: service control policies that were not collected do not exist"
        parser.add_argument("--no-organization", dest="organization", action="store_const", const="none", help=alone)
        parser.set_defaults(organization="collected")
    return parser


def _add_context(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a condition key of the request, may be repeated; KEY= alone: known to be absent",
    )


def _context(arguments: argparse.Namespace) -> Mapping[str, str | None]:
    pairs = [text.partition("=") for text in arguments.context]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise ValueError(f"expected --context KEY=VALUE, got `{key}`")
    return {key: value or None for key, _, value in pairs}


def _lab(arguments: argparse.Namespace) -> int:
    return open_lab(arguments.notebook, port=arguments.port, browser=False if arguments.no_browser else None)


def _load(arguments: argparse.Namespace) -> ssmlab.Snapshot:
    """Load, and say in a line on stderr that something was missing or damaged."""
    snapshot = ssmlab.load(arguments.path, organization=arguments.organization)
    if len(snapshot.problems) and arguments.run is not _check:
        print(
            f"ssmlab: {len(snapshot.problems)} problems in the data, see `ssmlab check {arguments.path}`",
            file=sys.stderr,
        )
    return snapshot


def _reach(arguments: argparse.Namespace) -> int:
    found = ssmlab.reach(_load(arguments), context=_context(arguments))
    if arguments.out:
        _write(found, arguments.out)
    summary = found.summary().sort_values(["pairs", "pairs_conditional"], ascending=False)
    summary.index = pd.Index([f"{arn.split(':')[4]} {last_part(arn)}" for arn in summary.index])
    print(summary.to_string())
    return 0


_WRITERS: Final[Mapping[str, Callable[[pd.DataFrame, Path], int]]] = {
    ".csv": lambda frame, path: path.write_bytes(write_csv(frame)),
    ".parquet": lambda frame, path: path.write_bytes(write_parquet(frame)),
}


def _write(found: ssmlab.Reach, path: Path) -> None:
    if path.suffix not in _WRITERS:
        raise ValueError(f"expected a file that ends in {' or '.join(_WRITERS)}, got `{path}`")
    frames = [found.pairs(outcome=outcome) for outcome in ("allowed", "conditional")]
    pairs = pd.concat(frames, ignore_index=True)
    nodes = found.snapshot.nodes.loc[pairs["node"], ["name", "managed"]].reset_index(drop=True)
    _WRITERS[path.suffix](pairs.assign(node_name=nodes["name"], managed=nodes["managed"]), path)


def _explain(arguments: argparse.Namespace) -> int:
    found = ssmlab.reach(_load(arguments), context=_context(arguments))
    print(found.explain(arguments.principal, arguments.node, arguments.document))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    snapshot = _load(arguments)
    problems = snapshot.problems
    for row in problems.itertuples():
        print(f"{row.severity}: {row.file} {row.where}: {row.what}")
    findings = ssmlab.check_policies(snapshot)
    for row in findings.itertuples():
        print(f"finding: {last_part(str(row.policy))}, statement {row.statement}: {row.what}")
    print(f"{len(problems)} problems, {len(findings)} findings in {arguments.path}")
    broken = arguments.expect is not None and not _expect(snapshot, arguments.expect)
    return int(broken or (problems["severity"] == "error").any())


def _expect(snapshot: ssmlab.Snapshot, file: Path) -> bool:
    """Print every expectation and whether it holds; do all?"""
    tested = ssmlab.check_expectations(snapshot, file)
    for row in tested.itertuples():
        print(f"holds: {row.expectation}" if row.holds else f"BROKEN: {row.expectation}: {row.counterexample}")
    return bool(tested["holds"].all())


def _pseudonymise(arguments: argparse.Namespace) -> int:
    made = ssmlab.pseudonymise(_load(arguments), arguments.seed)
    made.to_parquet(arguments.out)
    print(
        f"{made} in {arguments.out}: tag keys and what is AWS's stayed as they were; look it over before you share it"
    )
    return 0


def _new_folder(arguments: argparse.Namespace) -> int:
    folder = make_folder(arguments.folder, arguments.seed)
    first = min(folder.glob("*.ipynb"))
    print(f"made {folder}: open it with `ssmlab lab {first}`")
    return 0


def _gather(arguments: argparse.Namespace) -> int:
    frame = gather(arguments.folder)
    print(find_stuck(frame).to_string())
    print(f"{frame['learner'].nunique()} learners, {int(frame['passed'].sum())} exercises passed")
    return 0


def _build(arguments: argparse.Namespace) -> int:
    print(f"wrote {len(build_course(arguments.folder))} notebooks into {arguments.folder}")
    return 0


def _collect(_: argparse.Namespace) -> int:
    print(collect_script(), end="")
    return 0
