"""How long the questions take on accounts of growing size, and how much memory: a table, from fresh processes.

python benchmarks/run.py [--rounds N] [--cache FOLDER] [--markdown FILE] [S M L L-small L-mixed …]

Every round is a process of its own that starts from Parquet; the table shows medians, and beside the milliseconds how
many times a fixed Python loop fits in, since machines differ. The sizes are those of `accounts.py`.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's ssmlab, whatever is installed

from accounts import SIZES, allow, policy, tag, write_account

import ssmlab

# Names are imported when they are first asked for: these now, so that no import is measured.
ASKED = (ssmlab.load, ssmlab.reach, ssmlab.find_paths, ssmlab.check_policies, ssmlab.evaluate)
COLUMNS = {
    "load": "load CLI output",
    "reach": "reach + summary",
    "who_can": "who can (node, document)",
    "explain": "explain one",
    "evaluate": "1,000 evaluate",
    "tag": "what-if: a tag",
    "policy": "what-if: a policy",
    "context": "what-if: the context",
    "compare": "compare",
    "paths": "all other ways",
    "around": "limits walked round, all",
    "blast": "blast radius of a principal",
    "check": "findings, without other ways",
    "check_ways": "findings",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["S", "M", "L"], help="of accounts.py")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="keep the accounts here; default: made anew")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--round", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.round:
        print(json.dumps(one_round(given.round)))
        return
    with TemporaryDirectory() as folder:
        rows = [measure(given.cache or Path(folder), size, given.rounds) for size in given.sizes]
    table = to_table(rows)
    print(table)
    if given.markdown:
        given.markdown.write_text(table + "\n")


def measure(root: Path, size: str, rounds: int) -> dict[str, Any]:
    """One row: medians of fresh processes."""
    files, stored = root / size, root / f"{size}.parquet"
    if not stored.exists():
        write_account(files, SIZES[size])
        ssmlab.load(files).to_parquet(stored)
    command = [sys.executable, __file__, "--round", str(stored)]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(rounds)]
    found = [json.loads(output) for output in outputs]
    return {"size": size} | {name: statistics.median(each[name] for each in found) for name in found[0]}


def one_round(stored: Path) -> dict[str, float]:
    loop, _ = timed(lambda: sum(number * number for number in range(1_000_000)))
    snapshot = ssmlab.load(stored)
    node, document = snapshot.nodes.index[7], "AWS-RunShellScript"
    taken, reach = timed(lambda: asked(snapshot))
    peak = peak_memory()
    own = snapshot.principals[snapshot.principals["account"] == node.split(":")[4]]
    user = own[own["kind"] == "user"].index[-1]
    changed = policy(allow("*", tag("Env", "dev")))
    times = {
        "reach": taken,
        "who_can": timed(lambda: reach.who_can(node=node, document=document))[0],
        "explain": timed(lambda: reach.explain(user, node, document))[0],
        "evaluate": timed(lambda: evaluate_some(node))[0],
        "tag": timed(lambda: asked(snapshot.with_tags(node, {"Env": "none"})))[0],
        "policy": timed(lambda: asked(snapshot.with_policy(changed, name="new", principal=user)))[0],
        "context": timed(lambda: asked(snapshot, {"aws:MultiFactorAuthPresent": "true"}))[0],
    }
    taken, paths = timed(lambda: find_all(snapshot))
    other = ssmlab.reach(snapshot.with_tags(node, {"Env": "none"}))
    times |= {
        "compare": timed(lambda: reach.compare(other))[0],
        "paths": taken,
        "around": timed(paths.around)[0],
        "blast": timed(lambda: paths.blast_radius(user))[0],
        "check": timed(lambda: ssmlab.check_policies(snapshot, other_ways=False))[0],
        "check_ways": timed(lambda: ssmlab.check_policies(snapshot))[0],
        "load": timed(lambda: load_files(stored))[0],
    }
    counts = {name: len(getattr(snapshot, name)) for name in ("principals", "nodes", "documents")}
    return counts | times | {"groups": len(reach.node_groups), "peak": peak, "loop": loop}


def peak_memory() -> float:
    """Megabytes; Linux's own count for this process, since `ru_maxrss` starts from the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def asked(snapshot: ssmlab.Snapshot, context: Mapping[str, str] | None = None) -> ssmlab.Reach:
    reach = ssmlab.reach(snapshot, context=context)
    reach.summary()
    return reach


def find_all(snapshot: ssmlab.Snapshot) -> ssmlab.paths.Paths:
    paths = ssmlab.find_paths(snapshot)
    paths.summary()
    return paths


def evaluate_some(node: str) -> None:
    """A policy of the AWS page, compiled, and a thousand requests."""
    page = Path(__file__).parents[1] / "ssmlab" / "policies" / "examples" / "page-1-one-tag.json"
    policies = ssmlab.PolicySet(identity=[page.read_text()])
    context = {"ssm:resourceTag/Finance": "WebServers"}
    for number in range(1000):
        arn = f"{node[:-4]}{number:04x}"
        ssmlab.evaluate(ssmlab.Request("arn:aws:iam::123456789012:user/ana", "ssm:SendCommand", arn, context), policies)


def load_files(stored: Path) -> None:
    ssmlab.load(stored.with_suffix(""))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def to_table(rows: list[dict[str, Any]]) -> str:
    def line(title: str, show: Callable[[dict[str, Any]], str]) -> str:
        return "| " + " | ".join([title, *map(show, rows)]) + " |"

    return "\n".join(
        [
            line("", lambda row: row["size"]),
            line("---", lambda _: "--:"),
            *(line(name, lambda row, name=name: f"{row[name]:,}") for name in ("principals", "nodes", "documents")),
            line("groups of nodes", lambda row: f"{row['groups']:,}"),
            *(line(title, lambda row, name=name: to_cell(row, name)) for name, title in COLUMNS.items()),
            line("peak memory after reach + summary", lambda row: f"{row['peak']:,.0f} MB"),
            line("the loop", lambda row: f"{1000 * row['loop']:,.0f} ms"),
        ]
    )


def to_cell(row: dict[str, Any], name: str) -> str:
    return f"{1000 * row[name]:,.1f} ms ({row[name] / row['loop']:.2f})"


if __name__ == "__main__":
    main()
