"""How long explorers take from a change of a control to what is sent to the browser, in milliseconds of processor time.

python benchmarks/explorers.py PATH          # a snapshot, such as one of `accounts.py`, or data/sample
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's ssmlab, whatever is installed

import ssmlab
from ssmlab.widgets import ReachExplorer, TagLab

MFA = "aws:MultiFactorAuthPresent"
ROUNDS = 8


def main() -> None:
    snapshot = ssmlab.load(sys.argv[1])
    people, region = tuple(snapshot.principals.index), str(snapshot.nodes["region"].iloc[0])
    explorer, lab = ReachExplorer(snapshot), TagLab(snapshot)
    tell("another principal", lambda who: put(explorer, "principals", (who,)), people)
    tell("another MFA value", lambda value: put(explorer, "context", {MFA: value}), ("true", "false", None))
    put(explorer, "context", {})
    tell("20 principals", lambda first: put(explorer, "principals", people[first : first + 20]), range(5))
    print(f"    {len(explorer.to_graph()) + explorer.to_graph().number_of_edges()} marks")
    tell("everyone, or one", lambda who: put(explorer, "principals", who), ((), people[:1]))
    edits = ({"key": "Env", "value": value, "where": {"region": region}} for value in cycle(["x", "y"]))
    tell("a tag of a whole Region", lambda edit: change(lab, edit), edits)


def put(explorer: Any, control: str, value: Any) -> None:
    explorer.controls[control].value = value


def change(lab: TagLab, edit: dict[str, Any]) -> None:
    lab._set_edits((edit,))


def tell(what: str, act: Callable[[Any], None], values: Iterable[Any]) -> None:
    times = []
    for value, _ in zip(cycle(values), range(ROUNDS), strict=False):
        start = time.process_time()
        act(value)
        times.append(1000 * (time.process_time() - start))
    print(f"{what}: median {statistics.median(times):.0f} ms, most {max(times):.0f} ms")


if __name__ == "__main__":
    main()
