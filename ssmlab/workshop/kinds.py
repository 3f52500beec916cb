"""The kinds of exercise: how each reads an answer, and what it finds wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice, product
from typing import Any, Final

from ssmlab import events, logs
from ssmlab.expectations import choose_rows
from ssmlab.explanation import last_part
from ssmlab.paths import find_paths
from ssmlab.reachability import reach
from ssmlab.reachability.names import find_node, find_principal, find_rows
from ssmlab.snapshots import Snapshot
from ssmlab.workshop import reading
from ssmlab.workshop.exercises import Exercise, find_exercise, make_events, set_up
from ssmlab.workshop.requirements import Change, choose_sides, drop_unknown, find_broken, read_tags, say_misfits
from ssmlab.workshop.variations import VARIATIONS

Ask = Mapping[str, Any]
Stages = Iterator[tuple[str, Iterator[str]]]
Find = Callable[[Any, Any], Iterator[str]]
_HERE, _ELSEWHERE = "", "right for the data at hand, but not in general"


@dataclass(frozen=True, slots=True)
class Kind:
    """How an answer is read and judged.

    `read` refuses what is no such answer. `judge` yields stages: what is said first, and what is wrong; the first stage
    with anything wrong is told.
    """

    read: Callable[[Any], Any]
    judge: Callable[[Exercise, Any, Snapshot], Stages]


def _judge_reach(
    change: Callable[[Exercise, Any, Snapshot], Change], exercise: Exercise, answer: Any, snapshot: Snapshot
) -> Stages:
    """An answer that changes what is reached: first on the data at hand, then in other inventories."""
    for said, inventory in _list_inventories(exercise.id, snapshot):
        yield said, _judge_one(exercise, change(exercise, answer, inventory))


@lru_cache(maxsize=4)  # the next try is mostly of the same exercise
def _list_inventories(exercise_id: str, snapshot: Snapshot) -> list[tuple[str, Snapshot]]:
    """What is said of each inventory, and the inventory: that at hand, then the hidden ones."""
    exercise = find_exercise(exercise_id)
    here = set_up(exercise, drop_unknown(snapshot))
    others = VARIATIONS if exercise.rest.get("vary", True) else {}
    hidden = [(f"{_ELSEWHERE}, such as in an inventory {name}: ", vary(here)) for name, vary in others.items()]
    return [(_HERE, here), *hidden]


def _judge_one(exercise: Exercise, change: Change) -> Iterator[str]:
    return (complaint for entry in exercise.rest["must"] for complaint in find_broken(change, entry))


def _with_policy(exercise: Exercise, answer: Mapping[str, Any], snapshot: Snapshot) -> Change:
    place = exercise.rest["policy"]
    reading.check_policy(answer, place.get("layer", "identity"))
    return Change(snapshot, snapshot.with_policy(answer, **place), {}, place["name"])


def _judge_policy(exercise: Exercise, answer: Mapping[str, Any], snapshot: Snapshot) -> Stages:
    """As any change of what is reached; at the end, that it opens no other way to the nodes."""
    yield from _judge_reach(_with_policy, exercise, answer, snapshot)
    _, here = _list_inventories(exercise.id, snapshot)[0]
    yield _HERE, _list_other_ways(_with_policy(exercise, answer, here))


def _list_other_ways(change: Change) -> Iterator[str]:
    """The first way beside Run Command by which the policy lets somebody to nodes that it keeps from Run Command."""
    paths, named = find_paths(change.after, change.context), f"policy {change.policy.rpartition('/')[2]},"
    found = paths.around().query("outcome == 'allowed'")
    for arn, node in found[["principal", "example"]].itertuples(index=False, name=None):
        edges = paths.shortest(arn, node)
        statements = [told for edge in edges for told in edge.statements if named in told]
        if statements:
            way = "; ".join(edge.sentence for edge in edges)
            yield f"too much, by another way than Run Command: {way} ({statements[0]}). Allow `ssm:SendCommand` only."


def _with_tags(exercise: Exercise, answer: Mapping[str, str | None], snapshot: Snapshot) -> Change:
    node = str(snapshot.nodes.index[find_node(snapshot, exercise.rest["node"])])
    return Change(snapshot, snapshot.with_tags(node, answer), {})


def _judge_tags(exercise: Exercise, answer: Mapping[str, str | None], snapshot: Snapshot) -> Stages:
    """As any change of what is reached; that a key stands beside its twin with other capitals is said instead."""
    twins = _find_twins(exercise.rest["node"], answer, snapshot)
    for said, complaints in _judge_reach(_with_tags, exercise, answer, snapshot):
        yield said, (twins for _ in islice(complaints, 1)) if twins else complaints


def _find_twins(node: str, answer: Mapping[str, str | None], snapshot: Snapshot) -> str:
    there = read_tags(snapshot.nodes.iloc[find_node(snapshot, node)])
    now = {key: value for key, value in {**there, **answer}.items() if value is not None}
    for key in answer:
        twins = sorted(other for other in now if other.lower() == key.lower())
        if len({now[twin] for twin in twins}) > 1:
            why = "conditions ignore the case of keys, and it is not known which of them counts"
            return f"the node now has `{twins[0]}` and `{twins[1]}`: {why}. Change the key that is there."
    return ""


def _judge_names(exercise: Exercise, answer: list[str], snapshot: Snapshot) -> Stages:
    yield _HERE, _compare_names(exercise.rest["ask"], answer, set_up(exercise, snapshot))


def _compare_names(ask: Ask, answer: list[str], snapshot: Snapshot) -> Iterator[str]:
    """The first name too many, with what is true of it; of those that are missing how many, and what sets one apart."""
    which, (find, say_why_not) = ask["which"], _QUESTIONS[ask["by"]]
    frame, short = getattr(snapshot, which), ask.get("short", {})
    wanted = {_label(frame, row) for row in find(snapshot, ask)}
    rows = {name: _find_rows(snapshot, which, short.get(name, name)) for name in answer}
    named = {_label(frame, row): (name, row) for name, found in rows.items() for row in found}
    for name, row in [where for label, where in named.items() if label not in wanted][:1]:
        misfit = next(say_misfits(frame, ask.get("where", ask.get(which)), row), "")
        yield f"`{name}` does not belong in your list: {misfit or say_why_not(snapshot, ask, row)}"
    if missing := wanted - set(named):
        yield _say_missing(frame, missing, wanted - missing)


def _say_missing(frame: Any, missing: set[str], right: set[str]) -> str:
    """How many, and a column in which one of them has another value than all that are right so far."""
    rows, seen = (frame[frame.index.isin(each)].astype(str) for each in (missing, right))
    columns = frame.columns.intersection(["kind", "region", "managed"]) if right else ()
    unlike = (
        f", such as one whose `{name}` is `{value}`" for name in columns for value in {*rows[name]} - {*seen[name]}
    )
    return f"right so far: {len(right)} of {len(right | missing)}, {len(missing)} missing{min(unlike, default='')}"


def _find_rows(snapshot: Snapshot, which: str, name: str) -> list[int]:
    try:
        return [int(row) for row in find_rows(snapshot, which, [name])]
    except KeyError as error:
        raise reading.AnswerError(str(error.args[0])) from None


def _label(frame: Any, row: int) -> str:
    """A document is the same in every Region."""
    return str(frame["name"].iloc[row] if "document_type" in frame else frame.index[row])


def _find_by_columns(snapshot: Snapshot, ask: Ask) -> list[int]:
    return [int(row) for row in choose_rows(snapshot, ask["which"], ask["where"], "where")]


def _find_by_reach(snapshot: Snapshot, ask: Ask) -> list[int]:
    """Those that stand in a pair with this outcome."""
    found = reach(snapshot, context=ask.get("context"))
    principals, nodes, documents = choose_sides(snapshot, ask).values()
    pairs = found.pairs(principals, nodes, documents, ask.get("outcome", "allowed"))
    arns = pairs[ask["which"].removesuffix("s")].unique()
    return [int(row) for row in getattr(snapshot, ask["which"]).index.get_indexer(arns)]


def _say_reach(snapshot: Snapshot, ask: Ask, row: int) -> str:
    """The answer for it, and for what stands beside it in the Region.

    Nodes and documents that are reached with something come first, so that only one thing is in the way.
    """
    frame = getattr(snapshot, ask["which"])
    alike = [other for other in range(len(frame)) if _label(frame, other) == _label(frame, row)]
    principals, nodes, documents = (choose_sides(snapshot, ask) | {ask["which"]: alike}).values()
    here, there = (frame["region"].astype(str).array for frame in (snapshot.nodes, snapshot.documents))
    near, fit = ({*_find_by_reach(snapshot, {**ask, "which": side})} for side in ("nodes", "documents"))

    def say_far(pair: tuple[int, int]) -> tuple[bool, bool, bool]:
        return here[pair[0]] != there[pair[1]], pair[0] not in near, pair[1] not in fit

    node, document = min(product(nodes, documents), key=say_far)
    arns = snapshot.principals.index[principals[0]], snapshot.nodes.index[node], snapshot.documents.index[document]
    return reach(snapshot, context=ask.get("context")).explain(*arns).sentence


def _find_by_ways(snapshot: Snapshot, ask: Ask) -> list[int]:
    """Principals that reach a node, but not by Run Command itself."""
    found = find_paths(snapshot, ask.get("context")).who_reaches(ask["node"])
    others = found[(found["outcome"] == "allowed") & (found["way"] != "run-command")]
    return [find_principal(snapshot, arn) for arn in others["principal"]]


def _say_ways(snapshot: Snapshot, ask: Ask, row: int) -> str:
    paths, arn = find_paths(snapshot, ask.get("context")), str(snapshot.principals.index[row])
    edges = paths.shortest(arn, ask["node"])
    if edges and edges[0].way == "run-command":
        return f"{last_part(arn)} comes to `{ask['node']}` by Run Command itself"
    return "; ".join(edge.sentence for edge in edges) or f"no way leads from it to `{ask['node']}`"


# How the right names are found, and why another one is wrong if no column says it.
_QUESTIONS: Final[dict[str, tuple[Callable[[Snapshot, Ask], list[int]], Callable[[Snapshot, Ask, int], str]]]] = {
    "columns": (_find_by_columns, lambda *_: ""),
    "reach": (_find_by_reach, _say_reach),
    "ways": (_find_by_ways, _say_ways),
}


def _judge_shown(find: Find, part: str, exercise: Exercise, answer: Any, _: Snapshot) -> Stages:
    """An answer that is tried on what is shown, then on more of the kind that is not."""
    yield _HERE, find(answer, exercise.rest[part])
    yield f"{_ELSEWHERE}: ", find(answer, exercise.rest[f"hidden {part}"])


def _match_events(pattern: Mapping[str, Any], sides: Mapping[str, Any]) -> Iterator[str]:
    for event in make_events(sides["match"]):
        if mismatch := events.explain_mismatch(pattern, event):
            yield f"{_name_event(event)} should match and does not: {mismatch.sentence}"
    for event in make_events(sides["no match"]):
        if events.matches(pattern, event):
            yield f"{_name_event(event)} matches and should not"


def _name_event(event: Mapping[str, Any]) -> str:
    detail = event["detail"]
    named = ", ".join(f"`{detail[key]}`" for key in ("document-name", "instance-id", "status") if key in detail)
    return f"the event `{event['detail-type']}` ({named})"


def _match_lines(pattern: str, sides: Mapping[str, list[str]]) -> Iterator[str]:
    for side, wanted, told in (("match", True, "does not find"), ("no match", False, "also finds")):
        for line in sides[side]:
            if logs.matches(pattern, line) is not wanted:
                yield f"the pattern {told} the line `{line}`{_say_absent(pattern, line) if wanted else ''}"


def _say_absent(pattern: str, line: str) -> str:
    """The first word or JSON field that a pattern names and a line has not."""
    body = logs.compile_filter(pattern).body
    told = [f"`{term.text}`" for term in getattr(body, "required", ()) if getattr(term, "text", line) not in line]
    absent = (name for name in body.names if name.startswith("$.") and name not in body.fields(line))
    told += [f"`{name}`, and of a field that is absent only `NOT EXISTS` is true" for name in absent]
    return f": it has no {told[0]}" if told and "NOT EXISTS" not in pattern else ""


def _watch(settings: Mapping[str, Any], cases: list[dict[str, Any]]) -> Iterator[str]:
    for case in cases:
        state = logs.alarm_states(case["values"], **settings)[-1]
        if state != case["ends"]:
            told = ", ".join("nothing" if value is None else str(value) for value in case["values"])
            yield f"{case['story']}: after the values {told} it is `{state}`, expected `{case['ends']}`"


KINDS: Final[dict[str, Kind]] = {
    "policy": Kind(reading.read_policy, _judge_policy),
    "tags": Kind(reading.read_tags, _judge_tags),
    "request": Kind(reading.read_request, partial(_judge_reach, lambda _, answer, here: Change(here, here, answer))),
    "names": Kind(reading.read_names, _judge_names),
    "event pattern": Kind(reading.read_event_pattern, partial(_judge_shown, _match_events, "events")),
    "filter pattern": Kind(reading.read_filter_pattern, partial(_judge_shown, _match_lines, "lines")),
    "alarm": Kind(reading.read_alarm, partial(_judge_shown, _watch, "series")),
}
