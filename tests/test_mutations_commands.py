"""Every rule of a command's life has a case that fails without it, as `test_mutations.py` says.

When a node answers, is sent to or is delayed, no case says: tests of their own do.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from mutations import Mutant, check, everywhere, function, method, name, row

from ssmlab.commands import calls, contents, plans, sending, simulation, statuses, targets
from ssmlab.commands.contents import Content
from ssmlab.commands.plans import Planner
from ssmlab.commands.simulation import _Queue
from ssmlab.commands.statuses import ERRORS, READINGS, REFUSED

# What is changed → words in the names of the cases that are likely to notice.
NOTICED = {
    "refused": "refused and one success",
    "max_errors": "within the allowed",
    "undeliverable": "count beside",
    "delivery_timeouts": "times out in delivery",
    "execution_timeouts": "makes the command Failed",
    "platform": "by instance id ends",
    "NoInstancesInTag": "no node",
    "DeliveryTimedOut": "times out in delivery",
    "ExecutionTimedOut": "read as time-out",
    "Incomplete": "within the allowed",
    "RateExceeded": "pending",
    "FailedDueToAlarm": "alarm",
}


def status_mutants() -> Iterator[Mutant]:
    for reading, texts in READINGS.items():
        other = {reading: texts.other}
        turned = function(statuses.choose_readings, lambda f, given, other=other: f({**other, **(given or {})}))
        yield Mutant(f"{reading} is {texts.other}", turned, NOTICED[reading])
    for one in ERRORS:
        yield Mutant(f"{one} is no error", everywhere(ERRORS, tuple({*ERRORS} - {one})), "the first error")
    for one in REFUSED:
        yield Mutant(f"{one} is none of the refused", everywhere(REFUSED, tuple({*REFUSED} - {one})), "Success")
    for details in sorted({*statuses._STATUS} - {*statuses.UNSURE, *REFUSED}):
        yield Mutant(f"{details} is a status", row(statuses._STATUS, details, details), NOTICED[details])
    decide = statuses.decide_command
    yield Mutant("one error more", function(decide, lambda f, ends, most, how: f(ends, most + 1, how)), "max_errors")
    yield Mutant("one error less", function(decide, lambda f, ends, most, how: f(ends, most - 1, how)), "within")
    yield Mutant("the others decide", function(decide, lambda f, ends, *how: f([*ends][1:], *how)), "one node")


def test_how_nodes_make_the_status_is_held_by_cases() -> None:
    check(status_mutants(), ["commands"], {})


def call_mutants() -> Iterator[Mutant]:
    for member in calls._PATTERNS:
        words = {"instanceIds": "known form", "maxConcurrency": "max_concurrency", "maxErrors": "max_errors"}
        yield Mutant(f"{member} of any form", row(calls._PATTERNS, member, ""), words.get(member, "target key"))
    yield Mutant("nothing stands twice", function(calls._twice, lambda f, texts: None), "twice")
    yield Mutant("parameters of any size", name(calls, "_MOST_PAYLOAD", 10**9), "97KB")
    yield Mutant("parameters of few bytes", name(calls, "_MOST_PAYLOAD", 3), "executionTimeout")
    yield Mutant("S3 is a kind of node", everywhere(calls.NODE_TYPES, ("AWS::S3::Bucket", *calls.NODE_TYPES)), "types")
    yield Mutant("a group beside tags", name(calls, "_GROUPED", {calls.GROUP, calls.GROUP_TYPES, "tag:A"}), "beside")
    yield Mutant("percent of what is left", function(calls.resolve_limit, lambda f, text, total: f(text, 100)), "10%")
    yield Mutant("rounded up", function(calls.resolve_limit, _round_up), "%")
    yield Mutant("a parameter may be anything", method(Content, "check", lambda f, *given: None), "parameter")
    yield Mutant("any pattern fits", function(contents._fits, lambda f, *given: True), "pattern")
    yield Mutant("the agent takes any time-out", function(contents.agent_timeout, lambda f, seconds: seconds), "below")
    yield Mutant("the agent takes four seconds at least", name(contents, "_LEAST_TIMEOUT", 6), "executionTimeout is")
    yield Mutant("a step may take very long", name(contents, "_SECONDS", re.compile(r"\s*[0-9]+\s*")), "beyond")
    yield Mutant("no time-out by default", everywhere(calls.DEFAULT_TIMEOUT, 10**9), "all time")


def _round_up(f: Any, text: str, total: int) -> tuple[int, bool]:
    number, is_cut = f(text, total)
    return number + is_cut, is_cut


def test_what_a_call_may_say_is_held_by_cases() -> None:
    check(call_mutants(), ["commands"], {})


def plan_mutants() -> Iterator[Mutant]:
    find, ids = targets.find_targets, targets.find_ids
    yield Mutant("keys are ORed", function(find, _any_key), "keys")
    yield Mutant("the first value counts", function(targets._find_tag, _first_value), "ORed")
    yield Mutant("tag keys in any case", function(targets._find_tag, _any_case), "case-exact")
    for key in targets._FINDERS:
        yield Mutant(
            f"{key} as a tag", row(targets._FINDERS, key, targets._find_tag), "roup" if "group" in key else key
        )
    yield Mutant("a group by name only", function(targets.group_name, lambda f, value: value), "by ARN")
    yield Mutant(
        "ids that are unknown are left out", function(targets.missing_ids, lambda f, *given: []), "there is none"
    )
    yield Mutant(
        "ids in the order of the nodes", function(ids, lambda f, nodes, given: f(nodes, sorted(given))), "order"
    )
    yield Mutant(
        "every node is managed", function(plans._is_dead, lambda f, nodes: nodes["managed"] != nodes["managed"])
    )
    yield Mutant(
        "stopped nodes run", function(plans._is_dead, lambda f, nodes: f(nodes.assign(state="running"))), "stopp"
    )
    yield Mutant("documents are for all platforms", method(Planner, "_fate", _any_platform), "platform")
    yield Mutant("nodes are connected", method(Planner, "_fate", _connected), "not connected")
    yield Mutant("who is refused runs", method(Planner, "_is_refused", lambda f, self, outcome: False), "refused")
    yield Mutant("the document is not asked", method(Planner, "_check", _nodes_alone), "document that is not")
    yield Mutant("ids are checked one by one", method(Planner, "_check_ids", lambda f, *given: None), "instance id")
    yield Mutant("groups are open to all", method(Planner, "_refuse_group", lambda f, *given: ""), "may not list")
    yield Mutant(
        "as many as are wanted",
        method(Planner, "_find_verdict", lambda f, self, total: f(self, total) if not total else ("", "")),
        "pending",
    )
    yield Mutant(
        "no target, no end",
        method(Planner, "_find_verdict", lambda f, self, total: ("", "") if not total else f(self, total)),
        "no node",
    )


def _any_key(f: Any, nodes: Any, groups: Any, wanted: Any) -> Any:
    found = [f(nodes, groups, {key: values})[0].index for key, values in wanted.items()]
    return nodes[np.logical_or.reduce([nodes.index.isin(one) for one in found])], []


def _first_value(f: Any, nodes: Any, groups: Any, key: str, values: Any) -> Any:
    return f(nodes, groups, key, values[:1])


def _any_case(f: Any, nodes: Any, groups: Any, key: str, values: Any) -> Any:
    return f(nodes.rename(columns=str.lower), groups, key.lower(), values)


def _connected(f: Any, *given: Any) -> Any:
    return f(*given[:4], "Online", given[5])


def _any_platform(f: Any, *given: Any) -> Any:
    return f(*given[:5], ())


def _nodes_alone(f: Any, self: Any, resource: str, outcome: str) -> None:
    if ":document/" not in resource:
        f(self, resource, outcome)


def test_which_nodes_are_meant_and_who_refuses_is_held_by_cases() -> None:
    check(plan_mutants(), ["commands"], {})


def life_mutants() -> Iterator[Mutant]:
    yield Mutant("nothing is terminated", method(_Queue, "_end", _go_on), "stops")
    yield Mutant(
        "cancelled is expired", method(_Queue, "_cancel", lambda f, self, time: self._expire(time)), "cancelled"
    )
    yield Mutant("an alarm cancels", method(_Queue, "_stop", lambda f, self, time: self._cancel(time)), "alarm")
    yield Mutant(
        "nothing expires",
        method(_Queue, "_expire", lambda f, self, time: self._end_all(time, "Success", "")),
        "not connected",
    )
    yield Mutant("what waits is sent after the end", method(_Queue, "_end_all", lambda f, *given: None), "alarm")
    yield Mutant("a batch of one", method(_Queue, "_answered", lambda f, self, time: self._send(time)), "Failed")
    yield Mutant("all at once", function(sending._limit, _no_ramp), "already")


def _go_on(_: Any, self: Any, time: float, node: int, details: str, *told: Any) -> None:
    self._open -= 1
    self._change(time, node, details, *told)
    self._send(time)


def _no_ramp(f: Any, call: Any, *given: Any) -> Any:
    limits, notes = f(call, *given)
    return simulation.Limits(10**6, limits.errors, limits.expires, limits.execution, limits.cancelled), notes


def test_how_a_command_is_sent_and_ends_is_held_by_cases() -> None:
    check(life_mutants(), ["commands"], {})
