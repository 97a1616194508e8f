"""Celery tasks of the journal: flush, sequence, record, alerts, sums, generation."""

from functools import cache
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from signals.alerts import claims, lateness, rows, waiting
from signals.clock import utc_now
from signals.config import flusher, sequencer
from signals.ledger.spellings import read_again
from signals.ledger.sums.update import update_sums
from signals.record.log import service as record
from signals.record.log.refusals import RecordRefused
from signals.shutdown import stopping
from signals.turns import Turns

if TYPE_CHECKING:
    from signals.generation.service import SignalGenerationService

SUMS_SECONDS = 10.0
"""How long one task sums; beat sends the next."""
SUMS_PAUSE = 0.05
"""Seconds between two batches, in which other writers get their turn."""

_flushes, _sequences, _entries, _publications = Turns(), Turns(), Turns(), Turns()


@shared_task(name="signals.tasks.flush")
def flush() -> int:
    """Drain the journal into the database; return how many signals became rows. The alerts of this
    machine's file follow: an exit finds the signals that were accepted before it.

    A tracker or beat sends it; to lose or repeat it does no harm. It ends early if the worker is
    asked to stop.
    """
    return _flushes.take(_flush)


@shared_task(name="signals.tasks.sequence")
def sequence() -> int:
    """Give the stored lines of the journal their indexes; return how many it gave.

    The flush or beat sends it; to lose or repeat it does no harm. It ends early if the worker is
    asked to stop.
    """
    return _sequences.take(_sequence)


@shared_task(name="signals.tasks.enter_record")
def enter_record() -> int:
    """Enter the lines of this machine's journal that have an index into the record; return how many
    entries were made.

    The sequence or beat sends it; to lose or repeat it does no harm. It ends early if the worker is
    asked to stop.
    """
    return _entries.take(_enter_record)


@shared_task(name="signals.tasks.publish_record")
def publish_record() -> int:
    """Sign and publish what was entered, if this machine owns the record; return its size.

    The task that enters sends it, or beat; to lose or repeat it does no harm.
    """
    return _publications.take(_publish_record)


def _flush() -> int:
    stored = 0
    for batch in flusher().batches():
        stored += batch.stored
        if stopping.is_set():
            return stored
    if rows.drain():
        waiting.wake()
    return stored


def _sequence() -> int:
    count = 0
    for given in sequencer().batches():
        count += given
        record.wake_enter(given)
        if stopping.is_set():
            break
    return count


def _enter_record() -> int:
    count = 0
    for made in record.enterer().batches():
        count += made
        record.wake_publish(made)
        if stopping.is_set():
            break
    return count


def _publish_record() -> int:
    """Publish; return 0 if the record must not be signed now, which the log and health say."""
    publisher = record.publisher()
    try:
        return 0 if publisher is None else publisher.publish()
    except RecordRefused:
        return 0


@shared_task(name="signals.tasks.alerts")
def alerts() -> int:
    """Carry out the alerts that wait, look for senders that are late, and delete old claims; return
    how many waited.

    A flush or beat sends it; to lose or repeat it does no harm.
    """
    lateness.look(utc_now())
    claims.forget_old(utc_now())
    return waiting.carry_out_due(utc_now())


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
