"""How many log lines a second each kind of filter pattern filters, beside moto's filter in the same run.

python benchmarks/logs.py [--lines N] [--cache FOLDER] [--markdown FILE]

The lines are seeded and all different: plain text for terms, JSON objects for JSON patterns, access log lines for
fields. ssmlab filters a frame; moto asks its filter for each line, as its FilterLogEvents does. moto gets an
environment of its own, by pip; where that fails, its column says why. `--cache` keeps the environment.
"""

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's ssmlab, whatever is installed

import pandas as pd
from peers import NotAskedError, pip_install, run

from ssmlab.logs import compile_filter, filter_events

ROUNDS = 5
ADAPTER = Path(__file__).parent / "peers" / "filter_moto.py"
WORDS = ["disk", "network", "user", "agent", "request", "service", "node", "command", "retry", "timeout", "ready"]
LEVELS = ["INFO"] * 8 + ["WARN", "ERROR"]
PATTERNS = {
    "text": {
        "a term": "ERROR",
        "three terms": "ERROR disk retry",
        "a phrase": '"disk network"',
        "a term without another": "ERROR -timeout",
        "either of two terms": "?ERROR ?WARN",
        "a regular expression": r"%code=5\d{2}$%",
    },
    "json": {
        "a text in JSON": '{ $.level = "ERROR" }',
        "a number in JSON": "{ $.request.code >= 500 }",
        "a regular expression in JSON": "{ $.words[0] = %^re% }",
        "three conditions in JSON": '{ ($.level = "ERROR" || $.level = "WARN") && $.request.code != 200 }',
    },
    "fields": {
        "a field": "[ip, id, user, time, request, status = 5*, size]",
        "two fields behind an ellipsis": "[..., status = 404, size > 1000]",
        "a regular expression on a field": r"[ip, id, user, time, request = %/v[0-9]/% , ...]",
    },
}  # fmt: skip


def make_lines(kind: str, count: int) -> list[str]:
    dice = random.Random(kind)
    return [MAKERS[kind](dice, number) for number in range(count)]


def make_text(dice: random.Random, number: int) -> str:
    return (
        f"{dice.choice(LEVELS)} {number} {' '.join(dice.choices(WORDS, k=8))} code={dice.choice([200, 404, 500, 503])}"
    )


def make_json(dice: random.Random, number: int) -> str:
    request = {"code": dice.choice([200, 404, 500]), "path": f"/v1/{dice.choice(WORDS)}", "ms": dice.random() * 100}
    return json.dumps(
        {"id": number, "level": dice.choice(LEVELS), "words": dice.choices(WORDS, k=3), "request": request}
    )


def make_fields(dice: random.Random, number: int) -> str:
    request = f'"GET /v{dice.randrange(9)}/{dice.choice(WORDS)} HTTP/1.1"'
    when = f"[24/Nov/2026:10:{dice.randrange(60):02}:{dice.randrange(60):02} +0000]"
    code, size = dice.choice([200, 404, 500]), dice.randrange(9999)
    return f"10.0.0.{dice.randrange(256)} - user{number} {when} {request} {code} {size}"


MAKERS = {"text": make_text, "json": make_json, "fields": make_fields}


def measure(pattern: str, frame: pd.DataFrame) -> tuple[float, int]:
    """The least seconds of processor time, which other work on the machine hardly changes; and the lines that match."""
    seconds, compiled = [], compile_filter(pattern)
    for _ in range(ROUNDS):
        start = time.process_time()
        found = filter_events(compiled.pattern, frame)
        seconds.append(time.process_time() - start)
    return min(seconds), len(found)


def ask_moto(lines: dict[str, list[str]], folder: Path, cache: Path) -> tuple[str, dict[str, list[float] | None]]:
    """moto's version and, for each pattern, seconds and lines that match; or why there is no answer."""
    file = folder / "lines.json"
    file.write_text(
        json.dumps([[pattern, lines[kind]] for kind, group in PATTERNS.items() for pattern in group.values()])
    )
    try:
        found = json.loads(run([*pip_install("moto", cache), ADAPTER, file], folder))
    except NotAskedError as error:
        return f"not asked: {error}", {}
    return found["version"], found["answers"]


def report(lines: dict[str, list[str]], folder: Path, cache: Path) -> Iterator[str]:
    version, answers = ask_moto(lines, folder, cache)
    count = len(lines["text"])
    yield f"Python {platform.python_version()}; lines a second, of {count:,} different lines; moto {version}.\n"
    yield "| pattern | ssmlab | moto | lines that match | by moto |"
    yield "|---|--:|--:|--:|--:|"
    for kind, group in PATTERNS.items():
        frame = pd.DataFrame({"message": lines[kind]})
        for name, pattern in group.items():
            seconds, found = measure(pattern, frame)
            shown = pattern.replace("|", "\\|")
            theirs = show_moto(answers.get(pattern), count) if answers else " | "
            yield f"| {name}: `{shown}` | {count / seconds:,.0f} | {theirs.replace('|', f'| {found:,} |')} |"


def show_moto(answer: list[float] | None, count: int) -> str:
    """Lines a second, and lines that match."""
    return f"{count / answer[0]:,.0f} | {answer[1]:,}" if answer else f"lets all through | {count:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, help="keep moto's environment here; default: made anew")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    given = parser.parse_args()
    lines = {kind: make_lines(kind, given.lines) for kind in MAKERS}
    with TemporaryDirectory() as folder:
        cache = (given.cache or Path(folder)).absolute()
        cache.mkdir(parents=True, exist_ok=True)
        table = "\n".join(report(lines, Path(folder), cache))
    print(table)
    if given.markdown:
        given.markdown.write_text(table + "\n")


if __name__ == "__main__":
    main()
