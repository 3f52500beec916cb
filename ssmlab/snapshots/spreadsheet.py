"""Inventories kept by hand: a CSV file of nodes, loose policies, and to whom they are attached."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ssmlab.snapshots.files import ACCOUNT, REGION, Folder, Spot, show
from ssmlab.snapshots.iam import AccessRows, read_identity
from ssmlab.snapshots.nodes import KINDS, NODE_ID, NodeRows, default_kind
from ssmlab.snapshots.schema import SCHEMAS, TAG, Tags, listed
from ssmlab.snapshots.tags import Place
from ssmlab.words import say_count

ATTACHMENTS: Final = "attachments.csv"
_REQUIRED: Final = ("node_id", "account", "region")
_ATTACHED: Final = ("principal", "policy")
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
    known, rows = nodes.spots(), dict[str, dict[str, Any]]()
    for spot, row in _read_table(folder, path, _REQUIRED, (*_REQUIRED, "kind", "managed", *_TEXTS, TAG)):
        arn = Place(row["account"], row["region"]).node_arn(row["node_id"])
        if arn in known:
            got = f"`{row['node_id']}` again; kept is {' '.join(known[arn])}"
            folder.problems.error(spot, "every node once", got)
        else:
            rows[arn], known[arn] = row, spot
    has_tags = any(column.startswith(TAG) for row in rows.values() for column in row)
    if rows and not has_tags:
        folder.problems.warning(Spot(folder.name(path)), "not collected: tags, there is no column `tag:<Key>`")
    columns: dict[str, list[Any]] = {name: [row.get(name) or None for row in rows.values()] for name in _TEXTS}
    columns |= {
        "arn": list(rows),
        "spot": [known[arn] for arn in rows],
        "kind": [row.get("kind") or default_kind(row["node_id"]) for row in rows.values()],
        "managed": [_is_managed(row.get("managed", "")) for row in rows.values()],
        "tags": [_tags(row) if has_tags else None for row in rows.values()],
    }
    nodes.extend(columns)


def _is_managed(cell: str | None) -> bool | None:
    """Of a node whose cell is damaged it is not known."""
    return None if cell is None else cell.lower() != "false"


def _tags(row: dict[str, Any]) -> Tags:
    return {column.removeprefix(TAG): cell for column, cell in row.items() if cell and column.startswith(TAG)}


def read_loose_policies(folder: Folder, access: AccessRows) -> None:
    """Add `policies/<name>.json`, attached as `attachments.csv` says: `principal` (an ARN), `policy` (a name)."""
    paths, tables = folder.find("policies/*.json"), folder.find(ATTACHMENTS) + folder.find(f"policies/{ATTACHMENTS}")
    for path in paths:
        read_policy(folder, access, path)
    for path in tables:
        for spot, row in _read_table(folder, path, _ATTACHED, _ATTACHED):
            if (principal := read_identity(row["principal"])) is None:
                folder.problems.error(spot, "the ARN of a user or role as `principal`", show(row["principal"]))
                continue
            access.principals.setdefault(row["principal"], principal)
            access.attach(row["policy"].removesuffix(".json"), spot, row["principal"])
    read = [path.stem for path in paths if path.stem in access.policies]
    if idle := [name for name in read if not access.policies[name].attached_to]:
        spot = Spot(folder.name(tables[0]) if tables else ATTACHMENTS)
        told = f"{say_count(len(idle), 'policy')} attached to nobody: {listed(idle, 5)}"
        folder.problems.warning(spot, told if tables else f"there is no such file: {told}")


def read_policy(folder: Folder, access: AccessRows, path: Path) -> None:
    """Add a loose policy; its id is the stem of the file."""
    found = folder.read_file(path) or []
    for spot, body in found:
        if isinstance(body, dict) and len(found) == 1:
            access.attach(path.stem, spot, document=body)
        else:
            folder.problems.error(spot, "a policy as the one JSON object of the file", show(body))


def _read_table(
    folder: Folder, path: Path, required: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[Spot, dict[str, Any]]]:
    """The lines of a CSV file: place, and column → cell, None if it cannot be read.

    What cannot be read is noted; lines without a required cell are left out.
    """
    lines, problems = read_lines(folder, path), folder.problems
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
        if len(cells) != len(header):
            problems.error(spot, say_count(len(header), "cell"), str(len(cells)))
            continue
        pairs = zip(header, cells, strict=True)
        row: dict[str, Any] = {name: cell if name.startswith(TAG) else cell.strip() for name, cell in pairs}
        for column, (shape, words) in _SHAPES.items():
            if (row.get(column) or column in required) and not shape.fullmatch(row[column]):
                problems.error(spot, f"{words} as `{column}`", show(row[column]))
                row[column] = None
        if all(row[column] is not None for column in required):
            yield spot, row


def read_lines(folder: Folder, path: Path) -> Iterator[tuple[Spot, list[str]]]:
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
            cells = next(lines, None)
        except csv.Error as error:
            folder.problems.error(Spot(file, f"line {lines.line_num}"), "a line of CSV", str(error))
            continue
        if cells is None:
            return
        if cells:
            yield Spot(file, f"line {lines.line_num}"), cells
