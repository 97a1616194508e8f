"""Celery tasks that flush the journal, sum the signals, and generate signals."""

from functools import cache
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from signals.config import flusher
from signals.ledger.spellings import read_again
from signals.ledger.sums.update import update_sums
from signals.shutdown import stopping

if TYPE_CHECKING:
    from signals.generation.service import SignalGenerationService

SUMS_SECONDS = 10.0
"""How long one task sums; beat sends the next."""
SUMS_PAUSE = 0.05
"""Seconds between two batches, in which other writers get their turn."""


@shared_task(name="signals.tasks.flush")
def flush() -> int:
    """Drain the journal into the database; return how many signals became rows.

    A tracker or beat sends it; to lose or repeat it does no harm. It ends early if the worker is
    asked to stop.
    """
    stored = 0
    for batch in flusher().batches():
        stored += batch.stored
        if stopping.is_set():
            break
    return stored


@shared_task(name="signals.tasks.sum")
def sum_signals() -> int:
    """Bring the sums and the spellings up to date; return how many signals and outcome changes
    were summed.

    Beat sends it; to lose or repeat it does no harm.
    """
    summed = update_sums(seconds=SUMS_SECONDS, pause=SUMS_PAUSE)
    read_again()
    return summed


@shared_task(name="signals.tasks.generate")
def generate() -> int:
    """Run one cycle over MARKET_SYMBOLS; return how many signals it made.

    If a symbol fails, the task fails after the other symbols are done.
    """
    return _service().run_and_count(settings.MARKET_SYMBOLS)


@cache
def _service() -> "SignalGenerationService":
    """Return this process's service, which keeps its connections between cycles.

    Imported here because TA-Lib and the calendars load pandas: 80 MiB that no other worker needs.
    """
    from signals.generation.factory import service

    return service()
