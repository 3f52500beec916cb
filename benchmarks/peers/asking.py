"""What the Python adapters share: `ask` puts all questions to one engine, times the deciding alone, prints JSON.

An adapter runs inside the engine's own environment: python ask_<peer>.py QUESTIONS.json LIMIT_IN_SECONDS
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def ask(version: str, prepare: Callable[[Json], Any], decide: Callable[[Any, str, Json], str | bool]) -> None:
    """`prepare` a caller once, untimed; `decide` on a resource in a context: True, False or an outcome in a word.

    Whoever passes the limit is stopped after the resource at hand; the answers that are missing were not asked.
    """
    questions, limit = json.loads(Path(sys.argv[1]).read_text()), float(sys.argv[2])
    callers = [(prepare(principal), principal["keys"]) for principal in questions["principals"]]
    seconds, answers = {"document": 0.0, "node": 0.0}, []
    for resource in questions["resources"]:
        if sum(seconds.values()) > limit:
            break
        asked = [(caller, resource["arn"], keys | resource["keys"]) for caller, keys in callers]
        start = time.perf_counter()
        row = [decide(*question) for question in asked]
        seconds[resource["side"]] += time.perf_counter() - start
        answers.append(row)
    json.dump({"version": version, "seconds": seconds, "answers": answers}, sys.stdout)
