"""From journal to rows, beside a bare `executemany` of the same rows."""

from collections.abc import Callable, Iterator
from sqlite3 import Connection

from django.db import connection

from signals.flush import Flusher
from signals.ledger import flusher, journal
from signals.models import JournalCursor
from tests.benchmarks import bare, samples
from tests.benchmarks.figures import Figure, at_most, times_as_fast
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.scene import Scene


def run(scene: Scene) -> Iterator[Figure]:
    """Both insert into the same database in turns, over connections with the same pragmas."""
    found = medians(scene.size(7, 3), _sides(scene.size(50_000, 20_000)))
    yield times_as_fast(
        "flush from the journal into both tables, 5,000 a transaction",
        found["Argo"],
        found["bare"],
        wanted=0.8,
        name="bare executemany of the rows",
    )
    yield at_most(
        "a flush that queues a delivery for each signal costs, of one that queues none",
        found["Argo"] / found["with deliveries"],
        1.15,
        " times",
    )


def _sides(count: int) -> dict[str, Callable[[int], float]]:
    return {
        "Argo": lambda number: _flushed(Flusher(journal()), count, first=3 * number * count),
        "with deliveries": lambda number: _flushed(
            flusher(), count, first=(3 * number + 1) * count
        ),
        "bare": lambda number: _inserted(count, first=(3 * number + 2) * count),
    }


def _flushed(flusher: Flusher, count: int, first: int) -> float:
    """Rows a second."""
    samples.fill(journal(), count, first)
    _settle()
    return count / seconds(flusher.flush)


def _inserted(count: int, first: int) -> float:
    """Rows a second."""
    lines = [line for batch in samples.lines(count, first) for line in batch]
    raw = _raw()
    cursor = JournalCursor.objects.get(journal=journal().identity)
    rows = bare.rows(lines, first_id=bare.next_id(raw), journal=cursor.pk)
    _settle()
    return count / seconds(lambda: bare.insert(raw, rows))


def _settle() -> None:
    """What the round before left in the WAL is not this one's to pay."""
    _raw().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _raw() -> Connection:
    connection.ensure_connection()
    raw: Connection = connection.connection
    return raw
