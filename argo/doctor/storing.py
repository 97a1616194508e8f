"""The trouble "signals are not stored": permissions, pool, flush, errors in the log."""

from collections.abc import Iterator
from functools import partial

from django.conf import settings

from argo.doctor import pool
from argo.doctor.check import Finding, Question, ok
from argo.doctor.error_log import errors_in
from argo.doctor.files import permissions
from argo.doctor.known import Known
from argo.health.processes import FLUSH
from signals import config
from signals.alerts.log import NAME, alerts_journal
from signals.alerts.rows import lines_wait
from signals.alerts.unread import count_unread
from signals.health import disk
from signals.health.heartbeats import Signs
from signals.ledger.dead_letters import unresolved
from signals.ledger.journal_state import journal_state
from signals.status_text import age

TITLE = "Signals are not stored"
DATABASE = "database"
ALERTS = ("alerts.unread", "alerts.waiting", "alerts.rescued", "alerts.late_sender")
JOURNAL_FILES = ("journal.replaced", "journal.rescued", "journal.lost")


def questions(known: Known) -> Iterator[Question]:
    """Yield the questions, from the call that logs a signal to its row."""
    yield Question("permissions", permissions)
    yield Question("journal", partial(_journal, known))
    yield Question(DATABASE, partial(_database, known))
    yield Question("journal files", partial(_journal_files, known), needs=(DATABASE,))
    yield Question("flush", partial(_flush, known), needs=(DATABASE,))
    yield Question("dead letters", partial(_dead_letters, known), needs=(DATABASE,))
    yield Question("alerts", partial(_alerts, known), needs=(DATABASE,))
    yield Question("pool", partial(pool.exhausted, known), needs=(DATABASE,))
    yield Question("log", partial(errors_in, of_sync=False))


def _journal(known: Known) -> Finding:
    def writable() -> Finding:
        config.journal().try_writing()
        free = disk.free_bytes(settings.DATA_DIR)
        return ok(f"can be written; {free / 2**20:,.0f} MiB are free")

    return known.unless(("journal.unwritable", "disk.low", "disk.filling"), writable)


def _database(known: Known) -> Finding:
    codes = ("database.no_answer", "database.migrations")
    return known.unless(codes, lambda: ok("answers, and has all tables"))


def _journal_files(known: Known) -> Finding:
    return known.unless(JOURNAL_FILES, lambda: ok("are those that the database has read"))


def _flush(known: Known) -> Finding:
    """Return if what waits in the journal is stored in time, by a worker that lives."""

    def works() -> Finding:
        state = journal_state(config.journal())
        if not state.pending_bytes:
            return ok(f"nothing waits; {_worker()}")
        waited = age(state.oldest, known.now) or 0.0
        return ok(f"{state.pending_bytes:,} bytes wait, for {waited:.1f} s; {_worker()}")

    return known.unless(
        ("journal.old_line", "feed.behind"),
        lambda: known.unless(("worker.missing",), works, about=FLUSH),
    )


def _worker() -> str:
    seconds = Signs.read().silent_for(FLUSH, config.journal().identity)
    return f"its worker was seen {seconds or 0.0:.0f} s ago"


def _dead_letters(known: Known) -> Finding:
    return known.unless(("ledger.dead_letters",), lambda: ok(f"{unresolved()} wait for a person"))


def _alerts(known: Known) -> Finding:
    """Return if the file of alerts is read, and if no alert waits for a person or a worker."""

    def works() -> Finding:
        alerts_journal().try_writing()
        waits = "lines wait for the next flush" if lines_wait() else "every line is read"
        return ok(f"{NAME} can be written; {waits}; {count_unread()} are unread")

    return known.unless(ALERTS, works)
