"""Every rule of event patterns has a case that fails without it, as `test_mutations.py` says."""

import re
from collections.abc import Iterator
from itertools import permutations
from json import JSONDecoder
from typing import Any

from mutations import Mutant, check, function, method, name, row

from ssmlab.events import complexity, operators, patterns, values
from ssmlab.events.operators import OPERATORS
from ssmlab.events.patterns import Branch, Field
from ssmlab.events.values import WORDS, Leaf, Object


def table_mutants() -> Iterator[Mutant]:
    """Each row as each other row."""
    for table in (OPERATORS, operators._COMPARISONS):
        for this, other in permutations(table, 2):
            yield Mutant(f"{this} as {other}", row(table, this, table[other]))


def test_every_row_of_the_tables_is_held_by_cases() -> None:
    check(table_mutants(), ["events"], {})


def pattern_mutants() -> Iterator[Mutant]:
    yield Mutant("numbers are texts", name(values, "_DECODER", _decoder(str)))
    yield Mutant("numbers are rounded to a double", name(values, "_DECODER", _decoder(float)))
    yield Mutant("a number that no double holds equals itself", name(values, "_DECODER", _decoder(_held)))
    yield Mutant("true is 1", row(WORDS, True, 1.0))
    yield Mutant("null is an empty text", row(WORDS, None, ""))
    yield Mutant("an address is a text", function(operators._read_address, lambda f, leaf: None))
    yield Mutant("ignoring case is casefold", function(operators._fold, _casefold))
    yield Mutant("a star may repeat", name(operators, "_PIECE", re.compile(r"\\([*\\])|(\*)|([^*\\]+)", re.DOTALL)))
    yield Mutant("anything may be escaped", name(operators, "_PIECE", re.compile(r"\\(.)|(\*(?!\*))|([^*\\]+)")))
    yield Mutant("anything but takes more operators", name(operators, "_NEGATABLE", tuple(OPERATORS)))
    yield Mutant("patterns of any length", name(patterns, "MAX_LENGTH", 10**6))
    yield Mutant("ways without limit", name(patterns, "MAX_BRANCHES", 10**6))
    yield Mutant("no word is reserved for later", name(patterns, "_RESERVED", re.compile("x^")))
    yield Mutant("fewer wildcards", name(complexity, "LIMIT", 5))
    yield Mutant("more wildcards", name(complexity, "LIMIT", 12))
    yield Mutant("no field may be absent", name(Field, "takes_absence", False))
    yield Mutant("the first field is enough", method(Branch, "matches", lambda f, self, event: self.walk(event) > 0))
    yield Mutant("fields may hold in different elements", function(patterns._step, _anywhere))
    yield Mutant("of a field that stands twice the first counts", function(patterns._add_object, _reversed))


def _decoder(read: Any) -> Any:
    refuse = values._refuse_constant
    return JSONDecoder(object_pairs_hook=Object, parse_int=read, parse_float=read, parse_constant=refuse)


def _held(text: str) -> Any:
    number = values.read_number(text)
    return number if isinstance(number, float) else number.text


def _casefold(_: Any, text: str, step: int = 1) -> re.Pattern[str]:
    return re.compile(re.escape(text[::step]), re.IGNORECASE)


def _anywhere(original: Any, ways: Any, field: Any, leaves: list[Leaf]) -> Any:
    return original(ways, field, [Leaf(leaf.value) for leaf in leaves])


def _reversed(original: Any, found: Any, body: Any, *given: Any, **more: Any) -> Any:
    return original(found, Object(body.pairs[::-1]), *given, **more)


def test_the_meaning_of_a_pattern_is_held_by_cases() -> None:
    check(pattern_mutants(), ["events"], {})
