"""ssmlab beside the engines that install from a registry, on the same 2,000,000 answers, in the same run.

python benchmarks/peers.py [--questions N] [--limit SECONDS] [--cache FOLDER] [--markdown FILE]

Size S of `accounts.py`: 100 principals x 1,000 nodes x 20 documents. The peers decide one ARN a call, so 100 x 1,020
= 102,000 calls make up all answers: a pair is allowed where its document and its node are. Only the deciding is
timed, inside each peer's own process, on policies read before. An engine past the limit is stopped; the nodes come in
a seeded order, so what it answered is a fair sample, and its time is scaled up. `--questions` asks for at most N calls;
few of them make node's engine look slower than it is, because it has not warmed up.

moto and principalmapper get an environment each, by pip; iam-simulate comes by npm, where node is there. What cannot
be installed is reported and left out. `--cache` keeps the environments.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from accounts import SIZES, write_account
from questions import describe_policies, read_questions

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
ADAPTERS = Path(__file__).parent / "peers"
FRESH_RUNS = 5
KINDS_SHOWN = 6
REFUSED = "refused: "  # how an adapter marks a question that its engine does not take


class NotAskedError(Exception):
    """A peer could not be installed or did not answer; the text says why."""


@dataclass(frozen=True)
class Answers:
    """What one engine said: resources x principals, an outcome each; seconds scaled to all calls."""

    name: str
    version: str
    seconds: float
    outcomes: np.ndarray

    @property
    def allowed(self) -> np.ndarray:
        return self.outcomes == "allowed"


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAskedError(type(error).__name__) from error
    if done.returncode:
        raise NotAskedError((done.stderr.strip() or "no message").splitlines()[-1][:200])
    return done.stdout


def pip_install(package: str, cache: Path) -> list[str | Path]:
    folder = cache / package
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "done").exists():
        run([sys.executable, "-m", "venv", folder], cache)
        run([python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", package], folder)
        (folder / "done").touch()
    return [python]


def npm_install(package: str, cache: Path) -> list[str | Path]:
    node, npm, folder = shutil.which("node"), shutil.which("npm"), cache / "node"
    if not node or not npm:
        raise NotAskedError("node and npm are not there")
    if not (folder / "done").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text("{}")  # else npm installs into a folder above that has one
        run([npm, "install", "--no-audit", "--no-fund", package], folder)
        (folder / "done").touch()
    return [node]


@dataclass(frozen=True)
class Peer:
    name: str
    package: str
    adapter: str
    install: Callable[[str, Path], list[str | Path]]
    arguments: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        return "node" if self.install is npm_install else self.package


SIMULATE = ("@cloud-copilot/iam-simulate", "ask_iam_simulate.cjs", npm_install)
PEERS = (
    Peer("moto, IAMPolicy", "moto", "ask_moto.py", pip_install),
    Peer("principalmapper, local_check_authorization_full", "principalmapper", "ask_principalmapper.py", pip_install),
    Peer("iam-simulate, runSimulation", *SIMULATE, ("checked",)),
    Peer("iam-simulate, runUnsafeSimulation", *SIMULATE, ("unchecked",)),
)


def read_outcomes(rows: list[list[str | bool]]) -> np.ndarray:
    words = {True: "allowed", False: "not allowed"}
    return np.array([[words.get(answer, answer) for answer in row] for row in rows], dtype=object)


def ask_each(name: str, command: list[str | Path], folder: Path, questions: Json, **environment: str) -> Answers:
    """One call a question; the seconds of documents and of nodes are scaled apart, where not all were asked."""
    found = json.loads(run(command, folder, **environment))
    asked = Counter(resource["side"] for resource in questions["resources"][: len(found["answers"])])
    if not asked["node"]:
        raise NotAskedError("stopped at the limit before the first node")
    seconds = sum(spent * questions["all"][side] / asked[side] for side, spent in found["seconds"].items())
    return Answers(name, found["version"], seconds, read_outcomes(found["answers"]))


def ask_reach(file: Path, account: Path) -> Answers:
    command = [sys.executable, ADAPTERS / "ask_reach.py", file, account]
    runs = [json.loads(run(command, ROOT, PYTHONPATH=str(ROOT))) for _ in range(FRESH_RUNS)]
    outcomes, questions = read_outcomes(runs[0]["answers"]), json.loads(file.read_text())
    seconds = statistics.median(one["seconds"] for one in runs)
    name = f"ssmlab, reach and summary (median of {FRESH_RUNS} fresh runs)"
    found = Answers(name, runs[0]["version"], seconds, outcomes)
    counted, whole = runs[0]["pairs"], sum(questions["all"].values()) == len(questions["resources"])
    if whole and counted != (expanded := int(pairs(found.allowed, questions).sum())):
        raise SystemExit(f"ssmlab: the summary counts {counted:,} pairs, expanded they are {expanded:,}")
    return found


def pairs(allowed: np.ndarray, questions: Json) -> np.ndarray:
    """Principals x documents x nodes: the document, the node, and one Region."""
    asked = questions["resources"][: len(allowed)]
    side, region = (np.array([resource[key] for resource in asked]) for key in ("side", "region"))
    documents, nodes = side == "document", side == "node"
    both = allowed[documents].T[:, :, None] & allowed[nodes].T[:, None, :]
    return both & (region[documents][:, None] == region[nodes][None, :])


def compare(reach: Answers, peer: Answers, questions: Json) -> str:
    ours, theirs = reach.allowed[: len(peer.allowed)], peer.allowed
    mine, other = pairs(ours, questions), pairs(theirs, questions)
    refused = sum(str(outcome).startswith(REFUSED) for outcome in peer.outcomes.flat)
    calls = f"{(ours != theirs).sum():,} of {ours.size:,}" + (f" ({refused:,} refused)" if refused else "")
    return f"{calls} | {(mine != other).sum():,} of {mine.size:,}"


def kinds(reach: Answers, peer: Answers, questions: Json) -> Iterator[str]:
    """Where the answers differ, by what the caller's policies say; with one example each."""
    said = [f"`{describe_policies(principal)}`" for principal in questions["principals"]]
    counts, examples = Counter(), {}
    for what, who in np.argwhere(reach.allowed[: len(peer.allowed)] != peer.allowed):
        resource, principal = questions["resources"][what], questions["principals"][who]
        answer = str(peer.outcomes[what, who])
        policies = "whatever" if answer.startswith(REFUSED) else said[who]
        kind = f"{policies} | {resource['side']} | {reach.outcomes[what, who]} | {answer}"
        counts[kind] += 1
        examples.setdefault(kind, f"{principal['name']}, {resource['arn'].rpartition('/')[2]}")
    shown = counts.most_common(KINDS_SHOWN)
    yield from (f"| {count:,} | {kind} | {examples[kind]} |" for kind, count in shown)
    rest = counts.total() - sum(count for _, count in shown)
    yield from [f"| {rest:,} | {len(counts) - len(shown)} other kinds | | | | |"] * (rest > 0)


