"""The drain on PostgreSQL, a bare COPY of the same rows, and the drain by statements, in turns."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

from django.db import connection

from signals import inserting
from signals.config import journal, stored_handlers
from signals.ledger import flush as flushing
from signals.ledger.flush import Flusher
from signals.ledger.records import CONTEXT_COLUMNS, SIGNAL_COLUMNS
from signals.ledger.store import StoredHandler
from signals.models import JournalCursor
from tests.benchmarks import bare, samples
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace

SIDES = 6
FIRST_ID = "SELECT coalesce(max(id), 0) + 1 FROM signals"
SET_NEXT_ID = "SELECT setval(pg_get_serial_sequence('signals', 'id'), max(id)) FROM signals"


def run(workspace: Workspace) -> Iterator[Figure]:
    """Let all sides insert into the same tables, which have the same indexes and constraints."""
    count = workspace.size(50_000, 20_000)
    found = medians(workspace.size(7, 3), _sides(count))
    for with_what, suffix in (("", ""), (" that queues deliveries and decisions", ", both")):
        drained = found[f"Argo{suffix}"]
        yield times_as_fast(
            f"drain on PostgreSQL{with_what}, 5,000 a transaction",
            drained,
            found[f"bare COPY{suffix}"],
            target=0.45,
            name="bare COPY of the rows",
        )
        yield times_as_fast(
            "- compared with statements",
            drained,
            found[f"statements{suffix}"],
            target=2.5,
            name="the same drain by statements",
        )


def _sides(count: int) -> dict[str, Callable[[int], float]]:
    makers: dict[str, Callable[[int], float]] = {
        "Argo": lambda first: _drained([], count, first),
        "bare COPY": lambda first: _copied(count, first, queued=False),
        "statements": lambda first: _by_statements([], count, first),
        "Argo, both": lambda first: _drained(stored_handlers(), count, first),
        "bare COPY, both": lambda first: _copied(count, first, queued=True),
        "statements, both": lambda first: _by_statements(stored_handlers(), count, first),
    }
    return {name: _placed(make, place, count) for place, (name, make) in enumerate(makers.items())}


def _placed(make: Callable[[int], float], place: int, count: int) -> Callable[[int], float]:
    """Return a round whose signals no other round has."""
    return lambda number: make((number * SIDES + place) * count)


def _drained(handlers: Sequence[StoredHandler], count: int, first: int) -> float:
    """Return rows a second."""
    flusher = Flusher(journal(), handlers=handlers)
    samples.fill(journal(), count, first)
    _settle()
    return count / seconds(flusher.flush)


def _by_statements(handlers: Sequence[StoredHandler], count: int, first: int) -> float:
    """Return rows a second of the drain without COPY, and without reading ahead."""
    with (
        mock.patch.object(inserting, "FEWEST", sys.maxsize),
        mock.patch.object(flushing, "is_shared", return_value=False),
    ):
        return _drained(handlers, count, first)


def _copied(count: int, first: int, *, queued: bool) -> float:
    """Return rows a second, 5,000 signals a transaction."""
    lines = [line for batch in samples.lines(count, first) for line in batch]
    own = _value(FIRST_ID)
    cursor = JournalCursor.objects.of(journal().identity)
    rows = bare.rows(lines, first_id=own, journal=cursor.pk)
    signals = [(own + number, *row) for number, row in enumerate(rows.signals)]
    _settle()
    taken = seconds(lambda: _copy(signals, rows.contexts, queued))
    _value(SET_NEXT_ID)
    return count / taken


def _copy(signals: Sequence[bare.Row], contexts: Sequence[bare.Row], queued: bool) -> None:
    for start in range(0, len(signals), bare.BATCH_SIZE):
        part = slice(start, start + bare.BATCH_SIZE)
        ids = [row[0] for row in signals[part]]
        with connection.connection.transaction():
            _into("signals", ("id", *SIGNAL_COLUMNS), signals[part])
            _into("signal_contexts", (*CONTEXT_COLUMNS, "stored_at"), contexts[part])
            if queued:
                at = bare.STORED_AT
                _into("deliveries", ("id", "due_at", "queued_at"), [(own, at, at) for own in ids])
                _into(
                    "decisions",
                    ("id", "account", "queued_at", "due_at", "reasons"),
                    [(own, "paper", at, at, "[]") for own in ids],
                )


def _into(table: str, columns: Sequence[str], rows: Sequence[bare.Row]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _settle() -> None:
    """Write what the round before has left, so that this one does not pay for it."""
    _value("CHECKPOINT")


def _value(statement: str) -> Any:  # noqa: ANN401
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None
