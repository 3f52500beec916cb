"""Cases as JSON: named, small, one idea a case, with the source of the rule.

`load_cases("conditions")` gives pytest parameters whose ids are the cases' names; `answer("conditions", case)` is the
case as the package answers it, so that a test is `answer(name, case) == case`. The mutation run asks the same functions.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fleets
import pytest

from ssmlab import evaluation, events, logs
from ssmlab.commands import CommandError
from ssmlab.conditions import Condition
from ssmlab.evaluation import Decision, PolicySet, Request, normalise_context
from ssmlab.patterns import ABSENT, NOT_KNOWN, Value, compile_resource, parse_text
from ssmlab.policies import parse_policy

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "cases"
ANA = "arn:aws:iam::123456789012:user/ana"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:work"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
Case = Mapping[str, Any]


@cache
def read_cases(name: str) -> list[Case]:
    """The cases of tests/cases/<name>.json."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def load_cases(name: str) -> list[Any]:
    """The same, as parameters of a test."""
    return [pytest.param(case, id=case["name"]) for case in read_cases(name)]


def answer(name: str, case: Case) -> Case:
    """The case with what the package answers in the place of what it expects."""
    given = {key: value for key, value in case.items() if key not in ("expected", "open", "doubt")}
    return given | ASK[name](case)


def doubt(case: Case, doubts: Iterable[str]) -> dict[str, Any]:
    """The doubt that the case names if every doubt holds its words, else all of them in full."""
    listed = list(doubts)
    fits = "doubt" in case and all(case["doubt"] in text for text in listed)
    return {"doubt": case["doubt"] if fits else listed} if listed else {}


def read_value(key: str, value: Any) -> Value:
    """`null` is absent, `"?"` not known, a list an array."""
    if value == "?":
        return NOT_KNOWN
    return ABSENT if value is None else normalise_context({key: value})[key.lower()]


def ask_condition(case: Case) -> dict[str, Any]:
    """One condition; `keys` are those of its variables."""
    known = {key.lower(): read_value(key, value) for key, value in case.get("keys", {}).items()}
    known["aws:requesttag/value"] = read_value("aws:RequestTag/value", case["actual"])
    condition = Condition(
        case["operator"],
        "aws:RequestTag/value",
        case["values"],
        variables=case.get("version", "2012-10-17") == "2012-10-17",
        effect=case.get("effect", "Allow"),
    )
    verdict = condition.decide([known.get(key, ABSENT) for key in condition.keys])
    return {"expected": verdict.truth.name.lower()} | doubt(case, verdict.doubts)


def ask_resource(case: Case) -> dict[str, Any]:
    """A Resource element against an ARN."""
    verdict = compile_resource(parse_text(case["pattern"])).match(case["arn"])
    return {"expected": verdict.truth.name.lower()} | doubt(case, verdict.doubts)


def ask_request(case: Case) -> dict[str, Any]:
    """One decision, with what it hangs on."""
    request = Request(
        case["principal"],
        case["action"],
        case["resource"],
        case.get("context", {}),
        resource_account=case.get("account"),
        unknown=case.get("unknown", ()),
    )
    # by the module's name: a mutant may stand in its place
    return _read_decision(case, evaluation.evaluate(request, PolicySet(**case["policies"])))


def _read_decision(case: Case, decision: Decision) -> dict[str, Any]:
    opened = [f"{condition.operator} {condition.key}".strip() for condition in decision.open_conditions]
    return {"expected": decision.outcome.value} | ({"open": opened} if opened else {}) | doubt(case, decision.doubts)


@cache
def page_policy(number: int) -> Case:
    """A policy of the page "Setting up Run Command"."""
    return json.loads(
        sorted((ROOT / "ssmlab" / "policies" / "examples").glob("page-*.json"))[number - 1].read_text("utf-8")
    )


