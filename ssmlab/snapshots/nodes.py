"""Managed nodes, and the EC2 instances that are not managed, as columns.

Sources: shapes of botocore's `ssm` and `ec2` services; Systems Manager User Guide, "Setting up AWS Systems Manager".
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.files import Folder, Listing, Spot, show
from ssmlab.snapshots.schema import Tags, listed, make_frame
from ssmlab.snapshots.tags import Export, Place, read_tags, tags_of
from ssmlab.words import say_count

KINDS: Final = ("ec2", "on-premises", "edge", "greengrass", "vm")
NODE_ID: Final = re.compile(r"m?i-[\w-]+", re.ASCII)
_GONE: Final = ("terminated", "shutting-down")
_SOURCE_TYPES: Final = {
    "AWS::EC2::Instance": "ec2",
    "AWS::IoT::Thing": "edge",
    "Microsoft.Compute/virtualMachines": "vm",
    "compute.googleapis.com/Instance": "vm",
}
_PLATFORMS: Final = {None: "Linux", "windows": "Windows"}  # Platform of describe-instances
_FIELDS: Final = {  # column → field of describe-instance-information
    "ping_status": "PingStatus",
    "platform_name": "PlatformName",
    "platform_version": "PlatformVersion",
    "agent_version": "AgentVersion",
    "last_ping": "LastPingDateTime",
    "iam_role": "IamRole",
}
_DEFAULT: Final = "default-ec2-instance-management-role"  # a service setting; `$None` where it is off
# What a count of nanoseconds can tell, and more than any node can.
_EARLIEST, _LATEST = pd.Timestamp("1700-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
_EMPTY: Final[dict[str, Any]] = {}


class NodeRows:
    """The nodes of any number of places, gathered as columns, one frame at the end."""

    def __init__(self, folder: Folder) -> None:
        self._folder, self._problems = folder, folder.problems
        self._columns: dict[str, list[Any]] = defaultdict(list)

    def extend(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add rows: the columns of the frame, `arn`, `tags` (a mapping a row, or None) and `spot` (where it stood)."""
        for name, values in columns.items():
            self._columns[name].extend(values)

    def spots(self) -> dict[str, Spot]:
        """Where each node stood, by ARN."""
        return dict(zip(self._columns["arn"], self._columns["spot"], strict=True))

    def add(self, place: Place, export: Export) -> None:
        """Add the nodes of a place."""
        informed = self._folder.listing(f"{place.path}/describe-instance-information")
        machines = self._folder.listing(f"{place.path}/describe-instances")
        ids = [node_id for node_id in informed.items | machines.items if self._is_usable(node_id, informed, machines)]
        infos = [informed.items.get(node_id, _EMPTY) for node_id in ids]
        instances = [machines.items.get(node_id, _EMPTY) for node_id in ids]
        default = self._default_role(place)
        arns, spots = [place.node_arn(node_id) for node_id in ids], machines.spots | informed.spots
        tags = self._tags(place, export, machines, dict(zip(ids, arns, strict=True)))
        columns: dict[str, list[Any]] = {name: [info.get(field) for info in infos] for name, field in _FIELDS.items()}
        columns |= {
            "arn": arns,
            "spot": [spots[node_id] for node_id in ids],
            "tags": tags,
            "node_id": ids,
            "account": [place.account] * len(ids),
            "region": [place.region] * len(ids),
            "kind": self._kinds(place, ids, infos),
            "platform": [_platform(info, machine) for info, machine in zip(infos, instances, strict=True)],
            "name": [_name(info, own) for info, own in zip(infos, tags, strict=True)],
            "managed": [True if info else False if informed.complete else None for info in infos],
            "instance_profile": [_inner(machine, "IamInstanceProfile", "Arn") for machine in instances],
            "default_role": [default if node_id.startswith("i-") else None for node_id in ids],
            "state": [_inner(machine, "State", "Name") for machine in instances],
        }
        self.extend(columns)

    def frame(self) -> pd.DataFrame:
        """All rows."""
        return make_frame("nodes", self._columns | {"last_ping": self._times(self._columns["last_ping"])})

    def _is_usable(self, node_id: str, informed: Listing, machines: Listing) -> bool:
        state = _inner(machines.items.get(node_id, _EMPTY), "State", "Name")
        if state in _GONE:
            self._problems.warning(machines.spots[node_id], f"`{node_id}` is {state}: left out")
            return False
        if NODE_ID.fullmatch(node_id):
            return True
        spot = informed.spots.get(node_id) or machines.spots[node_id]
        self._problems.error(spot, "an id that starts with `i-` or `mi-`", show(node_id))
        return False

    def _kinds(self, place: Place, ids: list[str], infos: list[dict[str, Any]]) -> list[str]:
        sources = [_SOURCE_TYPES.get(info.get("SourceType", "")) for info in infos]
        kinds = [source or default_kind(node_id) for source, node_id in zip(sources, ids, strict=True)]
        if "edge" not in kinds:
            return kinds
        cores = self._folder.listing(f"{place.path}/list-core-devices").items
        is_core = [kind == "edge" and info.get("SourceId") in cores for kind, info in zip(kinds, infos, strict=True)]
        return ["greengrass" if core else kind for core, kind in zip(is_core, kinds, strict=True)]

    def _default_role(self, place: Place) -> str | None:
        """The role of default host management, path and name; "" where it is off, None: not collected."""
        for spot, body in self._folder.read(f"{place.path}/get-service-setting").values:
            setting = body.get("ServiceSetting") if isinstance(body, dict) else None
            found = setting if isinstance(setting, dict) else {}
            name, value = found.get("SettingId"), found.get("SettingValue")
            if isinstance(name, str) and name.endswith(_DEFAULT) and isinstance(value, str):
                return value.replace("$None", "")
            self._problems.error(spot, f"a ServiceSetting `{_DEFAULT}` with a text as SettingValue", show(setting))
        return None

    def _tags(self, place: Place, export: Export, machines: Listing, arns: dict[str, str]) -> list[Tags | None]:
        """The tags of each node, None where they were not collected."""
        own = tags_of(machines, self._problems)
        for node_id in [node_id for node_id in arns if node_id not in own]:
            for spot, body in self._folder.read(f"{place.path}/list-tags-for-resource/{node_id}").values:
                own[node_id] = read_tags(body.get("TagList") if isinstance(body, dict) else body, spot, self._problems)
        tags = [export.merge(arn, own.get(node_id)) for node_id, arn in arns.items()]
        if unknown := [node_id for node_id, found in zip(arns, tags, strict=True) if found is None]:
            told = f"{say_count(len(unknown), 'node')}: {listed(unknown, 5)}"
            self._problems.warning(Spot(place.path), f"not collected: the tags of {told}")
        return tags

    def _times(self, values: list[Any]) -> Any:
        """Epoch seconds or ISO 8601, as the versions of the CLI print them; rounded to what a float can tell."""
        given = pd.Series(values, dtype="object")
        seconds = pd.to_numeric(given, errors="coerce").astype("float64")
        near = seconds.where(seconds.abs() < _LATEST.timestamp())
        times = pd.to_datetime(near, unit="s", utc=True).dt.round("us").dt.as_unit("ns")
        texts = given[seconds.isna() & given.notna()]
        read = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
        times[texts.index] = read.where(read.between(_EARLIEST, _LATEST))
        for row in given.index[given.notna() & times.isna()]:
            self._problems.error(self._columns["spot"][row], "a time as epoch seconds or ISO 8601", show(values[row]))
        return times.array


def default_kind(node_id: str) -> str:
    """The kind of a node of which only the id is known."""
    return "ec2" if node_id.startswith("i-") else "on-premises"


def _platform(info: Mapping[str, Any], machine: Mapping[str, Any]) -> str | None:
    found = info.get("PlatformType")
    return found or (_PLATFORMS.get(machine.get("Platform")) if machine else None)


def _name(info: Mapping[str, Any], tags: Tags | None) -> str | None:
    return info.get("Name") or (tags or {}).get("Name") or info.get("ComputerName")


def _inner(record: Mapping[str, Any], outer: str, inner: str) -> str | None:
    value = (record.get(outer) or _EMPTY).get(inner)
    return value if isinstance(value, str) else None
