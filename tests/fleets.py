"""A fleet in words, on the policies of the sample: `ok denied*4` is one node that `web-ops` reaches and four it does not."""

from functools import cache
from typing import Any

import pandas as pd

import ssmlab

_MINE = {"tag:Finance": "WebServers"}
# A word → what is special about the node, and how it answers.
_WORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ok": (_MINE, {"output": "hello\n"}),
    "fails": (_MINE, {"exit_code": 7, "error": "no such file\n"}),
    "slow": (_MINE, {"seconds": 100}),
    "hangs": (_MINE, {"seconds": float("inf")}),
    "denied": ({"tag:Finance": "Other"}, {}),
    "untagged": ({}, {}),
    "lowercase": ({"tag:finance": "WebServers"}, {}),
    "windows": (_MINE | {"platform": "Windows"}, {}),
    "offline": (_MINE | {"ping_status": "ConnectionLost"}, {}),
    "unmanaged": (_MINE | {"managed": False, "ping_status": None}, {}),
    "stopped": (_MINE | {"state": "stopped", "ping_status": None}, {}),
    "hybrid": (_MINE | {"kind": "on-premises", "instance_profile": None}, {}),
}
_USUAL = {"account": "123456789012", "region": "eu-west-1", "kind": "ec2", "platform": "Linux", "ping_status": "Online"}
_USUAL |= {"managed": True, "tags_known": True, "name": None, "tag:Fleet": "yes", "state": "running"}
_USUAL |= {"instance_profile": "arn:aws:iam::123456789012:instance-profile/NodeRole"}


@cache
def sample() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@cache
def make_fleet(words: str) -> tuple[ssmlab.Snapshot, dict[str, Any]]:
    """A snapshot of these nodes, numbered from 1, and how they answer, by id."""
    listed = [word for part in words.split() for word in [part.split("*")[0]] * int(part.partition("*")[2] or 1)]
    found = [(_MINE, {"seconds": int(word[8:])}) if word.startswith("seconds=") else _WORDS[word] for word in listed]
    prefix = ["mi" if row.get("kind") else "i" for row, _ in found]
    ids = [f"{kind}-{number:017d}" for number, kind in enumerate(prefix, 1)]
    frame = pd.DataFrame([_USUAL | row | {"node_id": node} for (row, _), node in zip(found, ids, strict=True)])
    places = [
        "ssm:eu-west-1:123456789012:managed-instance" if kind == "mi" else "ec2:eu-west-1:123456789012:instance"
        for kind in prefix
    ]
    frame.index = pd.Index(
        [f"arn:aws:{place}/{node}" for place, node in zip(places, ids, strict=True)], name="arn", dtype="str"
    )
    return sample().replace(nodes=frame), {node: said for node, (_, said) in zip(ids, found, strict=True)}


def send(words: str, *, ids: bool = False, **call: Any) -> "ssmlab.commands.Command":
    """A command to such a fleet, by default from `web-ops`, of AWS-RunShellScript, to all by a tag."""
    snapshot, responses = make_fleet(words)
    if ids:
        call["instance_ids"] = list(snapshot.nodes["node_id"])
    elif "instance_ids" not in call:
        call.setdefault("targets", [{"Key": "tag:Fleet", "Values": ["yes"]}])
    usual = {"principal": "web-ops", "document": "AWS-RunShellScript", "responses": responses}
    return ssmlab.commands.send_command(snapshot, **usual | call)
