"""Documents: AWS's own, those of the accounts, and those shared with them.

Sources: shape of `ssm list-documents`; Systems Manager User Guide, "Sharing SSM documents" and its ARN formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.files import ACCOUNT, Folder, Spot, show
from ssmlab.snapshots.schema import Tags, frame_rows, listed
from ssmlab.snapshots.tags import Export, Place, read_tags

AMAZON: Final = "Amazon"
# What every Region offers; taken to be there where documents were not collected.
WELL_KNOWN: Final = (
    *("AWS-ApplyAnsiblePlaybooks", "AWS-ConfigureAWSPackage", "AWS-GatherSoftwareInventory", "AWS-RunPatchBaseline"),
    *("AWS-RunPowerShellScript", "AWS-RunRemoteScript", "AWS-RunShellScript", "AWS-UpdateSSMAgent"),
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
    content: str | None = None

    def joined(self, other: _Document) -> _Document:
        """One document, seen from two accounts: the owner knows its tags."""
        shared = tuple(sorted({*self.shared_with, *other.shared_with}))
        content = self.content or other.content
        return replace(self if self.tags is not None else other, shared_with=shared, content=content)


def are_usable(documents: pd.DataFrame, account: str) -> pd.Series[bool]:
    """Which documents an account may use: AWS's, its own, and those shared with it."""
    is_shared = documents["shared_with"].map(lambda accounts: account in accounts).astype("bool")
    return documents["account"].isin(["", account]) | is_shared


class DocumentRows:
    """The documents of any number of places, one row an ARN."""

    def __init__(self, folder: Folder) -> None:
        self._folder, self._problems = folder, folder.problems
        self._rows: dict[str, _Document] = {}
        self._listed: set[Place] = set()

    def add(self, place: Place, export: Export) -> None:
        """Add the documents that an account sees in a Region."""
        found = self._folder.listing(f"{place.path}/list-documents")
        if found.complete:
            self._listed.add(place)
        for name, item, spot in found.rows():
            self._add(place, name, item, export, spot)

    def frame(self, places: Iterable[Place]) -> pd.DataFrame:
        """All rows. In places where documents were not listed, the well-known AWS-owned ones are taken to be there."""
        for place in sorted({*places} - self._listed):
            for name in WELL_KNOWN:
                document = _Document(name, AMAZON, "", place.region, "Command", tags={})
                self._rows.setdefault(place.document_arn(name, ""), document)
        frame = frame_rows("documents", self._rows)
        gaps = frame[~frame["tags_known"]].groupby(["account", "region"], observed=True, sort=False)["name"]
        for (account, region), names in gaps:
            self._problems.warning(Spot(f"{account}/{region}"), f"not collected: the tags of documents {listed(names)}")
        return frame

    def _add(self, place: Place, name: str, item: dict[str, Any], export: Export, spot: Spot) -> None:
        owner, short = item.get("Owner"), name.rpartition(":document/")[2]
        if owner != AMAZON and not re.fullmatch(ACCOUNT, owner or ""):
            self._problems.error(spot.below(".Owner"), f"`{AMAZON}` or an account id of 12 digits", show(owner))
            return
        account = "" if owner == AMAZON else str(owner)
        arn = place.document_arn(short, account)
        platforms = tuple(text for text in item.get("PlatformTypes") or () if isinstance(text, str))
        own = read_tags(item["Tags"], spot.below(".Tags"), self._problems) if "Tags" in item else None
        tags = export.merge(arn, own) if account == place.account else None if account else {}
        shared = (place.account,) if account not in ("", place.account) else ()
        kind = item.get("DocumentType")
        content = self._content(place, name)
        document = _Document(short, str(owner), account, place.region, kind, platforms, shared, tags, content)
        self._rows[arn] = self._rows[arn].joined(document) if arn in self._rows else document

    def _content(self, place: Place, name: str) -> str | None:
        """The text of a document's default version, as JSON or YAML; None: not collected, as of those that are shared.

        These are listed by ARN: a file of their short name is of the account's own document.
        """
        for spot, body in self._folder.read(f"{place.path}/get-document/{name}").values:
            return self._problems.text(spot, body, "Content") or None
        return None
