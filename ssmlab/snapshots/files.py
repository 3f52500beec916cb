"""Files nobody vouches for: damage becomes a row of `Problems` and never loses the rest.

Nothing outside the folder is read. Which calls of the AWS CLI have a file stands in `calls.json`, a call a line: what
it prints, and what is not known without it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import pandas as pd

from ssmlab.policies import RepeatedKeys, read_json
from ssmlab.policies.json_text import drop_halves
from ssmlab.words import shorten

ACCOUNT: Final = r"[0-9]{12}"
REGION: Final = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+"
_SPREADSHEET: Final = re.compile(r"policies|policies/[^/]+\.(json|csv)|[^/]+\.csv")  # what `spreadsheet` reads
_PAGE: Final = re.compile(r"(.+/get-document/.+|.+?)(?:\.([0-9]+))?\.json")  # a document's name may end in a number
_TOKENS: Final = ("NextToken", "nextToken", "PaginationToken", "Marker")

# What is expected of a field, as a message says it → the types it may have; null is as good as no field.
_TYPES: Final = {
    "a text": frozenset({str, type(None)}),
    "a list": frozenset({list, type(None)}),
    "an object": frozenset({dict, RepeatedKeys, type(None)}),
    "a time": frozenset({str, int, float, Decimal, type(None)}),
}


class LoadError(ValueError):
    """Nothing could be loaded: the file, the place in it, what was expected and what was got."""

    def __init__(self, file: str, where: str, expected: str, got: str) -> None:
        super().__init__(file, where, expected, got)
        self.file, self.where, self.expected, self.got = file, where, expected, got

    def __str__(self) -> str:
        return f"`{self.file}`{f' at {self.where}' if self.where else ''}: expected {self.expected}, got {self.got}"


class Spot(NamedTuple):
    """A file, and a JSON path or a line in it."""

    file: str
    where: str = ""

    def below(self, path: str) -> Spot:
        """A place further down the JSON path."""
        return Spot(self.file, self.where + path)


class Problems:
    """What was skipped, is doubtful or was not collected; each said once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str, str], None] = {}
        self.first: LoadError | None = None

    def error(self, spot: Spot, expected: str, got: str) -> None:
        """Take note of something that is skipped."""
        self.first = self.first or LoadError(*spot, expected, got)
        self._rows[*spot, "error", f"expected {expected}, got {got}"] = None

    def warning(self, spot: Spot, what: str) -> None:
        """Take note of something doubtful or not collected."""
        self._rows[*spot, "warning", what] = None

    def text(self, spot: Spot, record: Any, *keys: str) -> str:
        """The text in a record by keys such as `Policy`, `Content`, or the record itself. "" if noted as none."""
        found = record
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
        self.error(spot, f"an object with a text `{'.'.join(keys)}`" if keys else "a text", show(record))
        return ""

    def frame(self) -> pd.DataFrame:
        """All rows, in the order of loading: columns `file`, `where`, `severity`, `what`."""
        return pd.DataFrame(list(self._rows), columns=["file", "where", "severity", "what"], dtype="str")


def show(value: Any) -> str:
    """What was got, shortened, for a message."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`{shorten(text, 80)}`"


@dataclass(frozen=True, slots=True)
class Call:
    """The records that a call prints.

    Attributes
    ----------
    records
        The list they stand in; "Reservations.Instances" is a list inside each element of another.
    key
        The field that names a record.
    fields
        What is expected of other fields that are read, such as "a text".
    lost
        What is not known without the call; empty if other calls may tell it too.
    """

    records: str = ""
    key: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""


def _pattern(path: str) -> str:
    return path.format(account=ACCOUNT, region=REGION, thing=r"[\s\S]+")


_TABLE: Final = orjson.loads(Path(__file__).with_name("calls.json").read_bytes())
# Path of a call, without `.json` → what it prints; a call made once per thing is a folder.
_CALLS: Final = {_pattern(path): Call(**row) for path, row in _TABLE.items()}
_FILE: Final = re.compile("|".join(_CALLS))
_FOLDER: Final = re.compile("|".join(_pattern(path.rpartition("/")[0]) for path in _TABLE))


@dataclass(slots=True)
class Listing:
    """Records by name, and where each one stood; not `complete` if not collected or if a part was lost."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    spots: dict[str, Spot] = field(default_factory=dict)
    complete: bool = True

    def rows(self) -> Iterator[tuple[str, dict[str, Any], Spot]]:
        """Name, record and place of each."""
        return zip(self.items, self.items.values(), self.spots.values(), strict=True)


@dataclass(frozen=True, slots=True)
class Pages:
    """The JSON values of a file and of its further pages, and where each one stood."""

    values: list[tuple[Spot, Any]]
    complete: bool


