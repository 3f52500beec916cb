"""Where things are, and what their tags are as far as they were collected."""

import re
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.files import ACCOUNT, REGION, Folder, Listing, Problems, Spot, show
from ssmlab.snapshots.schema import TAG, Tags, list_tags, listed

_PLACE: Final = re.compile(f"({ACCOUNT})/({REGION})")
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


class Export:
    """What the tagging API told of a place: tags by ARN. If it is complete, what it does not list has no tags.

    `get-resources.json` may be missing without a word: other calls may tell the tags too.
    """

    def __init__(self, folder: Folder, place: Place) -> None:
        self._problems = folder.problems
        self._found = folder.listing(f"{place.path}/get-resources")
        self._tags = tags_of(self._found, folder.problems)
        self._is_complete = self._found.complete and None not in self._tags.values()

    def merge(self, arn: str, own: Tags | None) -> Tags | None:
        """The tags of a thing, None if they are not known. `own`: what its own service said, which is kept."""
        exported = self._tags.get(arn)
        if own is None:
            return {} if exported is None and self._is_complete else exported
        if exported is not None and exported != own:
            what = f"tags of `{arn}`: kept are {show(own)} of its service, not {show(exported)}"
            self._problems.warning(self._found.spots[arn], what)
        return own


def tags_of(found: Listing, problems: Problems) -> dict[str, Tags | None]:
    """The tags of records by their names; a record without the field `Tags` has none."""
    return {name: read_tags(item.get("Tags", []), spot, problems) for name, item, spot in found.rows()}


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
    columns = pd.Series(list_tags(frame), dtype="str")
    for _, twins in columns.groupby(columns.str.lower()):
        if len(twins) > 1:
            keys = listed(twins.str.removeprefix(TAG))
            what = f"expected tag keys that differ by more than case, got {keys}: to a condition key they are the same"
            problems.warning(Spot("", ", ".join(twins)), what)
