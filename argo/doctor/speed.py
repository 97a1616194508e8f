"""The trouble "storing is slow": batches, waiting callers, indexes, pool, and each stage timed."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings

from argo.doctor import pool, stages
from argo.doctor.check import Finding, Question, milliseconds, ok, problem, skipped, warning
from argo.doctor.indexes import indexes
from argo.doctor.known import Known
from argo.doctor.storing import DATABASE
from signals.ledger.recent import recent
from signals.status_text import counted

TITLE = "Storing is slow"
PERIOD = timedelta(hours=1)
FEWEST = 20
"""Signals in the last hour; of fewer, one that waited for a restart would decide."""
MOST_SYNCHRONOUS = 100
"""Calls of one origin in an hour that may wait for their rows."""
ONE_A_SECOND = 1.0
"""Batches a second; at a lower rate a batch of one line is what is there to store."""
SYNCHRONOUS = "argo_synchronous_calls_total"
BATCH = "argo_flush_batch_lines"
SLOW = "The stage that takes longest is above; the worker's log says if it was stopped or failed."
WAITS = (
    "Use await tracker.log_signal_async(signal), POST /api/signals, or log_signals with many at "
    "once."
)
SINGLE = (
    "Set SIGNAL_BATCH_SIZE=50 and SIGNAL_FLUSH_LINGER=0.05; send many signals with one call: "
    "log_signals, or POST /api/signals/batch."
)


def questions(known: Known) -> Iterator[Question]:
    """Yield the questions: what the last hour was like, then each stage."""
    yield Question("latency", partial(latency, known), needs=(DATABASE,))
    yield Question("batches", partial(batches, known))
    yield Question("waiting callers", partial(waiting_callers, known))
    yield Question("indexes", indexes, needs=(DATABASE,))
    yield Question("pool use", partial(pool.use, known), needs=(DATABASE,))
    yield from stages.questions(known)


def latency(known: Known) -> Finding:
    """Return how long the signals of the last hour took from the call to the row."""
    found = recent(PERIOD, known.now)
    if not found.latencies:
        return skipped("no live signal was stored in the last hour")
    half, most = (found.percentile(percent) or 0.0 for percent in (50, 95))
    text = (
        f"{counted(len(found.latencies), 'signal', 'signals')} in the last hour: "
        f"half within {milliseconds(half)}, 95% within {milliseconds(most)}"
    )
    if most > stages.TARGET and len(found.latencies) >= FEWEST:
        return problem(f"{text}; the target is {milliseconds(stages.TARGET)}.", SLOW)
    return ok(text)


def batches(known: Known) -> Finding:
    """Return how many lines a flush takes at once."""
    size = settings.SIGNAL_BATCH_SIZE
    if size == 1:
        return warning("SIGNAL_BATCH_SIZE is 1: each signal has a transaction of its own.", SINGLE)
    text = f"SIGNAL_BATCH_SIZE is {size}"
    mean = known.growth.mean(BATCH) if known.growth else None
    if known.growth is None or mean is None:
        return ok(f"{text}; no flush was counted in the last hour")
    number = known.growth.of(f"{BATCH}_count")
    flushes = counted(number, "flush", "flushes")
    text = f"{text}; {flushes} {known.period()}, of {mean:,.1f} lines on average"
    if mean == 1 and number > ONE_A_SECOND * known.growth.seconds:
        return warning(f"{text}: none took more than one.", SINGLE)
    return ok(text)


def waiting_callers(known: Known) -> Finding:
    """Return how many calls of the last hour made their caller wait for the database."""
    if known.growth is None:
        return skipped("no worker has counted the calls yet")
    calls = known.growth.labelled(SYNCHRONOUS)
    most = MOST_SYNCHRONOUS * known.growth.seconds / PERIOD.total_seconds()
    often = {door: number for door, number in calls.items() if number > most}
    if not often:
        number = counted(sum(calls.values()), "call", "calls")
        return ok(f"{number} waited for the database {known.period()}")
    shown = ", ".join(f"{number:,.0f} from {door}" for door, number in often.items())
    return warning(f"Calls of log_signal waited for the database {known.period()}: {shown}.", WAITS)
