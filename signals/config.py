"""The ledger as the settings describe it: one journal and one hint for each process."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.store import StoredHandler
from signals.wakeup import Hint


@cache
def journal() -> Journal:
    """This machine's journal; its threads share one write, so a process has one."""
    return Journal(settings.DATA_DIR / "signals.log", segment_bytes=settings.SIGNAL_SEGMENT_BYTES)


def flusher() -> Flusher:
    """Drains the journal into the default database and calls the stored handlers."""
    return Flusher(
        journal(),
        handlers=stored_handlers(),
        max_lines=settings.SIGNAL_FLUSH_ROWS,
    )


def stored_handlers() -> list[StoredHandler]:
    """The functions that SIGNAL_STORED_HANDLERS names, in order."""
    return [import_string(path) for path in settings.SIGNAL_STORED_HANDLERS]


@cache
def flush_hint() -> Hint:
    """Asks a worker to flush, over Celery."""
    return Hint(
        _send_hint,
        batch_size=settings.SIGNAL_BATCH_SIZE,
        linger=settings.SIGNAL_FLUSH_LINGER,
    )


def _send_hint() -> None:
    from signals.tasks import flush  # the task needs this module

    flush.apply_async(expires=settings.SIGNAL_BATCH_TIMEOUT, retry=False)
