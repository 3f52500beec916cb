"""Other inventories of the same shape: an answer that only fits the one at hand fails in them.

Each is a function of the snapshot. What must be reached is chosen anew in each, by tags and kinds.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import list_tags

_SHIFT: Final = 5
_REGIONS: Final = {"eu-west-1": "us-east-2", "us-east-2": "eu-west-1"}


def move_tags(snapshot: Snapshot) -> Snapshot:
    """Every tag has moved to another node, each key by another distance, so that tags meet that did not meet before."""
    nodes, rows = snapshot.nodes, np.arange(len(snapshot.nodes))
    moved = {name: nodes[name].array[np.roll(rows, number)] for number, name in enumerate(list_tags(nodes), _SHIFT)}
    return snapshot.replace(nodes=nodes.assign(**moved))


def swap_regions(snapshot: Snapshot) -> Snapshot:
    """Every node stands in the other Region."""
    nodes = snapshot.nodes
    regions = nodes["region"].astype(str).replace(_REGIONS)
    both = zip(nodes.index, nodes["region"], regions, strict=True)
    arns = [arn.replace(f":{region}:", f":{other}:") for arn, region, other in both]
    return snapshot.replace(nodes=nodes.assign(region=regions).set_axis(pd.Index(arns, name="arn")))


def add_twins(snapshot: Snapshot) -> Snapshot:
    """Every EC2 instance has a server on premises beside it, with the same tags."""
    nodes = snapshot.nodes
    twins = nodes[nodes["kind"] == "ec2"].assign(kind="on-premises", managed=True)
    return _add(snapshot, [(twins, _to_hybrid)])


def _to_hybrid(arn: str) -> str:
    return _renumber(arn.replace(":ec2:", ":ssm:").replace(":instance/", ":managed-instance/m"), "a")


def add_lookalikes(snapshot: Snapshot) -> Snapshot:
    """For every tag of a node stand two others beside it: there this one tag ends in more, or is in capitals."""
    changes: tuple[Callable[[str], str], ...] = (lambda text: f"{text}2", str.upper)
    more = []
    for number, (name, change) in enumerate(product(list_tags(snapshot.nodes), changes)):
        tagged = snapshot.nodes.dropna(subset=name)
        copies = tagged.assign(**{name: tagged[name].astype(str).map(change)})
        more.append((copies, partial(_renumber, mark=f"b{number:02}")))
    return _add(snapshot, more)


def _renumber(arn: str, mark: str) -> str:
    """The ARN of another node: its id begins with a mark."""
    return re.sub(f"(?<=/)(m?i-).{{{len(mark)}}}", rf"\g<1>{mark}", arn)


def _add(snapshot: Snapshot, more: Sequence[tuple[pd.DataFrame, Callable[[str], str]]]) -> Snapshot:
    """The snapshot with more nodes, each frame under other ARNs, ids and names."""
    frames = [snapshot.nodes]
    for nodes, rename in more:
        arns = [rename(arn) for arn in nodes.index]
        ids = [arn.rpartition("/")[2] for arn in arns]
        names = "copy of " + nodes["name"].fillna(nodes["node_id"]).astype(str)
        frames.append(nodes.assign(node_id=ids, name=names).set_axis(pd.Index(arns, name="arn")))
    plain = dict.fromkeys((*list_tags(snapshot.nodes), "kind"), "object")
    return snapshot.replace(nodes=pd.concat([frame.astype(plain) for frame in frames]))


def add_documents(snapshot: Snapshot) -> Snapshot:
    """Own documents in every place, which carry the tags of nodes: a statement for all resources lets them in."""
    documents = snapshot.documents
    own = documents[documents["account"].astype(str) != ""]
    first = own.groupby([own["account"].astype(str), own["region"].astype(str)]).head(1)
    tags = snapshot.nodes[list_tags(snapshot.nodes)].astype("object").drop_duplicates().reset_index(drop=True)
    plain = first.drop(columns=list_tags(first)).reset_index()
    copies = plain.assign(tags_known=True, key=0).merge(tags.assign(key=0, copy=tags.index), on="key")
    names = [f"own-{number}" for number in copies["copy"]]
    arns = [f"{arn.rpartition('/')[0]}/{name}" for arn, name in zip(copies["arn"], names, strict=True)]
    more = copies.drop(columns=["arn", "key", "copy"]).assign(name=names).set_axis(pd.Index(arns, name="arn"))
    plain_types = dict.fromkeys({*more.columns, *documents.columns} - {"tags_known"}, "object")
    frames = [frame.astype({n: t for n, t in plain_types.items() if n in frame}) for frame in (documents, more)]
    return snapshot.replace(documents=pd.concat(frames))


VARIATIONS: Final[dict[str, Callable[[Snapshot], Snapshot]]] = {
    "where the nodes have changed their tags": move_tags,
    "where the nodes stand in the other Region": swap_regions,
    "with a hybrid node (`mi-`) beside every instance": add_twins,
    "with tags that look alike": add_lookalikes,
    "with own documents that carry the tags of nodes": add_documents,
}
