"""Inventories kept by hand: a CSV file of nodes, loose policies, and to whom they are attached."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ssmlab.snapshots.files import ACCOUNT, REGION, Folder, Spot, show
from ssmlab.snapshots.iam import AccessRows, PolicyRow, read_identity
from ssmlab.snapshots.nodes import KINDS, NODE_ID, NodeRows, default_kind
from ssmlab.snapshots.schema import SCHEMAS, TAG, listed
from ssmlab.snapshots.tags import Place

ATTACHMENTS: Final = "attachments.csv"
_REQUIRED: Final = ("node_id", "account", "region")
_ATTACHED: Final = ("principal", "policy")
_FLAGS: Final = {"": True, "true": True, "false": False, "unknown": None}
_TEXTS: Final = tuple(name for name in SCHEMAS["nodes"].columns if name not in ("kind", "managed", "tags_known"))
# Column → what a value must look like, and how that is said.
_SHAPES: Final = {
    "node_id": (NODE_ID, "an id that starts with `i-` or `mi-`"),
    "account": (re.compile(ACCOUNT), "an account id of 12 digits (in the spreadsheet: a column of text)"),
    "region": (re.compile(REGION), "a Region such as `eu-west-1`"),
    "kind": (re.compile("|".join(KINDS)), f"one of {listed(KINDS)}"),
    "managed": (re.compile("true|false", re.IGNORECASE), "`true` or `false`"),
}


def read_inventory(folder: Folder, path: Path, nodes: NodeRows) -> None:
    """Add the nodes of a CSV file: `node_id`, `account`, `region`, and what else there is.

    `managed` defaults to true; an empty cell of a tag means that the tag is absent.
    """
    known, rows, tags = nodes.spots(), list[dict[str, str]](), list[str]()
    for spot, row in _read_table(folder, path, _REQUIRED, (*_REQUIRED, "kind", "managed", *_TEXTS, TAG)):
        tags = tags or [column for column in row if column.startswith(TAG)]
        _drop_damaged(folder, spot, row)
        if not row.keys() >= {*_REQUIRED}:
            continue
        row["arn"] = Place(row["account"], row["region"]).node_arn(row["node_id"])
        if row["arn"] in known:
            kept = " ".join(known[row["arn"]])
            folder.problems.error(spot, "every node once", f"`{row['node_id']}` again; kept is {kept}")
            continue
        known[row["arn"]] = spot
        rows.append(row)
    if rows and not tags:
        folder.problems.warning(Spot(folder.name(path)), "not collected: tags, there is no column `tag:<Key>`")
    columns: dict[str, list[Any]] = {name: [row.get(name) or None for row in rows] for name in ("arn", *_TEXTS)}
    columns |= {
        "spot": [known[row["arn"]] for row in rows],
        "kind": [row.get("kind") or default_kind(row["node_id"]) for row in rows],
        "managed": [_FLAGS[row.get("managed", "").lower()] for row in rows],
        "tags": [{column.removeprefix(TAG): row[column] for column in tags if row[column]} for row in rows],
        "tags_known": [bool(tags)] * len(rows),
    }
    nodes.extend(columns)


def _drop_damaged(folder: Folder, spot: Spot, row: dict[str, str]) -> None:
    """Take cells that cannot be read out of a line. Of a node whose `managed` is damaged it is not known."""
    for column, (shape, words) in _SHAPES.items():
        if (row.get(column) or column in _REQUIRED) and not shape.fullmatch(row[column]):
            folder.problems.error(spot, f"{words} as `{column}`", show(row.pop(column)))
            if column == "managed":
                row[column] = "unknown"


def read_loose_policies(folder: Folder, access: AccessRows) -> None:
    """Add `policies/<name>.json`, attached as `attachments.csv` says: `principal` (an ARN), `policy` (a name)."""
    for path in folder.find("policies/*.json"):
        read_policy(folder, access, path)
    for path in folder.find(ATTACHMENTS) + folder.find(f"policies/{ATTACHMENTS}"):
        for spot, row in _read_table(folder, path, _ATTACHED, _ATTACHED):
            principal = read_identity(row["principal"])
            if principal is None or principal.kind == "group":
                folder.problems.error(spot, "the ARN of a user or role as `principal`", show(row["principal"]))
                continue
            access.principals.setdefault(row["principal"], principal)
            access.attach(row["policy"].removesuffix(".json"), row["principal"], spot)


def read_policy(folder: Folder, access: AccessRows, path: Path) -> None:
    """Add a loose policy; its id is the stem of the file."""
    found = folder.read_file(path) or []
    for spot, body in found:
        if isinstance(body, dict) and len(found) == 1:
            access.add_policy(path.stem, PolicyRow(path.stem, "identity", "", (), body, *spot))
        else:
            folder.problems.error(spot, "a policy as the one JSON object of the file", show(body))


def _read_table(
    folder: Folder, path: Path, required: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[Spot, dict[str, str]]]:
    """The lines of a CSV file as text: place, and column → cell. What cannot be read is noted and left out."""
    lines, problems = _read_lines(folder, path), folder.problems
    spot, names = next(lines, (Spot(folder.name(path)), []))
    header = [name.strip() for name in names]
    if missing := [column for column in required if column not in header]:
        got = f"none named {listed(missing)}" if header else "no header"
        problems.error(spot, f"the columns {listed(required)}", got)
        return
    for column in dict.fromkeys(column for column in header if header.count(column) > 1):
        problems.error(spot, "every column once", f"`{column}` again; the last is kept")
    if unread := [column for column in header if column not in known and not (column.startswith(TAG) and TAG in known)]:
        problems.warning(spot, f"not read: the columns {listed(unread)}, expected {listed(known)}")
    for spot, cells in lines:
        if len(cells) == len(header):
            yield spot, dict(zip(header, cells, strict=True))
        else:
            problems.error(spot, f"{len(header)} cells", str(len(cells)))


def _read_lines(folder: Folder, path: Path) -> Iterator[tuple[Spot, list[str]]]:
    """The lines that are not empty; cells end at commas, or at semicolons if the header has only those."""
    file = folder.name(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        folder.problems.error(Spot(file), "a file of text in UTF-8", str(error))
        return
    head = text.partition("\n")[0]
    separator = ";" if ";" in head and "," not in head else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            folder.problems.error(Spot(file, f"line {lines.line_num}"), "a line of CSV", str(error))
            continue
        if cells:
            yield Spot(file, f"line {lines.line_num}"), cells
