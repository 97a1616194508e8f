"""Reads signals from files: the seed's SQLite database, JSON lines or CSV.

Every reader yields the number of each item, its line or row from 1, with a dictionary, or with an
InvalidInput if it cannot be read, so that it can be reported and the others are read.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.intake import BadBody, check_encoding, parse_lines, without_bom
from signals.ledger.records import SIGNAL_COLUMNS
from signals.transfer.csv_file import NoColumns, read_csv
from signals.transfer.importing import without_empty

Numbered = tuple[int, dict[str, Any] | InvalidInput]
SQLITE_MAGIC = b"SQLite format 3\0"


class UnreadableFile(InvalidInput):
    """The file is missing, or signals cannot be read from it."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__([FieldError(str(path), message)])


def read_signals(path: Path) -> Iterator[Numbered]:
    """Yield the signals in `path`, in any of the formats. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            head = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    if head == SQLITE_MAGIC:
        return _sqlite(path)
    try:
        check_encoding(head)
    except ValueError as error:
        raise UnreadableFile(path, str(error)) from None
    first = without_bom(head).lstrip()[:1]
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


def _sqlite(path: Path) -> Iterator[Numbered]:
    with closing(_open(path)) as connection:
        found = {row[1] for row in connection.execute("PRAGMA table_info(signals)")}
        if missing := set(SIGNAL_COLUMNS) - found:
            raise UnreadableFile(
                path, f"has no table `signals` of the seed's schema: {', '.join(sorted(missing))}"
            )
        columns = ", ".join(SIGNAL_COLUMNS)
        rows = connection.execute(f"SELECT {columns} FROM signals ORDER BY id")  # noqa: S608
        for number, row in enumerate(rows, 1):
            yield number, without_empty(dict(zip(SIGNAL_COLUMNS, row, strict=True)))


def _open(path: Path) -> sqlite3.Connection:
    """Open it read-only: an older store is never changed, not even its WAL."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # a WAL cannot be opened in a read-only folder
        connection.close()
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    return connection


def _json_lines(path: Path) -> Iterator[Numbered]:
    try:
        with path.open("rb") as file:
            for number, found in parse_lines(file):
                yield number, found if isinstance(found, dict) else _error(found)
    except BadBody as bad:
        raise UnreadableFile(path, bad.errors[0].message) from None


def _error(found: object) -> InvalidInput:
    if isinstance(found, InvalidInput):
        return found
    return InvalidInput([FieldError("signal", "must be a JSON object")])


def _csv(path: Path) -> Iterator[Numbered]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from read_csv(file)
    except UnicodeDecodeError:
        raise UnreadableFile(path, "is not UTF-8: save it as UTF-8 first") from None
    except NoColumns as error:
        raise UnreadableFile(path, str(error)) from None
