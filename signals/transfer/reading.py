"""Reads signals from files: the seed's SQLite database, JSON lines or CSV.

Every reader yields one dictionary for each signal, or an InvalidInput for an item that cannot be
read, so that it can be reported and the others are read.
"""

import codecs
import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from pydantic_core import from_json

from argo.errors import FieldError, InvalidInput
from signals.ledger.records import CONTEXT, FLOATS, LATER, SIGNAL_COLUMNS

Item = dict[str, Any] | InvalidInput
JSON_CELLS = frozenset(("votes", "extra"))
SQLITE_MAGIC = b"SQLite format 3\0"


class UnreadableFile(InvalidInput):
    """The file is missing, or signals cannot be read from it."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__([FieldError(str(path), message)])


def read_signals(path: Path) -> Iterator[Item]:
    """Yield the signals in `path`, in any of the formats. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            head = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    if head == SQLITE_MAGIC:
        return _sqlite(path)
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if first == b"[":
        raise UnreadableFile(path, "is a JSON array: write one object on each line")
    return _json_lines(path) if first in (b"{", b"") else _csv(path)


def count_signals(path: Path) -> int:
    """Return about how many signals there are, for a progress bar. Raises UnreadableFile."""
    with path.open("rb") as file:
        if file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC:
            return _count_rows(path)
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))


def _count_rows(path: Path) -> int:
    try:
        with closing(_open(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM signals").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise UnreadableFile(path, f"has no readable table `signals`: {error}") from error


def _sqlite(path: Path) -> Iterator[Item]:
    with closing(_open(path)) as connection:
        found = {row[1] for row in connection.execute("PRAGMA table_info(signals)")}
        if missing := set(SIGNAL_COLUMNS) - found:
            raise UnreadableFile(
                path, f"has no table `signals` of the seed's schema: {', '.join(sorted(missing))}"
            )
        columns = ", ".join(SIGNAL_COLUMNS)
        for row in connection.execute(f"SELECT {columns} FROM signals ORDER BY id"):  # noqa: S608
            yield _without_empty(dict(zip(SIGNAL_COLUMNS, row, strict=True)))


def _open(path: Path) -> sqlite3.Connection:
    """Open it read-only: an older store is never changed, not even its WAL."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # a WAL cannot be opened in a read-only folder
        connection.close()
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    return connection


def _json_lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield _json_object(line.removeprefix(codecs.BOM_UTF8))


def _json_object(line: bytes) -> Item:
    try:
        found = from_json(line, allow_inf_nan=False)
    except ValueError as error:
        return InvalidInput([FieldError("signal", f"is not JSON: {error}")])
    if not isinstance(found, dict):
        return InvalidInput([FieldError("signal", "must be a JSON object")])
    return _without_empty(found)


def _csv(path: Path) -> Iterator[Item]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from _rows(path, csv.DictReader(file))
    except UnicodeDecodeError:
        raise UnreadableFile(path, "is not UTF-8: save it as UTF-8 first") from None


def _rows(path: Path, rows: "csv.DictReader[str]") -> Iterator[Item]:
    if "symbol" not in (rows.fieldnames or ()):
        raise UnreadableFile(
            path, "is not an SQLite database, JSON lines, or CSV with a column `symbol`"
        )
    for row in rows:
        yield _from_cells(row)


def _from_cells(row: dict[str, Any]) -> Item:
    try:
        cells = {name: _value(name, cell) for name, cell in row.items() if cell}
    except ValueError as error:
        return InvalidInput([FieldError("row", str(error))])
    extra: dict[str, Any] = cells.pop("extra", {})
    return cells | extra


def _value(name: str | None, cell: Any) -> Any:  # noqa: ANN401
    if name is None:
        raise ValueError("has more cells than the header has columns")
    if name in FLOATS:
        return float(cell)
    if name == "sources":
        return int(cell)
    return orjson.loads(cell) if name in JSON_CELLS else cell


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    known = {*SIGNAL_COLUMNS, *CONTEXT, *LATER}
    return {name: value for name, value in row.items() if value is not None or name not in known}
