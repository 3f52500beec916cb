"""How many events a second 1, 100 and 1,000 rules take, beside moto's matcher on the same patterns in the same run.

python benchmarks/events.py [--events N] [--limit SECONDS] [--cache FOLDER] [--markdown FILE]

The events are Run Command's two types (four fifths) and those of other services, from a seed; the rules want statuses,
documents, nodes and Regions with every kind of operator. Seconds are of processor time, which other work on the
machine hardly changes. moto decides one pattern a call; past the limit it is stopped, and its events a second are those
it got to. A differing answer is a (rule, event) that one engine matches and the other does not, among the events that
both were asked.
"""

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's ssmlab, whatever is installed

from peers import ADAPTERS, NotAskedError, pip_install, run

from ssmlab.events import Rule, Rules

Json = dict[str, Any]
SIZES = (1, 100, 1_000)
STATUSES = ("Pending", "InProgress", "Success", "Failed", "TimedOut", "Cancelled")
DOCUMENTS = ("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-ApplyAnsiblePlaybooks", "RestartWebServer")
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-east-2")


def make_event(draw: random.Random, number: int) -> Json:
    node, region = f"i-{draw.randrange(1 << 20):017x}", draw.choice(REGIONS)
    event = {
        "version": "0",
        "id": f"{number:036d}",
        "account": "123456789012",
        "time": f"2026-07-10T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "region": region,
        "resources": [f"arn:aws:ec2:{region}:123456789012:instance/{node}"],
    }
    if number % 5 == 0:
        detail = {"instance-id": node, "state": draw.choice(["running", "stopped"]), "code": draw.randrange(6)}
        kind = "EC2 Instance State-change Notification"
        return event | {"source": "aws.ec2", "detail-type": kind, "detail": detail}
    detail = {
        "command-id": f"{draw.getrandbits(128):032x}",
        "document-name": draw.choice(DOCUMENTS),
        "requested-date-time": event["time"],
        "status": draw.choice(STATUSES),
    }
    if number % 5 < 4:
        kind = "EC2 Command Invocation Status-change Notification"
        return event | {"source": "aws.ssm", "detail-type": kind, "detail": detail | {"instance-id": node}}
    parameters = {"commands": ["date", "uptime"], "executionTimeout": ["3600"]}
    kind = "EC2 Command Status-change Notification"
    return event | {"source": "aws.ssm", "detail-type": kind, "detail": detail | {"parameters": parameters}}


def make_pattern(draw: random.Random, number: int) -> Json:
    status, node = draw.sample(STATUSES, 2), draw.randrange(1 << 20)
    choices: tuple[Json, ...] = (
        {"detail": {"status": status}},
        {"detail": {"status": [{"anything-but": status}]}, "region": [draw.choice(REGIONS)]},
        {"detail": {"document-name": [{"prefix": f"AWS-{'Run' * draw.randrange(2)}"}], "status": status[:1]}},
        {"detail": {"instance-id": [f"i-{node:017x}"]}},
        {"resources": [{"wildcard": f"arn:aws:ec2:*:instance/i-*{node >> 12:02x}"}]},
        {"detail": {"command-id": [{"suffix": f"{node >> 10:x}"}]}},
        {"detail": {"document-name": [{"equals-ignore-case": draw.choice(DOCUMENTS).lower()}]}},
        {"detail": {"instance-id": [{"exists": False}], "parameters": {"commands": ["uptime"]}}},
        {"$or": [{"detail": {"status": ["Failed"]}}, {"region": [draw.choice(REGIONS)]}]},
        {"source": ["aws.ec2"], "detail": {"code": [{"numeric": [">=", draw.randrange(6)]}]}},
    )
    return {"source": ["aws.ssm"]} | choices[number % len(choices)]


def measure(count: int, events: list[Json], cache: Path, folder: Path, limit: float) -> Iterator[str]:
    draw = random.Random(count)
    patterns = [json.dumps(make_pattern(draw, number)) for number in range(count)]
    start = time.process_time()
    rules = Rules(Rule(str(number), pattern) for number, pattern in enumerate(patterns))
    compiled = time.process_time()
    found = rules.match(events)
    seconds = time.process_time() - compiled
    ours = set(zip(found["event"], found["rule"].cat.codes, strict=True))
    speed = f"{len(events) / seconds:,.0f} | {compiled - start:.2f} s"
    yield f"| {count:,} | ssmlab, `Rules.match` | {speed} | | {len(ours):,} |"
    questions = folder / "questions.json"
    questions.write_text(json.dumps({"patterns": patterns, "events": events}))
    python = pip_install("moto", cache)
    said = json.loads(run([*python, ADAPTERS / "match_moto.py", questions, str(limit)], folder))
    asked = len(said["answers"])
    theirs = {(event, rule) for event, row in enumerate(said["answers"]) for rule in row}
    differing = len(theirs ^ {match for match in ours if match[0] < asked})
    compared = f"{asked / said['seconds']:,.0f} | | {differing:,} of {asked * count:,}"
    yield f"| {count:,} | moto {said['version']}, `EventPattern` | {compared} | {len(theirs):,} |"


def report(events: list[Json], cache: Path, folder: Path, limit: float) -> Iterator[str]:
    yield f"Python {platform.python_version()}, {os.cpu_count()} cores, {len(events):,} events.\n"
    yield "| rules | engine | events a second | compiling | differing answers | matches |"
    yield "|--:|---|--:|--:|--:|--:|"
    for count in SIZES:
        try:
            yield from measure(count, events, cache, folder, limit)
        except NotAskedError as error:
            yield f"| {count:,} | moto, left out ({error}) | | | | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000, metavar="N")
    parser.add_argument("--limit", type=float, default=30, metavar="SECONDS", help="for moto and each number of rules")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps moto's environment")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    draw = random.Random(0)
    events = [make_event(draw, number) for number in range(options.events)]
    with TemporaryDirectory() as folder:
        cache = (options.cache or Path(folder) / "peers").absolute()
        cache.mkdir(parents=True, exist_ok=True)
        text = "\n".join(report(events, cache, Path(folder), options.limit))
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
