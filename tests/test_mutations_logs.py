"""Every rule of filter patterns and alarms has a case that fails without it, as `test_mutations.py` says."""

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Any

from mutations import Mutant, check, function, method, name, row

from ssmlab.logs import alarms, comparing, fields, json_events, reading, regexes, terms
from ssmlab.logs.comparing import OPERATORS, Literal
from ssmlab.logs.fields import FieldsPattern
from ssmlab.logs.json_events import STATES, Selector
from ssmlab.logs.terms import Terms

ANYTHING = re.compile(r"[^\s}\]]+")


def table_mutants() -> Iterator[Mutant]:
    """Each row as each other row."""
    for table in (OPERATORS, STATES):
        for this, other in permutations(table, 2):
            yield Mutant(f"{this} as {other}", row(table, this, table[other]))


def test_every_row_of_the_tables_is_held_by_cases() -> None:
    check(table_mutants(), ["logs"], {})


def optional_kept(original: Any, reader: Any) -> Terms:
    text = reader.text
    found = original(reader)
    signs = [sign for sign, _ in re.findall(r"([-?]?)(\w+)", text)]
    return Terms((), found.excluded, found.required) if "?" in signs else found


def pattern_mutants() -> Iterator[Mutant]:
    yield Mutant("optional terms count beside others", function(terms.read_terms, optional_kept))
    yield Mutant("any term is enough", method(Terms, "_join", lambda f, self, ask: any(map(ask, self.required))))
    yield Mutant(
        "a star inside is wild", function(comparing.match_text, lambda f, text: lambda other: _glob(text, other))
    )
    yield Mutant("a number equals no text", function(comparing._read_literal, _by_value))
    yield Mutant(
        "a text is a number",
        function(json_events._scalar, lambda f, v: comparing.Scalar(v, json_events.read_number(v))),
    )
    yield Mutant(
        "other values are compared too",
        method(Selector, "scalars", lambda f, self, d: [comparing.Scalar(str(v)) for v in self.select(d)]),
    )
    yield Mutant("any message is an object", function(json_events.read_object, lambda f, message: f(message) or {}))
    yield Mutant("what needs no quotes may hold anything", name(json_events, "_BARE", ANYTHING))
    yield Mutant("what may hold a star may hold anything", name(json_events, "_WILD", ANYTHING))
    yield Mutant(
        "names of letters alone", name(json_events, "_STEP", _changed(json_events._STEP, "[A-Za-z0-9_-]", "[A-Za-z]"))
    )
    yield Mutant("wildcards without limit", name(json_events, "_MOST_WILD", 99))
    yield Mutant("or binds closer", function(reading.read_logic, _swapped))
    yield Mutant("brackets are plain", name(fields, "_CLOSING", {'"': '"'}))
    yield Mutant("quotes are plain", name(fields, "_CLOSING", {"[": "]"}))
    yield Mutant("blanks part fields, tabs do not", name(fields, "_WORD", re.compile(r"[^ ]+")))
    yield Mutant(
        "the last field is a word",
        method(FieldsPattern, "_align", lambda f, self, line: f(self, line) and _words(self, line)),
    )
    yield Mutant("regular expressions without limit", name(regexes, "_MOST_REGEXES", 99))
    yield Mutant("repetitions without limit", name(regexes, "_MOST_REPEATED", 9999))
    yield Mutant("any character in a regular expression", _plain(r"[^\[\](){}|*+?.^$\\]"))
    yield Mutant("parentheses in a regular expression", _plain(r"[A-Za-z0-9:_#=@/;,\- ()?]"))
    yield Mutant("anything may be escaped", name(regexes, "_PIECE", _changed(regexes._PIECE, regexes._ESCAPED, r"\\.")))
    yield Mutant("parentheses without limit", name(reading, "_DEEPEST", 999))


def _glob(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _by_value(original: Any, *given: Any) -> Literal:
    literal = original(*given)
    return literal if literal.number is None else literal._replace(matches=lambda text: False)


def _changed(expression: re.Pattern[str], before: str, after: str) -> re.Pattern[str]:
    return re.compile(expression.pattern.replace(before, after, 1))


def _plain(characters: str) -> Any:
    return name(regexes, "_PIECE", _changed(regexes._PIECE, f"|{regexes._CHARACTER}|", f"|{characters}|"))


def _swapped(original: Any, reader: Any, *given: Any) -> Any:
    signs = {"&&": "||", "||": "&&"}
    reader.text = re.sub(r"&&|\|\|", lambda found: signs[found[0]], reader.text)
    return original(reader, *given)


def _words(self: FieldsPattern, line: str) -> list[Any]:
    every = (*self.head, *(self.tail or ()))
    return list(zip(every, fields.split_line(line), strict=False))


def test_the_meaning_of_a_pattern_is_held_by_cases() -> None:
    check(pattern_mutants(), ["logs"], {})


def alarm_mutants() -> Iterator[Mutant]:
    yield Mutant("no periods beyond N", name(alarms, "_BEYOND", 0))
    yield Mutant("one more period", name(alarms, "_BEYOND", 3))
    for this, other in permutations(alarms.MISSING, 2):
        changed = function(alarms._decide, _treated(this, other))
        yield Mutant(f"{this} as {other}", changed)
    yield Mutant(
        "the newest value counts twice",
        function(alarms._decide, lambda f, window, *rest: f([*window, window[-1]], *rest)),
    )
    yield Mutant("no state stays", function(alarms._decide, lambda f, *given: f(*given) or "OK"))


def _treated(this: str, other: str) -> Any:
    return lambda f, window, periods, most, treatment: f(
        window, periods, most, other if treatment == this else treatment
    )


def test_what_an_alarm_does_is_held_by_cases() -> None:
    check(alarm_mutants(), ["alarms"], {})