class Folder:
    """The files of a folder.

    Attributes
    ----------
    files
        Path of a call, such as "123456789012/eu-west-1/list-documents" → page number → files: `NAME.json` may stand
        beside `NAME.0.json`.
    folders
        The folders of the layout that are there, by path.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.problems = root.resolve(), Problems()
        self.files: dict[str, dict[int, list[Path]]] = {}
        self.folders: list[str] = []

    def scan(self) -> None:
        """Find the files of CLI output; `NAME.1.json` is a page of `NAME`. Others are noted as not read."""
        for path in sorted(self.root.rglob("*")):
            name, above = self.name(path), self.name(path.parent)
            page = _PAGE.fullmatch(name)
            call = page[1] if page else ""
            if self._is_link(path):
                continue
            if path.is_dir() and _FOLDER.fullmatch(name):
                self.folders.append(name)
            elif path.is_file() and _FILE.fullmatch(call):
                self.files.setdefault(call, {}).setdefault(int(page[2] or 0) if page else 0, []).append(path)
            elif above in ("", *self.folders) and not path.name.startswith(".") and not _SPREADSHEET.fullmatch(name):
                wanted = "an account id of 12 digits, a Region or a call of the AWS CLI"
                self.problems.warning(Spot(name), f"not read: expected {wanted}, got `{path.name}`")

    def find(self, pattern: str) -> list[Path]:
        """The files of other kinds, by pattern."""
        return [path for path in sorted(self.root.glob(pattern)) if not self._is_link(path.parent, path)]

    def _is_link(self, *paths: Path) -> bool:
        links = [path for path in paths if path.is_symlink()]
        for path in links:
            self.problems.error(Spot(self.name(path)), "a file or folder", "a link, and links are not followed")
        return bool(links)

    def accounts(self) -> list[str]:
        """The accounts that have a folder."""
        return [folder for folder in self.folders if re.fullmatch(ACCOUNT, folder)]

    def name(self, path: Path) -> str:
        """The path below the folder, for a message."""
        below = path.relative_to(self.root).as_posix()
        return "" if below == "." else os.fsencode(below).decode(errors="replace")

    def read(self, call: str, *, exact: bool = False) -> Pages:
        """The pages of a call, none if it was not collected. `exact`: see repeated keys, keep numbers exact."""
        if call not in self.files:
            return Pages([], complete=False)
        first, *rest = pages = sorted(self.files[call])
        read = [self.read_file(file, exact=exact) for page in pages for file in self.files[call][page]]
        values = [value for found in read for value in found or ()]
        last = values[-1][1] if values else None
        has_more = isinstance(last, dict) and any(last.get(token) for token in _TOKENS)
        # NAME.json may stand before NAME.1.json, or be the first page itself.
        is_whole = first <= 1 and rest in (list(range(1, len(pages))), list(range(2, len(pages) + 1)))
        if has_more or not is_whole:
            self.problems.warning(Spot(f"{call}.json"), "not collected: a further page, and what it holds")
        return Pages(values, is_whole and not has_more and None not in read)

    def read_file(self, path: Path, *, exact: bool = True) -> list[tuple[Spot, Any]] | None:
        """The JSON values of one file, and where each one stood; None, with a problem noted, if it is no JSON."""
        file = self.name(path)
        try:
            values = _parse(data := path.read_bytes(), exact=exact)
        except OSError as error:
            self.problems.error(Spot(file), "a file that can be read", str(error.strerror))
        except UnicodeError as error:
            self.problems.error(Spot(file), "text in UTF-8", str(error))
        except json.JSONDecodeError as error:
            got = f"{error.msg} in column {error.colno}" if error.doc else "an empty file"
            self.problems.error(Spot(file, f"line {error.lineno}"), "JSON", got)
        else:
            spots = [Spot(file, "$" if len(values) == 1 else f"$[{n}]") for n in range(len(values))]
            for number, place in drop_halves(values) if b"\\" in data else ():
                self.problems.error(spots[number].below(place), "text in UTF-8", "half of a surrogate pair")
            return [*zip(spots, values, strict=True)]
        return None

    def listing(self, path: str) -> Listing:
        """The records of a call of the table; what cannot be used is noted and left out."""
        call = next(call for pattern, call in _CALLS.items() if re.fullmatch(pattern, path))
        if call.lost and path not in self.files:
            self.problems.warning(Spot(f"{path}.json"), f"not collected: {call.lost}")
        return self.records(call, self.read(path))

    def records(self, call: Call, pages: Pages) -> Listing:
        """The records of a call in its pages."""
        found, records = Listing(complete=pages.complete), iter(pages.values)
        for name in call.records.split("."):
            records = self._elements(found, records, name)
        for spot, record in records:
            key = self.problems.text(spot, record, call.key)
            found.complete &= key != ""
            if key in found.items:
                got = f"`{key}` again; kept is {' '.join(found.spots[key])}"
                self.problems.error(spot, f"every `{call.key}` once", got)
            elif key:
                found.items[key], found.spots[key] = record, spot
        self._check_types(found, call)
        return found

    def _elements(self, found: Listing, bodies: Iterable[tuple[Spot, Any]], key: str) -> Iterator[tuple[Spot, Any]]:
        for spot, body in bodies:
            elements = body.get(key) if isinstance(body, dict) else None
            if isinstance(elements, list):
                for number, element in enumerate(elements):
                    yield Spot(spot.file, f"{spot.where}.{key}[{number}]"), element
            else:
                found.complete = False
                self.problems.error(spot, f"an object with a list `{key}`", show(body))

    def _check_types(self, found: Listing, call: Call) -> None:
        """Leave out fields of a wrong type. Types are compared a column at a time: nearly always all is well."""
        for name, wanted in call.fields.items():
            types = _TYPES[wanted]
            if {type(item.get(name)) for item in found.items.values()} <= types:
                continue
            for key, item, spot in found.rows():
                if type(item.get(name)) not in types:
                    self.problems.error(spot.below(f".{name}"), wanted, show(item[name]))
                    found.items[key] = {field: value for field, value in item.items() if field != name}


def _parse(data: bytes, *, exact: bool) -> list[Any]:
    """The one or several JSON values of a file, in UTF-8, or in UTF-16 as Windows PowerShell redirects output."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16").encode()
    if not data.strip():
        raise json.JSONDecodeError("nothing", "", 0)
    if not exact:
        with suppress(orjson.JSONDecodeError):  # several values or damage: `read_json` reads those, and names this
            return [orjson.loads(data)]
    return read_json(data, many=True)  # type: ignore[no-any-return]
