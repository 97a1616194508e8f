"""Turns cells of CSV into values and back; a bad cell is named with its row and column.

A text that a spreadsheet would run as a formula is written with an apostrophe before it, which
reading takes away again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from argo.errors import FieldError
from signals.intake import BadBody, parse_json
from signals.ledger.records import FLOATS, WHOLE
from signals.ledger.validation import ALIASES

JSON_CELLS = frozenset(("votes", "extra"))
LONGEST_SHOWN = 40
"""Characters of a bad cell that are shown."""
_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""The beginnings of a formula, wide characters too, after any number of apostrophes."""
_ESCAPED = re.compile(f"'{_FORMULA.pattern}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
_SEPARATED = re.compile(r"[+-]?\d{1,3}(?:[., '\u00a0\u202f]\d{3})+(?:[.,]\d+)?", re.ASCII)


class Row(dict[str, Any]):
    """The values of a row; a bad cell keeps its text and has a fault in `faults`."""

    faults: tuple[FieldError, ...] = ()


def row_of(cells: Mapping[str, str], row: int, columns: Mapping[str, int]) -> Row:
    """Return the values of the cells that are not empty.

    `row` and `columns` are the numbers that faults name.
    """
    found, faults = Row(), []
    for name, cell in cells.items():
        try:
            found[name] = _reader(name)(cell)
        except (ValueError, BadBody) as error:
            found[name] = cell
            reason = error.errors[0].message if isinstance(error, BadBody) else str(error)
            place = f"in row {row}, column {columns[name]}, is {_shown(cell)}"
            faults.append(FieldError(name, f"{place}, which {reason}"))
    faults += _take_extra(found)
    found.faults = tuple(faults)
    return found


def written(value: object) -> object:
    """Return a value as its cell."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def _reader(column: str) -> Callable[[str], Any]:
    name = ALIASES.get(column, column)
    if name in FLOATS:
        return _number
    if name in WHOLE:
        return _whole
    return _json if name in JSON_CELLS else _text


def _text(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell


def _json(cell: str) -> Any:  # noqa: ANN401  # any JSON
    return parse_json(cell.encode())


def _number(cell: str) -> float:
    text = cell.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(_why_no_number(text))
    return float(text)


def _whole(cell: str) -> int:
    text = cell.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError("is not a whole number")
    return int(text)


def _why_no_number(text: str) -> str:
    if _SEPARATED.fullmatch(text):
        return "may have a decimal comma or separators of thousands: write it as 1234.5"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"has a decimal comma: write {text.replace(',', '.')}"
    return "is not a number"


def _take_extra(found: Row) -> list[FieldError]:
    """Put the fields of the cell `extra` beside the others, unless it contradicts them."""
    extra = found.get("extra")
    if extra is None or isinstance(extra, str):  # absent, or already a fault
        return []
    if not isinstance(extra, dict):
        return [FieldError("extra", "must be a JSON object")]
    del found["extra"]
    twice = sorted(extra.keys() & found.keys())
    found.update({name: value for name, value in extra.items() if name not in twice})
    return [FieldError(name, "is given twice: as a column, and in extra") for name in twice[:5]]


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= LONGEST_SHOWN else f"{cell[:LONGEST_SHOWN]}...")
