"""Finds the rows that journal lines became."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connections

from signals.dialect import among
from signals.journal import Line
from signals.ledger.changes import decode_change
from signals.ledger.records import BadLine, json_object


class Shown(NamedTuple):
    """The row that a line became: a signal or an outcome change, by primary key.

    `of` is the signal, or the change's signal.
    """

    signal: int | None
    change: int | None
    of: int


class _Name(NamedTuple):
    """The id on a line, and the hash of its signal."""

    id: str
    sha256: str
    is_change: bool


def shown_by(lines: Sequence[Line], using: str) -> list[Shown | None]:
    """Return the row of each line, None for a line without one: a bad line, a conflict, a fault.

    A line that repeats a signal has its row too: only the first one gets an entry.
    """
    names = [_name(line) for line in lines]
    signals = _signals([each.id for each in names if each and not each.is_change], using)
    changes = _changes([each.id for each in names if each and each.is_change], using)
    return [
        None
        if name is None
        else changes.get(name.id)
        if name.is_change
        else signals.get((name.id, name.sha256))
        for name in names
    ]


def _name(line: Line) -> _Name | None:
    try:
        fields = json_object(line)
        found: tuple[Any, Any, bool]
        if "change" in fields:
            found = (decode_change(fields, line).change.change_id, "", True)
        else:
            found = (fields.get("signal_id"), fields.get("sha256"), False)
    except BadLine:
        return None
    return _Name(*found) if _can_be_stored(*found[:2]) else None


def _can_be_stored(*texts: Any) -> bool:  # noqa: ANN401  # whatever is on the line
    return all(isinstance(each, str) and "\0" not in each for each in texts)


def _signals(ids: Sequence[str], using: str) -> dict[tuple[str, str], Shown]:
    rows = _select("SELECT id, signal_id, sha256 FROM signals", "signal_id", ids, using)
    return {(signal_id, sha256): Shown(pk, None, pk) for pk, signal_id, sha256 in rows}


def _changes(ids: Sequence[str], using: str) -> dict[str, Shown]:
    statement = "SELECT id, change_id, signal_id FROM outcome_changes"
    rows = _select(statement, "change_id", ids, using)
    return {change_id: Shown(None, pk, signal) for pk, change_id, signal in rows}


def _select(
    statement: str, column: str, ids: Sequence[str], using: str
) -> Sequence[tuple[Any, ...]]:
    if not ids:
        return ()
    condition, parameter = among(using, column, ids)
    with connections[using].cursor() as cursor:
        cursor.execute(f"{statement} WHERE {condition}", [parameter])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows
