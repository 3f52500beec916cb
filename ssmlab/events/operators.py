"""The operator table: what stands in the array of a field, and which leaf passes it.

A row reads its operand, or refuses it with place and reason, and gives a function of a leaf. Texts are matched in
linear time.

Sources: EventBridge User Guide, `eb-create-pattern-operators`; `aws/event-ruler`, the engine that AWS publishes;
answers recorded from AWS in September 2026 (named "recorded").
"""

import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from ssmlab.conditions.values import Network, read_address
from ssmlab.events.values import WORDS, Object, PlacedError, Unheld, Value, Word
from ssmlab.patterns import Wild, compile_glob
from ssmlab.patterns.globs import to_units

Check = Callable[[Value], bool]


class PatternError(PlacedError):
    """An event pattern that EventBridge refuses: the place in it, and the reason.

    Attributes
    ----------
    where
        A path such as `detail.status[0].prefix`, or line and column of a text that is no JSON.
    """

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where or "the pattern", reason)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the alternatives of a field.

    Attributes
    ----------
    source
        As it was written, in one spelling.
    check
        Does a leaf pass?
    exact
        The one leaf that passes, where it is so simple.
    is_absence
        It holds where the field is absent, and nowhere else.
    wildcards
        The texts of a `wildcard`, with its escapes: EventBridge limits how complex they may be together.
    """

    source: str
    check: Check = field(compare=False)
    exact: Value | None = field(default=None, compare=False)
    is_absence: bool = field(default=False, compare=False)
    wildcards: tuple[str, ...] = field(default=(), compare=False)
    doubts: tuple[str, ...] = field(default=(), compare=False)


BY_VALUE: Final = (
    "numbers are compared by value, as the engine does and as recorded; the user guide of 2023 says that 300, 300.0 and"
    " 3.0e2 differ [EventBridge User Guide, eb-event-patterns]"
)
_UNHELD: Final = "the engine cannot hold `{}`: it does not even equal itself [recorded from AWS in September 2026]"


def expect(holds: object, where: str, reason: str) -> None:
    """Refuse a pattern of which something does not hold."""
    if not holds:
        raise PatternError(where, reason)


def show(node: Any) -> str:
    """A part of a pattern or a leaf as JSON."""
    if isinstance(node, Object):
        return f"{{{', '.join(f'{show(name)}: {show(value)}' for name, value in node.pairs)}}}"
    if isinstance(node, list):
        return f"[{', '.join(map(show, node))}]"
    if isinstance(node, float):
        return str(int(node)) if node.is_integer() and abs(node) < 1e16 else repr(node)
    if isinstance(node, str):
        return json.dumps(node, ensure_ascii=False)
    if isinstance(node, Unheld):
        return node.text
    return (node if isinstance(node, Word) else WORDS[node]).value


def read_alternative(node: Any, where: str) -> Alternative:
    """An element of the array of a field: a plain value, or an object with one operator.

    Raises
    ------
    PatternError
        For an unknown operator, or an operand that the operator does not take.
    """
    wanted = "expected a text, a number, true, false, null or an operator"
    expect(not isinstance(node, list), where, f"{wanted}, got an array")
    if not isinstance(node, Object):
        return _read_plain(node)
    name, operand = _only(node, where, OPERATORS)
    return replace(_read_operator(name, operand, f"{where}.{name}"), source=show(node))


def _read_operator(name: str, operand: Any, where: str) -> Alternative:
    made = OPERATORS[name](operand, where)
    return made if isinstance(made, Alternative) else Alternative("", made)


def _read_plain(node: Any) -> Alternative:
    value = WORDS[node] if node is None or isinstance(node, bool) else node
    if isinstance(value, Unheld):
        return Alternative(show(node), lambda _: False, doubts=(BY_VALUE, _UNHELD.format(value.text)))
    if address := _read_address(value):  # a text that is an address equals every spelling of it (engine)
        return Alternative(show(node), lambda leaf: _read_address(leaf) == address)
    doubts = (BY_VALUE,) if isinstance(value, float) else ()
    return Alternative(show(node), lambda leaf: leaf == value, value, doubts=doubts)


def _only(node: Object, where: str, known: Iterable[str]) -> tuple[str, Any]:
    """Name and operand of an object that may hold one operator."""
    expect(len(node.pairs) == 1, where, f"expected an object with one operator, got {len(node.pairs)}")
    name, operand = node.pairs[0]
    expect(name in known, where, f"unknown operator `{name}`: expected one of {', '.join(known)}")
    return name, operand


def _text(operand: Any, where: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(where, f"expected a text, got `{show(operand)}`")
    return operand


def _number(operand: Any, where: str) -> float:
    if isinstance(operand, Unheld):
        raise PatternError(where, f"`{operand.text}` is no number that the engine can hold and compare")
    if not isinstance(operand, float):
        raise PatternError(where, f"expected a number, got `{show(operand)}`")
    return operand


def _exactly(operand: Any, where: str) -> Alternative:
    doubt = "`exactly` is known to the engine, but not documented [EventBridge User Guide, eb-create-pattern-operators]"
    text = _text(operand, where)
    return Alternative("", lambda leaf: leaf == text, text, doubts=(doubt,))


def _fold(text: str, step: int = 1) -> re.Pattern[str]:
    """Each UTF-16 unit in its upper or its lower form, backwards for a step of -1.

    Halves of larger characters become `?` (recorded). No form begins or ends as the other does, so there is one way to
    match at most.
    """
    forms = [("?", "?") if "\ud800" <= unit <= "\udfff" else (unit.lower(), unit.upper()) for unit in to_units(text)]
    either = ("|".join(re.escape(form[::step]) for form in pair) for pair in forms[::step])
    return re.compile("".join(f"(?:{pair})" for pair in either))


def _ignore_case(operand: Any, where: str) -> Check:
    folded = _fold(_text(operand, where))
    return lambda leaf: isinstance(leaf, str) and folded.fullmatch(leaf) is not None


def _edge(holds: Callable[[str, str], bool], step: int, operand: Any, where: str) -> Check:
    """An operator of a text's start, or of its end: read with a step of -1."""
    if isinstance(operand, Object):
        name, text = _only(operand, where, ("equals-ignore-case",))
        folded = _fold(_text(text, f"{where}.{name}"), step)
        return lambda leaf: isinstance(leaf, str) and folded.match(leaf[::step]) is not None
    edge = _text(operand, where)
    return lambda leaf: isinstance(leaf, str) and holds(leaf, edge)