def ask_page(case: Case) -> dict[str, Any]:
    """`ssm:SendCommand` on one resource under one policy of the page."""
    context = {f"ssm:resourceTag/{key}": value for key, value in case["tags"].items()}
    request = Request(ANA, "ssm:SendCommand", case["arn"], context, resource_account="123456789012")
    decision = evaluation.evaluate(request, PolicySet(identity=[page_policy(case["policy"])]))
    return {"expected": decision.outcome.value} | doubt(case, decision.doubts)


def ask_grammar(case: Case) -> dict[str, Any]:
    """What is wrong with a policy, as place and beginning of the rule, and what the policy then does: alone in its layer
    (which identity passes), or `beside` a policy that allows everything.
    """
    layer, beside = case.get("layer", "identity"), [ALL] if case.get("beside") else []
    problems = [[problem.where, problem.what] for problem in parse_policy(case["policy"], layer=layer).problems]
    for told, (_, start) in zip(problems, case["expected"]["problems"], strict=False):
        told[1] = start if told[1].startswith(start) else told[1]
    placed = {
        "identity": {"identity": [*beside, case["policy"]]},
        "resource": {"identity": beside, "resource": case["policy"]},
        "scp": {"identity": [ALL], "scps": [[*beside, case["policy"]]]},
        "rcp": {"identity": [ALL], "rcps": [[*beside, case["policy"]]]},
    }
    policies = placed.get(layer) or {"identity": [ALL], layer: [*beside, case["policy"]]}
    outcome = evaluation.evaluate(Request(ANA, "sqs:SendMessage", QUEUE), PolicySet(**policies)).outcome
    return {"expected": {"outcome": outcome.value, "problems": problems}}


def ask_event(case: Case) -> dict[str, Any]:
    """Does an event match a pattern? A refusal is its place and the beginning of the reason."""
    try:
        return {"expected": events.matches(case["pattern"], case["event"])}
    except events.PatternError as error:
        where, start = case["expected"] if isinstance(case["expected"], list) else ("", "")
        fits = error.where == where and error.reason.startswith(start)
        return {"expected": case["expected"] if fits else [error.where, error.reason]}


def ask_filter(case: Case) -> dict[str, Any]:
    """Does a message match a filter pattern; or where and why is it refused, as far as the case says."""
    try:
        compiled = logs.compile_filter(case["pattern"])
    except logs.PatternError as error:
        said = f"refused at {error.where}: {error.reason}"
        start = str(case["expected"])
        return {"expected": start if start.startswith("refused") and said.startswith(start) else said}
    return {"expected": compiled.matches(case["message"])} | doubt(case, compiled.doubts)


ALARM_POINTS = {"0": 10, "X": 100, "-": None}


def ask_alarm(case: Case) -> dict[str, Any]:
    """The state after the last of the points: `0` does not breach, `X` does, `-` is missing; or that it stays as it was."""
    found = {
        logs.alarm_states(
            [ALARM_POINTS[point] for point in case["points"]],
            threshold=50,
            comparison="GreaterThanThreshold",
            evaluation_periods=case["n"],
            datapoints_to_alarm=case["m"],
            treat_missing_data=case["missing"],
            evaluation_range=case.get("range"),
            initial=initial,
        )[-1]
        for initial in ("OK", "ALARM")
    }
    return {"expected": found.pop() if len(found) == 1 else "stays"}


def ask_command(case: Case) -> dict[str, Any]:
    """Status, StatusDetails and how nodes ended; or AWS's error, and as much of its text as the case names."""
    try:
        command = fleets.send(case["nodes"], **case.get("call", {}))
    except CommandError as error:
        wanted = case["expected"][1]
        return {"expected": [error.name, wanted if str(wanted) in error.message else error.message]}
    return {"expected": [command.status, command.status_details, dict(Counter(command.invocations["status_details"]))]}


ASK: dict[str, Callable[[Case], dict[str, Any]]] = {
    "conditions": ask_condition,
    "resources": ask_resource,
    "layers": ask_request,
    "run_command": ask_request,
    "page_policies": ask_page,
    "grammar": ask_grammar,
    "events": ask_event,
    "logs": ask_filter,
    "alarms": ask_alarm,
    "commands": ask_command,
}
