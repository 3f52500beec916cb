"""`PolicySet`: the policies that apply to a caller, by layer, immutable and compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from ssmlab.policies import Policy, Statement, parse_policy
from ssmlab.words import say_count

Place = tuple[str, int | str]  # layer and level; of a resource policy that allows: "grants" and what Principal names
DENY: Final[Place] = ("deny", 0)
Document = Policy | Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class Applied:
    """A statement in the layer and policy in which it applies; `level`: of the organisation, root is 0."""

    layer: str
    level: int
    policy: str
    statement: Statement
    place: Place

    @property
    def sid(self) -> str:
        """The statement's Sid, empty if it has none."""
        return self.statement.sid

    @property
    def index(self) -> int:
        """The statement's place in its policy, from 0."""
        return self.statement.index

    def __str__(self) -> str:
        return f"{self.layer} policy {self.policy}, statement {self.sid or self.index + 1}"


def place_of(layer: str, level: int, statement: Statement) -> Place:
    """Where a statement counts: those of one place are alternatives. What has no readable Effect may be a Deny."""
    return (layer, level) if statement.effect == "Allow" else DENY


@dataclass(frozen=True, init=False, repr=False, eq=False)
class PolicySet:
    """The policies that apply to a caller, immutable and compiled once.

    Parameters
    ----------
    identity, boundary, session
        Documents (dict, JSON text or `Policy`); None for boundary and session: there is none.
    scps, rcps
        One list of documents a level, root first; None: no organisation.
    resource
        The resource's own policy, or a role's trust policy.

    Raises
    ------
    PolicyError
        For a document that is no JSON object.

    Examples
    --------
    >>> import ssmlab
    >>> allow = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
    >>> ssmlab.PolicySet(identity=[{"Version": "2012-10-17", "Statement": allow}], scps=[[], []])
    PolicySet(identity: 1 policy, scps: 2 levels)
    """

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    session: tuple[Policy, ...] | None
    scps: tuple[tuple[Policy, ...], ...] | None
    rcps: tuple[tuple[Policy, ...], ...] | None
    resource: tuple[Policy, ...]
    _by_action: dict[str, tuple[Applied, ...]]

    def __init__(
        self,
        identity: Iterable[Document] = (),
        boundary: Iterable[Document] | None = None,
        session: Iterable[Document] | None = None,
        scps: Iterable[Iterable[Document]] | None = None,
        rcps: Iterable[Iterable[Document]] | None = None,
        resource: Document | None = None,
    ) -> None:
        layers = {
            "identity": _compile_all(identity, "identity"),
            "boundary": None if boundary is None else _compile_all(boundary, "boundary"),
            "session": None if session is None else _compile_all(session, "session"),
            "scps": None if scps is None else tuple(_compile_all(level, "scp") for level in scps),
            "rcps": None if rcps is None else tuple(_compile_all(level, "rcp") for level in rcps),
            "resource": () if resource is None else _compile_all([resource], "resource"),
        }
        self.__dict__.update(layers, _by_action={})

    def __repr__(self) -> str:
        told = [
            f"{name}: {say_count(len(value), 'level' if name in ('scps', 'rcps') else 'policy')}"
            for name, value in vars(self).items()
            if value is not None and name[0] != "_" and (value or name != "resource")
        ]
        return f"PolicySet({', '.join(told)})"

    def relevant(self, action: str) -> tuple[Applied, ...]:
        """The statements whose Action covers an action, with their layer; found once per action."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(applied for applied in self._applied if applied.statement.covers_action(action))
            self._by_action[action] = found
        return found

    @cached_property
    def _applied(self) -> tuple[Applied, ...]:
        return tuple(
            Applied(layer, level, policy.name, statement, place_of(layer, level, statement))
            for layer, level, policies in self._levels()
            for policy in policies
            for statement in policy.statements
        )

    def with_policy(self, document: Document, layer: str = "identity", level: int = 0) -> PolicySet:
        """A copy with one policy more in a layer."""
        added = _compile_all([document], layer)
        return self._edit(lambda *place: place[2] + added if place[:2] == (layer, level) else place[2])

    def without(self, statement: Statement) -> PolicySet:
        """A copy without a statement, in whatever layers its policy stands."""

        def cut(_layer: str, _level: int, policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
            kept = (tuple(s for s in policy.statements if s is not statement) for policy in policies)
            return tuple(replace(policy, statements=left) for policy, left in zip(policies, kept, strict=True))

        return self._edit(cut)

    def _edit(self, edit: Callable[[str, int, tuple[Policy, ...]], tuple[Policy, ...]]) -> PolicySet:
        changed = copy(self)
        changed.__dict__["_by_action"] = {}
        changed.__dict__.pop("_applied", None)
        for layer in ("identity", "boundary", "session", "resource"):
            policies = getattr(self, layer)
            changed.__dict__[layer] = None if policies is None else edit(layer, 0, policies)
        for layer, levels in (("scps", self.scps), ("rcps", self.rcps)):
            every = None if levels is None else tuple(edit(layer[:-1], n, level) for n, level in enumerate(levels))
            changed.__dict__[layer] = every
        return changed

    def _levels(self) -> Iterable[tuple[str, int, tuple[Policy, ...]]]:
        yield "identity", 0, self.identity
        yield "boundary", 0, self.boundary or ()
        yield "session", 0, self.session or ()
        for level, policies in enumerate(self.scps or ()):
            yield "scp", level, policies
        for level, policies in enumerate(self.rcps or ()):
            yield "rcp", level, policies
        yield "resource", 0, self.resource


def _compile_all(documents: Iterable[Document], layer: str) -> tuple[Policy, ...]:
    if isinstance(documents, tuple) and all(isinstance(document, Policy) for document in documents):
        return documents
    listed = [documents] if isinstance(documents, str | Mapping | Policy) else list(documents)
    return tuple(
        document if isinstance(document, Policy) else parse_policy(document, name=f"{layer}[{number}]", layer=layer)
        for number, document in enumerate(listed)
    )