_PIECE: Final = re.compile(r"\\([*\\])|(\*(?!\*))|([^*\\]+)", re.DOTALL)


def _wildcard(operand: Any, where: str) -> Alternative:
    text, tokens, position = _text(operand, where), list[str | Wild](), 0
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:
            rule = "`*` twice in a row" if text[position] == "*" else "`\\` before anything but `*` and `\\`"
            raise PatternError(where, f"{rule} at character {position + 1} of `{text}`")
        tokens.append(Wild.MANY if match[2] else match[1] or match[3])
        position = match.end()
    glob = compile_glob(tuple(tokens))
    end = tokens[-1] if tokens and isinstance(tokens[-1], str) else ""  # asked first: most values fail by it, soon
    return Alternative(
        "", lambda leaf: isinstance(leaf, str) and leaf.endswith(end) and glob.matches(leaf), wildcards=(text,)
    )


_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _numeric(operand: Any, where: str) -> Check:
    is_pairs = isinstance(operand, list) and len(operand) in (2, 4)
    expect(is_pairs, where, f"expected an array of one or two comparisons, got `{show(operand)}`")
    names, numbers = operand[::2], [_number(number, f"{where}[{n}]") for n, number in enumerate(operand) if n % 2]
    for n, name in enumerate(names):
        is_known, told = isinstance(name, str) and name in _COMPARISONS, ", ".join(_COMPARISONS)
        expect(is_known, f"{where}[{2 * n}]", f"expected one of {told}, got `{show(name)}`")
    is_range = names[0] in (">", ">=") and names[-1] in ("<", "<=") and numbers[0] < numbers[-1]
    expect(len(names) == 1 or is_range, where, f"expected a lower bound, then a higher one, got `{show(operand)}`")
    parts = [(_COMPARISONS[name], number) for name, number in zip(names, numbers, strict=True)]
    return lambda leaf: isinstance(leaf, float) and all(compare(leaf, number) for compare, number in parts)


def _read_address(leaf: Value) -> Network | None:
    """An address as the engine reads it: without a zone, without IPv4 inside IPv6."""
    return read_address(leaf) if isinstance(leaf, str) and not (":" in leaf and "." in leaf) else None


def _cidr(operand: Any, where: str) -> Check:
    head, slash, mask = _text(operand, where).partition("/")
    address = _read_address(head)
    bits = 128 if address and address.version == 6 else 32
    if not address or not slash or not re.fullmatch(r"\+?[0-9]{1,9}", mask) or int(mask) >= bits:
        raise PatternError(where, f"expected an IP address with a mask below {bits}, got `{operand}`")
    host = bits - int(mask)
    network = Network(address.version, address.address >> host << host, host)  # host bits are tolerated

    def holds(leaf: Value) -> bool:
        other = _read_address(leaf)
        return other is not None and network.holds(other)

    return holds


def _exists(operand: Any, where: str) -> Alternative:
    expect(isinstance(operand, bool), where, f"expected true or false, got `{show(operand)}`")
    return Alternative("", lambda _: operand, is_absence=not operand)


def _anything_but(operand: Any, where: str) -> Alternative:
    if isinstance(operand, Object):
        return _anything_but_like(*_only(operand, where, _NEGATABLE), where)
    values = operand if isinstance(operand, list) else [operand]
    for n, value in enumerate(values):
        if isinstance(value, Unheld):
            _number(value, f"{where}[{n}]")
    is_uniform = {type(value) for value in values} in ({str}, {float})
    expect(is_uniform, where, f"expected texts only or numbers only, got `{show(operand)}`")
    excluded = frozenset(values)
    return Alternative("", lambda leaf: leaf not in excluded)


def _anything_but_like(name: str, operand: Any, where: str) -> Alternative:
    where, texts = f"{where}.{name}", operand if isinstance(operand, list) else [operand]
    expect(texts, where, "expected a text or several, got `[]`")
    expect("" not in texts or name not in ("prefix", "suffix"), where, "expected texts that are not empty")
    made = [_read_operator(name, _text(text, where), where) for text in texts]
    wildcards = tuple(text for one in made for text in one.wildcards)
    return Alternative("", lambda leaf: not any(one.check(leaf) for one in made), wildcards=wildcards)


_NEGATABLE: Final = ("prefix", "suffix", "equals-ignore-case", "wildcard")
OPERATORS: Final[dict[str, Callable[[Any, str], Check | Alternative]]] = {
    "prefix": partial(_edge, str.startswith, 1),
    "suffix": partial(_edge, str.endswith, -1),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "anything-but": _anything_but,
    "exactly": _exactly,
}
