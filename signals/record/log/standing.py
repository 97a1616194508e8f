"""Where a signal is in the record: its entry, who signed it when, and the bracket of its time."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connections

from signals.models import RecordCheckpoint, RecordCosignature
from signals.record.log.drafts import EPOCH
from signals.record.log.runs import entry_of_line

_ENTRY = "SELECT kind, at FROM record_entries WHERE id = %s"
_LINE = "SELECT id FROM sequence_entries WHERE signal = %s"
_MARK = "SELECT id FROM record_entries WHERE id < %s AND kind = 'mark' ORDER BY id DESC LIMIT 1"


class Cosigned(NamedTuple):
    """A witness has cosigned a checkpoint of `size` entries at this time."""

    witness: str
    at: datetime
    size: int


class Standing(NamedTuple):
    """The entry of a signal.

    `at` is its time, `mark` the index of the last mark before it: it was entered after the time
    that this mark proves. `signed` is the smallest checkpoint that is still there and holds the
    entry, `cosigned` has the first cosignature of each witness over a checkpoint that holds it.
    """

    entry: int
    kind: str
    at: datetime
    mark: int | None
    signed: RecordCheckpoint | None
    cosigned: list[Cosigned]


def standing_of(signal: int, using: str = "default") -> Standing | None:
    """Return where a stored signal is in the record, by its primary key; None if it is not."""
    line = _first(using, _LINE, signal)
    entry = entry_of_line(line[0], using) if line else None
    found = None if entry is None else _first(using, _ENTRY, entry)
    if entry is None or found is None:
        return None
    kind, micros = found
    mark = _first(using, _MARK, entry)
    held = RecordCheckpoint.objects.using(using).filter(size__gt=entry)
    return Standing(
        entry,
        kind,
        EPOCH + timedelta(microseconds=micros),
        mark[0] if mark else None,
        held.order_by("size").first(),
        _cosigned(entry, using),
    )


def _cosigned(entry: int, using: str) -> list[Cosigned]:
    rows = RecordCosignature.objects.using(using).filter(
        checkpoint__size__gt=entry, time__isnull=False
    )
    first: dict[str, Cosigned] = {}
    for name, time, size in rows.order_by("time").values_list(
        "witness", "time", "checkpoint__size"
    ):
        if time is not None:
            first.setdefault(name, Cosigned(name, datetime.fromtimestamp(time, UTC), size))
    return [*first.values()]


def _first(using: str, statement: str, value: int) -> tuple[Any, ...] | None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, [value])
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
