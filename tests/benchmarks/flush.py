"""From journal to rows, compared with a bare `executemany` of the same rows."""

from collections.abc import Callable, Iterator, Sequence
from sqlite3 import Connection

from django.db import connection

from signals.config import journal, stored_handlers
from signals.ledger.flush import Flusher
from signals.ledger.store import StoredHandler
from signals.models import JournalCursor
from sync.outbox import enqueue
from tests.benchmarks import bare, samples
from tests.benchmarks.figures import Figure, at_most, times_as_fast
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace


def run(workspace: Workspace) -> Iterator[Figure]:
    """Let both insert into the same database in turns, on connections with the same pragmas."""
    found = medians(workspace.size(7, 3), _sides(workspace.size(50_000, 20_000)))
    yield times_as_fast(
        "flush from the journal into both tables, 5,000 a transaction",
        found["Argo"],
        found["bare"],
        target=0.8,
        name="bare executemany of the rows",
    )
    what = "cost of a flush that queues a delivery for each signal, to one that queues nothing"
    yield at_most(what, found["Argo"] / found["with deliveries"], 1.15, " times")
    yield Figure(
        "- if it also queues a decision",
        f"{found['Argo'] / found['with both']:.4g} times",
    )


def _sides(count: int) -> dict[str, Callable[[int], float]]:
    return {
        "Argo": lambda number: _flushed([], count, first=4 * number * count),
        "with deliveries": lambda number: _flushed(
            [enqueue], count, first=(4 * number + 1) * count
        ),
        "with both": lambda number: _flushed(
            stored_handlers(), count, first=(4 * number + 2) * count
        ),
        "bare": lambda number: _inserted(count, first=(4 * number + 3) * count),
    }


def _flushed(handlers: Sequence[StoredHandler], count: int, first: int) -> float:
    """Return rows a second."""
    flusher = Flusher(journal(), handlers=handlers)
    samples.fill(journal(), count, first)
    _settle()
    return count / seconds(flusher.flush)


def _inserted(count: int, first: int) -> float:
    """Return rows a second."""
    lines = [line for batch in samples.lines(count, first) for line in batch]
    raw = _raw()
    cursor = JournalCursor.objects.get(journal=journal().identity)
    rows = bare.rows(lines, first_id=bare.next_id(raw), journal=cursor.pk)
    _settle()
    return count / seconds(lambda: bare.insert(raw, rows))


def _settle() -> None:
    """Empty the WAL, so that this round does not pay for the one before."""
    _raw().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _raw() -> Connection:
    connection.ensure_connection()
    raw: Connection = connection.connection
    return raw