def report(reach: Answers, others: list[Answers], missing: dict[str, str], questions: Json) -> Iterator[str]:
    total = len(questions["principals"]) * questions["all"]["document"] * questions["all"]["node"]
    yield (
        f"Python {platform.python_version()}, {os.cpu_count()} cores. Seconds are of the deciding alone, "
        "scaled up where fewer calls were asked than make up all answers; an answer differs where one engine allows "
        "and the other does not.\n"
    )
    yield f"| engine | version | seconds for {total:,} answers | times reach | differing calls | differing answers |"
    yield "|---|---|--:|--:|--:|--:|"
    yield f"| {reach.name} | {reach.version} | {reach.seconds:.3f} | 1 | | |"
    for peer in others:
        times = f"{peer.seconds:,.2f} | {peer.seconds / reach.seconds:,.0f}"
        yield f"| {peer.name} | {peer.version} | {times} | {compare(reach, peer, questions)} |"
    yield from (f"\n{name}: left out ({reason})." for name, reason in missing.items())
    for peer in others:
        rows = list(kinds(reach, peer, questions))
        if rows:
            yield f"\n{peer.name} differs from ssmlab in:\n"
            yield "| calls | the caller's policies say | asked for a | ssmlab | peer | for example |"
            yield "|--:|---|---|---|---|---|"
            yield from rows


def prepare(folder: Path, most: int | None) -> tuple[Path, Json]:
    write_account(folder / "account", SIZES["S"])
    questions = read_questions(folder / "account")
    questions["all"] = dict(Counter(resource["side"] for resource in questions["resources"]))
    if most:
        least = questions["all"]["document"] + 1
        questions["resources"] = questions["resources"][: max(least, most // len(questions["principals"]))]
    file = folder / "questions.json"
    file.write_text(json.dumps(questions))
    return file, questions


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--questions", type=int, metavar="N", help="calls at most to each engine; default: all 102,000")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for each engine; default: 300")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps the peers' environments")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        cache = (options.cache or Path(folder) / "peers").absolute()
        cache.mkdir(parents=True, exist_ok=True)
        file, questions = prepare(Path(folder), options.questions)
        asked = [file, str(options.limit)]
        reach = ask_reach(file, Path(folder) / "account")
        command = [sys.executable, ADAPTERS / "ask_ssmlab.py", *asked]
        others = [ask_each("ssmlab, evaluate", command, ROOT, questions, PYTHONPATH=str(ROOT))]
        apart = int((others[0].outcomes != reach.outcomes[: len(others[0].outcomes)]).sum())
        if apart:
            raise SystemExit(f"ssmlab: reach and evaluate differ in {apart:,} outcomes")
        missing = {}
        for peer in PEERS:
            try:
                command = [*peer.install(peer.package, cache), ADAPTERS / peer.adapter, *asked, *peer.arguments]
                others.append(ask_each(peer.name, command, cache / peer.folder, questions))
            except NotAskedError as error:
                missing[peer.name] = str(error)
            print(f"{peer.name}: {missing.get(peer.name, 'done')}", file=sys.stderr)
        text = "\n".join(report(reach, others, missing, questions))
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
