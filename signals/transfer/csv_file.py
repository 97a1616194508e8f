"""Reads rows from CSV: recognises the delimiter, and the columns in any case."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TextIO

from argo.errors import FieldError, InvalidInput
from signals.intake import MAX_ITEM_BYTES
from signals.ledger.records import KNOWN
from signals.ledger.validation import ALIASES
from signals.transfer.cells import Row, row_of

DELIMITERS = ",;\t|"
_COLUMNS = KNOWN | ALIASES.keys() | {"extra", "id"}
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""A first line by which spreadsheets name the delimiter."""
Numbered = tuple[int, Row | InvalidInput]


class NoColumns(ValueError):
    """The first line does not name columns of signals."""


def read_csv(file: TextIO) -> Iterator[Numbered]:
    """Yield each row with the number of its line, from 1; a row that cannot be read is an
    InvalidInput. Raises NoColumns.
    """
    csv.field_size_limit(MAX_ITEM_BYTES)
    line, before = file.readline(MAX_ITEM_BYTES), 0
    named = _SEPARATOR_LINE.fullmatch(line)
    if named:
        line, before = file.readline(MAX_ITEM_BYTES), 1
    delimiter = named[1] if named else _delimiter(line)
    rows = csv.reader(chain([line], file), delimiter=delimiter)
    columns = _columns(next(rows, []))
    while True:
        number = before + rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, InvalidInput([FieldError("row", f"{number} cannot be read: {error}")])
            continue
        if cells:
            yield number, _row(cells, number, columns)


def _delimiter(header: str) -> str:
    """Return the delimiter by which the header has the column `symbol`, and the most columns."""
    divided = {each: _divided(header, each) for each in DELIMITERS}
    fitting = [each for each, names in divided.items() if "symbol" in names]
    return max(fitting, key=lambda each: len(divided[each]), default=",")


def _divided(header: str, delimiter: str) -> list[str]:
    return list(map(_column, next(csv.reader([header], delimiter=delimiter), [])))


def _column(name: str) -> str:
    """Return the name of a column: a known one in small letters, any other as it is."""
    plain = re.sub(r"[ -]", "_", name.strip().lower())
    return plain if plain in _COLUMNS else name.strip()


def _columns(header: Sequence[str]) -> list[str]:
    names = list(map(_column, header))
    if "symbol" not in names:
        raise NoColumns(
            "is not an SQLite database, JSON lines, or CSV with a column `symbol`, divided by "
            "commas, semicolons, tabs or |"
        )
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise NoColumns(f"has the column {', '.join(twice)} twice")
    return names


def _row(cells: Sequence[str], number: int, columns: Sequence[str]) -> Row | InvalidInput:
    if len(cells) > len(columns):
        message = (
            f"{number} has {len(cells)} cells, but the header has {len(columns)} columns: put a "
            "text or a number with the delimiter in it in quotes"
        )
        return InvalidInput([FieldError("row", message)])
    given = {name: cell for name, cell in zip(columns, cells, strict=False) if cell and name}
    return row_of(given, number, {name: place for place, name in enumerate(columns, 1)})
