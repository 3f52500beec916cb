"""ARNs: their six parts, ARN conditions (part by part), and Resource elements (where a `*` may span parts).

Sources: IAM User Guide, `reference_policies_elements_resource`; recorded from AWS in September 2026: inside the sixth
part `*` spans `/` and `:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from ssmlab.patterns.globs import compile_glob
from ssmlab.patterns.texts import Token, Tokens, Wild, is_wild
from ssmlab.truth import NO, UNKNOWN, YES, Truth, Verdict

ARN_PARTS: Final = 6
Segments = tuple[Tokens, ...]


@lru_cache(maxsize=65536)
def split_arn(text: str) -> tuple[str, ...] | None:
    """The six parts of an ARN; the sixth keeps its colons. None if the text is no ARN.

    >>> split_arn("arn:aws:ssm:eu-west-1::document/AWS-RunShellScript")
    ('arn', 'aws', 'ssm', 'eu-west-1', '', 'document/AWS-RunShellScript')
    """
    parts = text.split(":", ARN_PARTS - 1)
    return tuple(parts) if len(parts) == ARN_PARTS and parts[0] == "arn" else None


@lru_cache(maxsize=65536)
def split_segments(tokens: Tokens, limit: int = ARN_PARTS) -> Segments:
    """Cut tokens at their colons into at most `limit` segments."""
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        head, *rest = token.split(":", limit - len(segments))
        segments[-1].append(head)
        segments += [[part] for part in rest]
    return tuple(tuple(token for token in segment if token != "") for segment in segments)


class ArnPattern:
    """An ARN with wildcards, compared part by part (`ArnLike`, and the strict reading of a Resource)."""

    __slots__ = ("_checks", "_is_whole")

    def __init__(self, segments: Sequence[Tokens]) -> None:
        self._is_whole = len(segments) == ARN_PARTS
        globs = ((place, compile_glob(tokens)) for place, tokens in enumerate(segments) if tokens != (Wild.MANY,))
        self._checks = tuple((place, glob.matches) for place, glob in globs)

    def matches(self, parts: Sequence[str]) -> bool:
        """Do the six parts of an ARN match?"""
        if not self._is_whole:
            return False
        for place, matches in self._checks:  # noqa: SIM110 — a generator takes twice as long
            if not matches(parts[place]):
                return False
        return True


@lru_cache(maxsize=65536)
def compile_arn(tokens: Tokens) -> ArnPattern:
    """The pattern of an ARN that is compared part by part."""
    return ArnPattern(split_segments(tokens))


CROSSING = (
    "the resource matches only if a `*` at the end of an ARN segment spans later colons, as the current page says"
    " [IAM User Guide, reference_policies_elements_resource]; no answer of AWS is recorded"
)
INNER_CROSSING = (
    "the resource matches only if a wildcard inside an ARN segment spans a colon, which the documentation leaves open"
    " [IAM User Guide, reference_policies_elements_resource]"
)
SERVICE_WILDCARD = (
    "the resource has a wildcard in the service part of its ARN, where none is allowed"
    " [IAM User Guide, reference_policies_elements_resource]"
)


class ResourcePattern:
    """A Resource element without variables, compiled.

    Part by part it matches for certain; with a `*` at the end of a segment spanning colons it matches with a doubt;
    with any other wildcard spanning a colon it is unknown.
    """

    __slots__ = ("_everything", "_loose", "_segments", "_service", "strict")

    def __init__(self, tokens: Tokens) -> None:
        self._everything = tokens == (Wild.MANY,)
        self.strict = compile_arn(tokens)
        self._loose = compile_glob(tokens)
        self._segments = tuple(
            (segment[-1:] == (Wild.MANY,), compile_glob(segment)) for segment in split_segments(tokens, limit=1 << 30)
        )
        segments = split_segments(tokens)
        self._service = len(segments) > 2 and is_wild(segments[2])

    def match(self, arn: str) -> Verdict:
        """Does the pattern cover an ARN?"""
        if self._everything:
            return YES
        parts = split_arn(arn)
        if parts is None:
            return YES if self._loose.matches(arn) else NO
        if self.strict.matches(parts):
            return Verdict(UNKNOWN, (SERVICE_WILDCARD,)) if self._service else YES
        if not self._loose.matches(arn):
            return NO
        if self._service or not self._spans(arn.split(":")):
            return Verdict(UNKNOWN, (SERVICE_WILDCARD if self._service else INNER_CROSSING,))
        return Verdict(Truth.TRUE, (CROSSING,))

    def _spans(self, parts: Sequence[str]) -> bool:
        """Can the segments be laid over the parts if only a `*` at the end of a segment may take further parts?"""
        reachable = {0}
        for ends_wild, glob in self._segments:
            starts = [i for i in reachable if i < len(parts) and glob.matches(parts[i])]
            reachable = {j for i in starts for j in (range(i + 1, len(parts) + 1) if ends_wild else (i + 1,))}
        return len(parts) in reachable


@lru_cache(maxsize=65536)
def compile_resource(tokens: Tokens) -> ResourcePattern:
    """`ResourcePattern(tokens)`, compiled once for all policies that hold the same text."""
    return ResourcePattern(tokens)
