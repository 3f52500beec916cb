"""Exported log events → a frame: what `filter-log-events` and `get-log-events` print, and what an export to S3 holds.

Sources: AWS CLI reference, `logs filter-log-events`, `logs get-log-events`; CloudWatch Logs User Guide, `S3Export`.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ssmlab.conditions.values import read_date
from ssmlab.snapshots.files import Folder, LoadError, Spot, show

COLUMNS: Final = ("log_group", "log_stream", "timestamp", "message")
_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)(?: (.*))?", re.ASCII | re.DOTALL)
_JSON: Final = re.compile(rb"(\xef\xbb\xbf)?\s*([{\[]|$)|\xff\xfe|\xfe\xff")  # also in UTF-16, as PowerShell redirects
_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 65_536
_TEST_FILE: Final = "aws-logs-write-test"  # an export to S3 leaves it beside the folders of the log streams
_LATEST: Final = 253_402_300_799_999  # the last millisecond of the year 9999

Row = tuple[str, Any, str]  # log stream, time, message


@dataclass(frozen=True, slots=True)
class LogExport:
    """Log events from files.

    Attributes
    ----------
    events
        Columns `log_group`, `log_stream`, `timestamp` (UTC) and `message`, in order of time.
    problems
        Columns `file`, `where`, `severity` and `what`: everything skipped, doubtful or not collected.
    """

    events: pd.DataFrame
    problems: pd.DataFrame


def load_logs(path: str | Path, *, log_group: str = "") -> LogExport:
    """Load exported log events.

    Parameters
    ----------
    path
        A file or a folder of files: JSON that `aws logs filter-log-events` or `get-log-events` printed, one or several
        pages; or text of an export to S3 (`<ISO timestamp> message`, `.gz` or not), whose folders are log streams.
    log_group
        The log group, which stands in none of these files.

    Returns
    -------
    LogExport
        Everything that could be read; the rest stands in `problems`.

    Raises
    ------
    LoadError
        If nothing can be loaded.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "events.json")
    ...     _ = file.write_text('{"events": [{"timestamp": 0, "message": "ready"}, {"message": "lost"}]}')
    ...     export = load_logs(file)
    >>> export.events["message"].tolist(), export.problems["what"].tolist()
    (['ready'], ['expected milliseconds since 1970, got nothing'])
    """
    root = Path(path)
    folder = Folder(root if root.is_dir() else root.parent)
    files = [file for file in folder.find("**/*") if file.is_file()] if root.is_dir() else [folder.root / root.name]
    rows = [row for file in files if file.name != _TEST_FILE for row in _read_file(folder, file)]
    if not rows and (error := folder.problems.first):
        raise error
    if not rows and not files:
        raise LoadError(str(path), "", "a file of log events", "an empty folder")
    return LogExport(_to_frame(rows, log_group), folder.problems.frame())


def _to_frame(rows: list[Row], log_group: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS[1:])).assign(log_group=log_group)[list(COLUMNS)]
    frame["timestamp"] = pd.to_datetime(frame["timestamp"].astype("int64"), unit="ms", utc=True).dt.as_unit("ms")
    dtypes = {"log_group": "category", "log_stream": "category", "message": "str"}
    return frame.astype(dtypes).sort_values("timestamp", kind="stable", ignore_index=True)


def _read_file(folder: Folder, path: Path) -> Iterator[Row]:
    try:
        with path.open("rb") as opened:
            head = opened.read(4096)
    except OSError as error:
        folder.problems.error(Spot(folder.name(path)), "a file that can be read", str(error.strerror))
        return
    yield from (_read_pages if _JSON.match(head) else _read_export)(folder, path)


def _read_pages(folder: Folder, path: Path) -> Iterator[Row]:
    """The events of the one or several JSON values of a file."""
    pages = folder.read_file(path, exact=False) or []
    for spot, page in pages:
        events = page.get("events") if isinstance(page, dict) else None
        if not isinstance(events, list):
            folder.problems.error(spot, "an object with a list `events`", show(page))
            continue
        for number, event in enumerate(events):
            yield from _read_event(folder, spot.below(f".events[{number}]"), event, path.name.partition(".")[0])
    # `get-log-events` has other tokens, and has them always.
    if pages and isinstance(pages[-1][1], dict) and pages[-1][1].get("nextToken"):
        folder.problems.warning(pages[-1][0], "not collected: a further page, and what it holds")


def _read_event(folder: Folder, spot: Spot, event: Any, stream: str) -> Iterator[Row]:
    fields = event if isinstance(event, dict) else {}
    message, time, stream = fields.get("message"), fields.get("timestamp"), fields.get("logStreamName", stream)
    if not isinstance(message, str):
        folder.problems.error(spot, "an event with a text `message`", show(event))
    elif type(time) is not int or not 0 <= time <= _LATEST:
        folder.problems.error(spot.below(".timestamp"), "milliseconds since 1970", show(time))
    elif not isinstance(stream, str):
        folder.problems.error(spot.below(".logStreamName"), "a text", show(stream))
    else:
        yield stream, time, message


def _read_export(folder: Folder, path: Path) -> Iterator[Row]:
    """The events of an exported text; a line without a time goes on with the message before it."""
    file, stream = folder.name(path), path.parent.name if path.suffix == ".gz" else path.name.partition(".")[0]
    kept: tuple[int, list[str]] | None = None
    for number, line in enumerate(_read_text(folder, path).split("\n"), 1):
        found = _LINE.fullmatch(line)
        time = read_date(found[1]) if found else None
        if time is not None and found:
            if kept:
                yield stream, kept[0], "\n".join(kept[1])
            kept = time, [found[2] or ""]
        elif kept and not found:
            kept[1].append(line)
        elif line:
            folder.problems.error(Spot(file, f"line {number}"), "an ISO timestamp, a blank and a message", show(line))
    if kept:
        yield stream, kept[0], "\n".join(kept[1]).removesuffix("\n")


def _read_text(folder: Folder, path: Path) -> str:
    """The text of a file, unpacked; what comes before damage is kept."""
    data, spot = path.read_bytes(), Spot(folder.name(path))
    if data.startswith(_GZIP):
        data, damage = _unpack(data)
        if damage:
            folder.problems.error(spot, "a whole gzip file", damage)
    try:
        return data.decode("utf-8-sig")
    except UnicodeError as error:
        folder.problems.error(spot, "text in UTF-8", str(error))
        return data.decode("utf-8-sig", "replace")


def _unpack(packed: bytes) -> tuple[bytes, str]:
    """What gzip packed, as far as it is whole, and what ended it."""
    data = bytearray()
    try:
        with gzip.open(BytesIO(packed)) as file:
            while piece := file.read1(_CHUNK):  # not `read`, which loses what comes before damage
                data += piece
    except (EOFError, OSError, zlib.error) as error:
        return bytes(data), str(error)
    return bytes(data), ""
