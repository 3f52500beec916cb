"""One condition: set operators, `IfExists`, `Null`, variables, three-valued truth.

`Condition.decide` is the one function behind a single decision, whole columns and explanations. It sees the values of
the keys the condition reads and nothing else, so that it can be asked once for each distinct value.

Sources: IAM User Guide, `reference_policies_multi-value-conditions`, `reference_policies_variables`; answers recorded
from AWS in September 2026 (named "recorded").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ssmlab.conditions.operators import OPERATORS, UNREADABLE, Equal, Matcher, Operator, Unreadable, parse_operator
from ssmlab.conditions.values import read_bool
from ssmlab.patterns import ABSENT, NOT_KNOWN, Ambiguous, Tokens, Value, is_wild, parse_text, resolve, variable_keys
from ssmlab.patterns.texts import WILD_VALUE, Resolved, literal, plain_text
from ssmlab.truth import FALSE, NO, OPEN, TRUE, UNKNOWN, YES, Truth, Verdict, agree, negate

BOOL_VARIABLE = (
    "the operators page allows a policy variable with `Bool`, the variables page does not"
    " [IAM User Guide, reference_policies_elements_condition_operators against reference_policies_variables]"
)
EMPTY_MEMBER = (
    "an empty text under `ForAllValues` is compared as recorded from AWS in September 2026; to the guide it is absent"
    " [IAM User Guide, reference_policies_multi-value-conditions]"
)
UNRESOLVED = (
    "one of the values is a policy variable without a value; whether the other values still count is not documented"
    " [IAM User Guide, reference_policies_variables]"
)
PLAIN_ARRAY = (
    "a key with several values under an operator without `ForAnyValue` or `ForAllValues` never matches, as recorded"
    " from AWS in September 2026; the guide only says that one of them is needed"
    " [IAM User Guide, reference_policies_multi-value-conditions]"
)
UNREADABLE_ACTUAL = (
    "the request's value cannot be read by the operator; that a negated one is then {} is recorded from AWS in"
    " September 2026, the guide says nothing [IAM User Guide, reference_policies_elements_condition_operators]"
)


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """A value of a condition: its text, its tokens and, where it has no variables, its matcher."""

    text: str
    tokens: Tokens
    matcher: Matcher | Unreadable | None


class Condition:
    """One operator, one key, its values: `{"StringLike": {"ssm:resourceTag/Finance": ["Web*"]}}`.

    Attributes
    ----------
    operator, key, values
        As written in the policy.
    unreadable
        The values that the operator cannot read, so that IAM would not store the policy.
    keys
        The keys that decide it, in lower case: its own, then those of its variables.
    identity
        What it decides by: conditions that are equal in this are decided alike.
    """

    __slots__ = (
        *("_base", "_compiled", "_others", "_quantifier", "_reads_itself", "_refused", "_row", "_texts", "fails_to"),
        *("identity", "if_exists", "key", "keys", "operator", "unreadable", "values"),
    )

    def __init__(
        self, operator: str, key: str, values: Sequence[str], *, variables: bool = True, effect: str = "Allow"
    ) -> None:
        self.operator, self.key, self.values = operator, key, tuple(values)
        self._quantifier, self._base, self.if_exists = parse_operator(operator)
        self._row = OPERATORS.get(self._base)
        self.fails_to = TRUE if effect == "Deny" else FALSE
        self._compiled = tuple(self._compile(text, variables) for text in self.values)
        variable = [k for value in self._compiled for k in variable_keys(value.tokens)]
        self._reads_itself = key.lower() in variable
        self.keys = tuple(dict.fromkeys([key.lower(), *variable]))
        self.identity = (operator, self.keys, tuple(value.tokens for value in self._compiled), self.fails_to)
        self._texts = frozenset(value.matcher.text for value in self._compiled if isinstance(value.matcher, Equal))
        refused = {value.text: value.matcher for value in self._compiled if isinstance(value.matcher, Unreadable)}
        self._refused = tuple(self._say(matcher, text) for text, matcher in refused.items())
        self.unreadable = tuple(text for text, matcher in refused.items() if matcher is not Unreadable.UNCLEAR)
        self._others = tuple(value for value in self._compiled if not isinstance(value.matcher, Equal))

    def _compile(self, text: str, variables: bool) -> PolicyValue:
        row = self._row
        if row is None:
            return PolicyValue(text, (text,), None)
        tokens = parse_text(text, variables and row.variables is not False)
        tokens = tokens if row.wildcards else literal(tokens)
        return PolicyValue(text, tokens, None if variable_keys(tokens) else row.compile(tokens))

    def __repr__(self) -> str:
        return f"{self.operator} {self.key} {list(self.values)}"

    @property
    def is_negated(self) -> bool:
        """Does the operator ask that no value matches?"""
        return self._row is not None and self._row.negated

    def decide(self, values: Sequence[Value]) -> Verdict:
        """Does it hold when `keys` have these `values`?"""
        value = values[0]
        if isinstance(value, Ambiguous):
            verdict = agree((self.decide((candidate, *values[1:])) for candidate in value.candidates), value.doubt)
            return verdict if len(value.candidates) > 1 else Verdict(verdict.truth, (*verdict.doubts, value.doubt))
        if value is NOT_KNOWN:
            return OPEN
        if self._row is None:
            return self._decide_null(value is ABSENT)
        if value is ABSENT:
            return YES if self._holds_when_absent() else NO
        if isinstance(value, str):
            return self._doubt_empty(self._decide_value(self._row, value, values), value)
        if not self._quantifier:
            return Verdict(FALSE, (PLAIN_ARRAY,) if value else ())
        members = [self._decide_value(self._row, member, values) for member in value]
        return self._doubt_empty(self._quantify(members), value)

    def patterns(
        self, lookup: Callable[[str], Value]
    ) -> tuple[Callable[[str], str], Sequence[Tokens], Sequence[Tokens]] | None:
        """What tells texts of its key apart: how a text is read, and the patterns that are then matched.

        Returns
        -------
        None
            Any two texts may be decided differently.
        read, plain, varied
            Texts that match the same of the `varied` patterns (with variables, filled in), and both some or both none
            of the `plain` ones, are decided alike.
        """
        row = self._row
        if row is None:
            return str, (), ()
        if not row.textual or self._reads_itself:
            return None
        plain, varied = list[Tokens](), list[Tokens]()
        for value in self._compiled:
            readings = (value.tokens,) if value.matcher else resolve(value.tokens, lookup).readings
            (plain if value.matcher else varied).extend(_read_pattern(row, tokens) for tokens in readings)
        return row.read, plain, varied

    def _decide_null(self, absent: bool) -> Verdict:
        return YES if any(read_bool(text) is absent for text in self.values) else NO

    def _holds_when_absent(self) -> bool:
        if self.if_exists or self._quantifier == "ForAllValues":
            return True
        return not self._quantifier and self.is_negated

    def _quantify(self, members: Sequence[Verdict]) -> Verdict:
        if self._quantifier == "ForAnyValue":
            return max(members, key=_truth, default=NO)
        return min(members, key=_truth, default=YES)

    def _doubt_empty(self, verdict: Verdict, value: str | tuple[str, ...]) -> Verdict:
        """An empty text under ForAllValues: the guide and the recordings differ; the recordings are followed."""
        if self._quantifier != "ForAllValues" or "" not in ((value,) if isinstance(value, str) else value):
            return verdict
        return Verdict(verdict.truth, (*verdict.doubts, EMPTY_MEMBER))

    def _decide_value(self, row: Operator, text: str, values: Sequence[Value]) -> Verdict:
        actual = row.read(text)
        if actual is None:
            truth: Truth = FALSE if row.strict or not row.negated else TRUE
            said = (UNREADABLE_ACTUAL.format(truth.name.lower()),) if row.negated else ()
            return Verdict(truth, (*self._refused, *said))
        lookup = dict(zip(self.keys, values, strict=True)).__getitem__
        truth = TRUE if actual in self._texts else FALSE
        doubts = [*self._refused]
        unresolved = False
        for value in self._others:
            if truth is TRUE and value.matcher is not None:
                continue
            resolved = None if value.matcher else resolve(value.tokens, lookup)
            unresolved |= resolved is not None and resolved.may_lack
            found = self._match(row, value, resolved, actual)
            if isinstance(found, Verdict):
                doubts += found.doubts
                truth = max(truth, found.truth)
            elif truth is not TRUE:  # a match before the unreadable value ends the comparison (recorded)
                failed = self.fails_to if truth is FALSE else UNKNOWN
                return Verdict(failed, tuple(dict.fromkeys((*doubts, self._say(found, value.text)))))
        if unresolved and truth is TRUE:
            truth, doubts = UNKNOWN, [*doubts, UNRESOLVED]
        return Verdict(negate(truth) if row.negated else truth, tuple(dict.fromkeys(doubts)))

    def _match(self, row: Operator, value: PolicyValue, resolved: Resolved | None, actual: Any) -> Verdict | Unreadable:
        """One policy value, its variables filled in, against one request value."""
        if resolved is None:
            return self._apply(value.matcher, value, actual)
        if row.variables is None and resolved.open:
            return OPEN
        readings = resolved.readings if row.wildcards else resolved.readings[:1]
        found = [self._apply(row.compile(tokens), value, actual) for tokens in readings] or [NO]
        if row.variables is None:
            found.append(self._apply(row.compile((value.text,)), value, actual))
        if Unreadable.FAILS_CLOSED in found:
            return OPEN if resolved.open else Unreadable.FAILS_CLOSED
        verdict = agree(
            (v for v in found if isinstance(v, Verdict)), BOOL_VARIABLE if row.variables is None else WILD_VALUE
        )
        return Verdict(min(verdict.truth, UNKNOWN), verdict.doubts + resolved.doubts) if resolved.open else verdict

    def _apply(self, matcher: Matcher | Unreadable | None, value: PolicyValue, actual: Any) -> Verdict | Unreadable:
        if matcher is Unreadable.FAILS_CLOSED:
            return matcher
        if isinstance(matcher, Unreadable):
            truth = FALSE if matcher is Unreadable.NO_MATCH else UNKNOWN
            return Verdict(truth, (self._say(matcher, value.text),))
        return YES if matcher is not None and matcher(actual) else NO

    def _say(self, unreadable: Unreadable, text: str) -> str:
        return UNREADABLE[unreadable].format(text, self.operator)


def _read_pattern(row: Operator, tokens: Tokens) -> Tokens:
    if not is_wild(tokens):
        return (row.read(plain_text(tokens)),)
    return tuple(row.read(token) if isinstance(token, str) else token for token in tokens)


def _truth(verdict: Verdict) -> Truth:
    return verdict.truth
