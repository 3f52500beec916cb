"""Documents: AWS's own, those of the accounts, and those shared with them.

Sources: shape of `ssm list-documents`; Systems Manager User Guide, "Sharing SSM documents" and its ARN formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.files import ACCOUNT, LIST, TEXT, Call, Folder, Problems, Spot, show
from ssmlab.snapshots.schema import listed, make_frame
from ssmlab.snapshots.tags import Export, Place, Tags, read_tags

AMAZON: Final = "Amazon"
# What every Region offers; taken to be there where documents were not collected.
WELL_KNOWN: Final = (
    "AWS-ApplyAnsiblePlaybooks",
    "AWS-ConfigureAWSPackage",
    "AWS-GatherSoftwareInventory",
    "AWS-RunPatchBaseline",
    "AWS-RunPowerShellScript",
    "AWS-RunRemoteScript",
    "AWS-RunShellScript",
    "AWS-UpdateSSMAgent",
)
_DOCUMENTS: Final = Call(
    "DocumentIdentifiers",
    "Name",
    {"Owner": TEXT, "DocumentType": TEXT, "PlatformTypes": LIST},
    lost="AWS-owned documents are assumed, others are missing",
)


@dataclass(frozen=True, slots=True)
class _Document:
    name: str
    owner: str
    account: str
    region: str
    document_type: str | None
    platforms: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()
    tags: Tags | None = None

    def joined(self, other: _Document) -> _Document:
        """One document, seen from two accounts: the owner knows its tags."""
        shared = tuple(sorted({*self.shared_with, *other.shared_with}))
        return replace(self if self.tags is not None else other, shared_with=shared)


class DocumentRows:
    """The documents of any number of places, one row an ARN."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._rows: dict[str, _Document] = {}
        self._assumed: list[Place] = []

    def add(self, folder: Folder, place: Place, export: Export) -> None:
        """Add the documents that an account sees in a Region."""
        call = f"{place.path}/list-documents"
        found = folder.listing(_DOCUMENTS, call)
        if not found.complete:
            self.assume([place])
        for name, item in found.items.items():
            self._add(place, name, item, export, found.spots[name])

    def assume(self, places: Iterable[Place]) -> None:
        """Take the well-known AWS-owned documents to be in these places, unless a list of documents says better."""
        self._assumed += places

    def frame(self) -> pd.DataFrame:
        """All rows."""
        for place in self._assumed:
            for name in WELL_KNOWN:
                document = _Document(name, AMAZON, "", place.region, "Command", tags={})
                self._rows.setdefault(place.document_arn(name, ""), document)
        rows = self._rows.values()
        for account, region in dict.fromkeys((row.account, row.region) for row in rows if row.tags is None):
            gaps = [row.name for row in rows if row.tags is None and (row.account, row.region) == (account, region)]
            self._problems.warning(Spot(f"{account}/{region}"), f"not collected: the tags of documents {listed(gaps)}")
        names = ("name", "owner", "account", "region", "platforms", "document_type", "shared_with")
        columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in names}
        columns["tags_known"] = [row.tags is not None for row in rows]
        return make_frame("documents", list(self._rows), columns, [row.tags or {} for row in rows])

    def _add(self, place: Place, name: str, item: dict[str, Any], export: Export, spot: Spot) -> None:
        owner, short = item.get("Owner"), name.rpartition(":document/")[2]
        if owner != AMAZON and not re.fullmatch(ACCOUNT, owner or ""):
            self._problems.error(spot.below(".Owner"), f"`{AMAZON}` or an account id of 12 digits", show(owner))
            return
        account = "" if owner == AMAZON else str(owner)
        arn = place.document_arn(short, account)
        platforms = tuple(text for text in item.get("PlatformTypes") or () if isinstance(text, str))
        own = read_tags(item["Tags"], spot.below(".Tags"), self._problems) if "Tags" in item else None
        tags = export.merge(arn, own, self._problems) if account == place.account else None if account else {}
        shared = (place.account,) if account not in ("", place.account) else ()
        kind = item.get("DocumentType")
        document = _Document(short, str(owner), account, place.region, kind, platforms, shared, tags)
        self._rows[arn] = self._rows[arn].joined(document) if arn in self._rows else document
