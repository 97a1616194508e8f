"""The public record: lines that are entered and published, beside the flush, and their size."""

import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from signals.config import journal, sequencer
from signals.ledger.flush import Flusher
from signals.locks import FileLock
from signals.record.log import service
from signals.record.log.disk import Disk
from signals.record.log.entering import Enterer
from signals.record.log.keys import KeyFiles
from signals.record.log.opening import Opening
from signals.record.log.publishing import Publisher
from signals.record.log.service import owner_of
from tests.benchmarks import samples
from tests.benchmarks.figures import Figure, at_least, at_most, rate, times_as_fast
from tests.benchmarks.rounds import Side, medians, seconds
from tests.benchmarks.workspace import Workspace, say

ORIGIN = "argo.example/record"
PORTION = 50_000
WORK = "import django; django.setup(); from tests.benchmarks.record import work; work()"
SQLITE_BYTES, POSTGRESQL_BYTES = 120, 200


def run(workspace: Workspace) -> Iterator[Figure]:
    """Enter and publish a million lines, a portion at a time; then look at the tables."""
    count = workspace.size(1_000_000, 100_000)
    publisher = _publisher()
    publisher.publish()
    entering = publishing = 0.0
    taken = 0
    for first in range(0, count, PORTION):
        samples.fill(journal(), PORTION, first)
        Flusher(journal()).flush()
        sequencer().assign()
        before = used_bytes()
        entering += seconds(Enterer(journal()).enter)
        publishing += seconds(publisher.publish)
        taken += used_bytes() - before
        say(f"  {first + PORTION:,} entered at {(first + PORTION) / entering:,.0f}/s")
    yield at_least("lines that are entered", count / entering, 20_000, "/s")
    yield Figure("- entries that are published", rate(count / publishing))
    yield from _beside(workspace, count)
    most = SQLITE_BYTES if connection.vendor == "sqlite" else POSTGRESQL_BYTES
    yield at_most("the tables of the record, an entry", taken / count, most, " bytes")


def _publisher() -> Publisher:
    opening = Opening(
        ORIGIN, owner_of(journal()), Disk(settings.DATA_DIR), KeyFiles(settings.DATA_DIR, ORIGIN)
    )
    return Publisher(opening, FileLock(settings.DATA_DIR / service.LOCK_FILE))


def _beside(workspace: Workspace, first: int) -> Iterator[Figure]:
    """Compare the flush beside a process that enters and publishes, as `up` has one, with the
    flush alone: a backlog of as many lines is entered meanwhile."""
    count = workspace.size(20_000, 5000)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdin
    assert worker.stdout
    orders, answers = worker.stdin, worker.stdout

    def enter() -> None:
        orders.write("enter\n")
        orders.flush()

    def flushed(begin: int, *, beside: bool) -> float:
        samples.fill(journal(), count, begin)
        _settle()
        if beside:
            enter()
        found = count / seconds(Flusher(journal()).flush)
        if not beside:
            enter()
        assert answers.readline() == "done\n"
        sequencer().assign()
        return found

    flushed(first, beside=False)  # its lines are the first backlog
    sides: dict[str, Side] = {
        "beside": lambda number: flushed(first + (2 * number + 1) * count, beside=True),
        "alone": lambda number: flushed(first + (2 * number + 2) * count, beside=False),
    }
    rates = medians(workspace.size(9, 3), sides)
    worker.communicate()
    yield times_as_fast("flush while as many lines are entered and published", rates["beside"],
                        rates["alone"], target=0.98, name="the flush alone")  # fmt: skip


def work() -> None:
    """Enter and publish whatever waits, each time a line comes."""
    publisher = _publisher()
    for _ in sys.stdin:
        Enterer(journal()).enter()
        publisher.publish()
        print("done", flush=True)


def _settle() -> None:
    """Empty the WAL, so that this round does not pay for the one before."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()


def used_bytes() -> int:
    """Return the bytes that the database has in use."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        found = {}
        for name in ("page_count", "freelist_count", "page_size"):
            cursor.execute(f"PRAGMA {name}")
            found[name] = int(cursor.fetchone()[0])
        return (found["page_count"] - found["freelist_count"]) * found["page_size"]
