"""Where things are, and what their tags are as far as they were collected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.files import ACCOUNT, REGION, Call, Folder, Problems, Spot, show
from ssmlab.snapshots.schema import TAG, listed

Tags = dict[str, str]
_PLACE: Final = re.compile(f"({ACCOUNT})/({REGION})")
_RESOURCES: Final = Call("ResourceTagMappingList", "ResourceARN")
# Region without its last two words → partition, where it is not `aws`. [botocore's list of partitions]
_PARTITIONS: Final = {
    "cn": "aws-cn", "us-gov": "aws-us-gov", "us-iso": "aws-iso", "us-isob": "aws-iso-b", "eusc-de": "aws-eusc"
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An account and a Region: neither stands in what the calls print."""

    account: str
    region: str

    @property
    def path(self) -> str:
        """The folder of the place."""
        return f"{self.account}/{self.region}"

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return _PARTITIONS.get(self.region.rsplit("-", 2)[0], "aws")

    def node_arn(self, node_id: str) -> str:
        """The ARN that `ssm:SendCommand` checks: EC2 instances have one of EC2, all others one of Systems Manager."""
        service, kind = ("ec2", "instance") if node_id.startswith("i-") else ("ssm", "managed-instance")
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{kind}/{node_id}"

    def document_arn(self, name: str, account: str) -> str:
        """The ARN of a document; that of an AWS-owned one has an empty account."""
        return f"arn:{self.partition}:ssm:{self.region}:{account}:document/{name}"


def find_places(folder: Folder) -> list[Place]:
    """The accounts and Regions that have a folder."""
    return [Place(*match.groups()) for match in map(_PLACE.fullmatch, folder.folders) if match]


@dataclass(frozen=True, slots=True)
class Export:
    """What the tagging API told of a place: tags by ARN. If it is complete, what it does not list has no tags."""

    tags: Mapping[str, Tags]
    spots: Mapping[str, Spot]
    complete: bool

    def merge(self, arn: str, own: Tags | None, problems: Problems) -> Tags | None:
        """The tags of a thing, None if they are not known. `own`: what its own service said, which is kept."""
        exported = self.tags.get(arn)
        if own is None:
            return {} if exported is None and self.complete else exported
        if exported is not None and exported != own:
            problems.warning(
                self.spots[arn], f"tags of `{arn}`: kept are {show(own)} of its service, not {show(exported)}"
            )
        return own


def read_export(folder: Folder, place: Place) -> Export:
    """`get-resources.json` of a place. It may be missing without a word: other calls may tell the tags too."""
    found = folder.records(_RESOURCES, folder.read(f"{place.path}/get-resources"))
    read = {
        arn: read_tags(item.get("Tags", []), found.spots[arn], folder.problems) for arn, item in found.items.items()
    }
    tags = {arn: own for arn, own in read.items() if own is not None}
    return Export(tags, found.spots, found.complete and len(tags) == len(read))


def read_tags(pairs: Any, spot: Spot, problems: Problems) -> Tags | None:
    """A list of `{"Key": …, "Value": …}` as a mapping; None, with a problem noted, if it cannot be read."""
    try:
        if not isinstance(pairs, list):
            raise TypeError
        tags = {pair["Key"]: pair["Value"] for pair in pairs}
        "".join(tags), "".join(tags.values())  # a TypeError for anything but text, at the speed of C
    except (TypeError, KeyError):
        problems.error(spot, "tags as a list of objects with the texts `Key` and `Value`", show(pairs))
        return None
    return tags


def note_case_twins(frame: pd.DataFrame, problems: Problems) -> None:
    """Say so if tag keys differ only by case: they are different tags, but the same condition key.

    Source: IAM User Guide, `reference_policies_elements_condition`.
    """
    found: dict[str, list[str]] = {}
    for column in (name for name in frame.columns if name.startswith(TAG)):
        found.setdefault(column.lower(), []).append(column.removeprefix(TAG))
    for keys in (keys for keys in found.values() if len(keys) > 1):
        what = (
            f"expected tag keys that differ by more than case, got {listed(keys)}: to a condition key they are the same"
        )
        problems.warning(Spot("", ", ".join(TAG + key for key in keys)), what)
