"""`Snapshot`: what was loaded, as frames; changed copies of it; the policies that bind a principal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ssmlab.policies import Policy, parse_policy
from ssmlab.snapshots.bodies import to_object
from ssmlab.snapshots.changes import describe_unknown, put_policy, put_principals, set_tags
from ssmlab.snapshots.iam import AS_BOUNDARY, PolicyRow
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.schema import SCHEMAS, TAG, conform, list_tags, listed
from ssmlab.snapshots.statements import compile_policies, list_statements
from ssmlab.snapshots.storage import write_frames
from ssmlab.words import say_count

# Not bound by policies of the organization. [Organizations User Guide, orgs_manage_policies_scps]
_SERVICE_LINKED: Final = "/aws-service-role/"
_ORGANIZATION: Final = ("scp", "rcp")
_LAYERS: Final = ("identity", "boundary", *_ORGANIZATION)
_BINDING: Final = ("account", "path", "groups", "boundary")  # what tells which policies bind a principal
Document = Mapping[str, Any] | str
Levels = tuple[tuple[Policy, ...], ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """The policies that bind a principal; None: there is no such layer. `scps`, `rcps`: a tuple a level, root first."""

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    scps: Levels | None
    rcps: Levels | None


def _read_tag(column: pd.Series[Any]) -> pd.DataFrame:
    values, key = column.dropna(), str(column.name).removeprefix(TAG)
    return pd.DataFrame({"arn": values.index, "key": key, "value": values.astype("str").array})


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """What was loaded, as pandas frames.

    Attributes
    ----------
    nodes, documents, principals
        Index `arn`. Tags are columns `tag:<Key>`; missing means that the tag is absent or, where `tags_known` is false,
        not known.
    policies
        Index `policy`. `document` None: not collected; what it allows and denies is unknown.
    organization
        The levels of each account, root first: `account`, `level`, `target`, `scp`, `rcp`. An account without levels is
        in no organization, or not bound by it.
    noted
        What was noted in loading; `problems` adds what is wrong with the policies.
    compiled
        The policies by id, parsed once; a changed copy shares those that did not change.
    memory
        What was worked out from these frames; changed copies share it, so that a what-if does again only what it must.
    """

    principals: pd.DataFrame
    policies: pd.DataFrame
    nodes: pd.DataFrame
    documents: pd.DataFrame
    organization: pd.DataFrame
    noted: pd.DataFrame
    management_account: str | None
    compiled: Mapping[str, Policy]
    memory: Memory = field(default_factory=Memory)

    @classmethod
    def compile(cls, **frames: Any) -> Snapshot:
        """A snapshot from its frames."""
        policies = frames["policies"]
        return cls(**frames, compiled=compile_policies(policies, policies[:0], {}))

    def __repr__(self) -> str:
        counts = {"node": self.nodes, "document": self.documents, "principal": self.principals}
        counts |= {"policy": self.policies, "problem": self.problems}
        return f"Snapshot({', '.join(say_count(len(frame), name) for name, frame in counts.items())})"

    @cached_property
    def problems(self) -> pd.DataFrame:
        """What was skipped, is doubtful or was not collected: columns `file`, `where`, `severity`, `what`."""
        rows = [
            (file, where + problem.where[1:], "error", f"policy `{policy}`: {problem.what}")
            for policy, file, where in self.policies[["file", "where"]].itertuples()
            for problem in self.compiled[policy].problems
        ]
        found = pd.DataFrame(rows, columns=self.noted.columns, dtype="str")
        return pd.concat([self.noted, found], ignore_index=True)

    @cached_property
    def statements(self) -> pd.DataFrame:
        """A row a statement, to be read by people: columns `policy`, `index`, `sid`, `effect`, `layer`, `attached_to`,
        `actions`, `resources`, `conditions`, and `problem`, empty if nothing is wrong.
        """
        return list_statements(self.policies, self.compiled)

    @cached_property
    def condition_keys(self) -> dict[str, str]:
        """The condition keys that the policies read, also as variables: in lower case → as they are written."""
        statements = [statement for policy in self.compiled.values() for statement in policy.statements]
        conditions = [condition for statement in statements for condition in statement.conditions]
        variables = {key: key for statement in statements for key in statement.resource_keys}
        variables |= {key: key for condition in conditions for key in condition.keys}
        return variables | {condition.key.lower(): condition.key for condition in conditions}

    @cached_property
    def tags(self) -> pd.DataFrame:
        """The tags of nodes and documents: columns `arn`, `key`, `value`."""
        columns = [frame[name] for frame in (self.nodes, self.documents) for name in list_tags(frame)]
        empty = pd.DataFrame(columns=["arn", "key", "value"], dtype="str")
        return pd.concat([empty, *map(_read_tag, columns)], ignore_index=True)

    def attached(self, principal: str) -> Attached:
        """The policies that bind a principal, given by its ARN.

        The identity policies of a user are its own and those of its groups. A policy that was not collected is a
        `Policy.unknown`.

        Raises
        ------
        KeyError
            For an ARN that is not in `principals`, with the nearest ones.
        """
        if principal not in self._attached:
            raise KeyError(describe_unknown("principal", principal, self._attached))
        return self._attached[principal]

    @cached_property
    def _attached(self) -> dict[str, Attached]:
        of: dict[tuple[str, str], list[str]] = {}
        for policy, layer, targets in self.policies[["layer", "attached_to"]].itertuples():
            for target in targets:
                of.setdefault((layer, target), []).append(policy)
        scps, rcps = self._levels("scp", of), self._levels("rcp", of)
        found = {}
        for arn, account, path, groups, boundary in self.principals[list(_BINDING)].itertuples():
            own = dict.fromkeys(policy for owner in (arn, *groups) for policy in of.get(("identity", owner), ()))
            identity = tuple(self.compiled[policy] for policy in own)
            levels = (None, None) if path.startswith(_SERVICE_LINKED) else (scps.get(account), rcps.get(account))
            found[arn] = Attached(identity, (self._boundary(boundary),) if boundary else None, *levels)
        return found

    def _boundary(self, policy: str) -> Policy:
        """A boundary by the policy's id; one that is attached as an identity policy too has a row of its own."""
        return self.compiled.get(policy + AS_BOUNDARY) or self.compiled.get(policy) or Policy.unknown(policy)

    def _levels(self, layer: str, of: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, Levels]:
        bound = self.organization[self.organization[layer]].sort_values(["account", "level"])

        def find(target: str) -> tuple[Policy, ...]:
            return tuple(self.compiled[policy] for policy in of.get((layer, target), ()))

        return {str(account): tuple(map(find, chain)) for account, chain in bound.groupby("account")["target"]}

    def replace(self, **frames: pd.DataFrame) -> Snapshot:
        """A copy with other `nodes`, `documents`, `principals` or `policies`. Only policies that changed are compiled.

        Raises
        ------
        ValueError
            For another frame, an index that does not fit, a missing column, or a row that stands twice.
        """
        if unknown := [name for name in frames if name not in SCHEMAS]:
            derived = " (`statements` follow from `policies`)" if "statements" in unknown else ""
            raise ValueError(f"expected frames among {listed(SCHEMAS)}, got {listed(unknown)}{derived}")
        changed: dict[str, Any] = {name: conform(name, frame) for name, frame in frames.items()}
        if "policies" in changed:
            changed["compiled"] = compile_policies(changed["policies"], self.policies, self.compiled)
        return dataclasses.replace(self, **changed)

    def with_tags(self, nodes: str | Iterable[str], tags: Mapping[str, str | None]) -> Snapshot:
        """A copy in which nodes, given by ARN or id, have other tags; None removes a tag, an empty text is a value.

        Raises
        ------
        KeyError
            For a node that is not known, with the nearest ones, or an id that several nodes have.

        Examples
        --------
        >>> import ssmlab
        >>> changed = ssmlab.load("data/sample").with_tags("i-0123456789abcdef0", {"Finance": "Ledger"})
        >>> ssmlab.reach(changed).outcome("web-ops", "i-0123456789abcdef0", "AWS-RunShellScript").value
        'implicitDeny'
        """
        return self.replace(nodes=set_tags(self.nodes, [nodes] if isinstance(nodes, str) else nodes, tags))

    def with_policy(
        self, document: Document, *, name: str, principal: str | Iterable[str] | None = None, layer: str = "identity"
    ) -> Snapshot:
        """A copy with one more policy, or with another document in that of this name, which stays attached as it was.

        Parameters
        ----------
        document
            An object, JSON text or URL-encoded JSON text.
        principal
            ARNs to attach it to: users, roles, groups; a user or role that is missing is added. In the layers "scp" and
            "rcp": ids of the root, of units or of accounts.
        layer
            "identity", "boundary", "scp" or "rcp".

        Raises
        ------
        PolicyError
            For a text that is no JSON object.
        KeyError, ValueError
            For a principal or a layer that cannot be.
        """
        if layer not in _LAYERS:
            raise ValueError(f"expected a layer of {listed(_LAYERS)}, got `{layer}`")
        parse_policy(document, name=name, layer=layer)
        targets = (principal,) if isinstance(principal, str) else tuple(principal or ())
        principals, known = self.principals, set(self.organization["target"])
        if layer not in _ORGANIZATION:
            principals = put_principals(principals, targets)
        elif unknown := [target for target in targets if target not in known]:
            raise KeyError(describe_unknown("root, unit or account", unknown[0], known))
        if layer == "boundary":
            boundary = principals["boundary"].mask(principals.index.isin(targets), name)
            principals = principals.assign(boundary=boundary)
        row = PolicyRow(name, layer, attached_to=targets, document=to_object(document))
        return self.replace(principals=principals, policies=put_policy(self.policies, row))

    def to_parquet(self, path: str | Path) -> None:
        """Write a folder of Parquet files, one a frame, that `load` reads again."""
        frames = {name: getattr(self, name) for name in (*SCHEMAS, "organization", "noted")}
        write_frames(Path(path), frames, self.management_account)


def expect_snapshot(given: object) -> None:
    """Refuse what is no snapshot, such as the path of one."""
    if not isinstance(given, Snapshot):
        raise TypeError(f"expected a snapshot, as `ssmlab.load(path)` gives it, got `{given!s:.80}`")
