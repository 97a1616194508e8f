"""The public record: lines that are entered and published, their size, and proofs."""

from collections.abc import Callable, Iterator

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
from tests.benchmarks import record_beside, record_proof, samples
from tests.benchmarks.figures import Figure, at_least, at_most, rate
from tests.benchmarks.rounds import seconds
from tests.benchmarks.workspace import Workspace, say

ORIGIN = "argo.example/record"
PORTION = 50_000
SQLITE_BYTES, POSTGRESQL_BYTES = 120, 200


def run(workspace: Workspace) -> Iterator[Figure]:
    """Enter and publish a million lines, a portion at a time; then look at the tables."""
    count = workspace.size(1_000_000, 100_000)
    signing = publisher()
    signing.publish()
    entering = publishing = 0.0
    taken = 0
    for first in range(0, count, PORTION):
        samples.fill(journal(), PORTION, first)
        Flusher(journal()).flush()
        sequencer().assign()
        before = used_bytes()
        entering += seconds(Enterer(journal()).enter)
        publishing += seconds(signing.publish)
        taken += used_bytes() - before
        say(f"  {first + PORTION:,} entered at {(first + PORTION) / entering:,.0f}/s")
    yield at_least("lines that are entered", count / entering, 20_000, "/s")
    yield Figure("- entries that are published", rate(count / publishing))
    yield from record_proof.figures(workspace)
    yield from record_beside.figures(workspace, count)
    most = SQLITE_BYTES if connection.vendor == "sqlite" else POSTGRESQL_BYTES
    yield at_most("the tables of the record, an entry", taken / count, most, " bytes")


def publisher() -> Publisher:
    """Return what signs the record of this data folder."""
    opening = Opening(
        ORIGIN, owner_of(journal()), Disk(settings.DATA_DIR), KeyFiles(settings.DATA_DIR, ORIGIN)
    )
    return Publisher(opening, FileLock(settings.DATA_DIR / service.LOCK_FILE))


def _settle() -> None:
    """Empty the WAL, so that this round does not pay for the one before."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()


def enterer(waits: Callable[[], bool]) -> Enterer:
    """Return what enters the lines of this data folder's journal."""
    return Enterer(journal(), waits=waits)


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
