"""Times each stage of storing without a signal; nothing stays in the journal or in the tables."""

import os
import statistics
import tempfile
import time

from django.conf import settings

from argo.celery import app
from argo.doctor.check import Finding, Question, milliseconds, ok, problem, skipped, warning
from argo.doctor.known import Known
from argo.health.intake import UNWRITABLE
from argo.health.processes import broker_problems, queues_in_use
from signals import config
from signals.health.heartbeats import WORKER, Signs
from signals.ledger.trial import time_insert, trial_line

BROKER, DATABASE = "broker", "database"
TARGET = 0.5
"""Seconds from the call to the row: the seed's target."""
SLOW = 0.1
"""Seconds; a stage that takes longer leaves the others too little of it."""
LINES = 5
"""How many lines are written and synced; the median time counts."""
REPLY_WAIT = 2.0
"""Seconds for each worker's reply."""
SLOW_DISK = "Move the data folder to a faster disk; a network drive is too slow for a journal."
SLOW_DATABASE = (
    "Find out who else writes to the database: a long transaction, a backup, a check. On SQLite "
    "all writers wait for each other."
)
NO_REPLY = "Start Argo with argo up, or the worker of this queue; if it runs, its log says more."
SLOW_QUEUE = (
    "The machine or the broker is busy: look at its load, and at the latency of the broker."
)


def journal_line() -> Finding:
    """Write and sync lines in a file of the data folder that has no name."""
    line = trial_line() + b"\n"
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR, buffering=0) as scratch:
            median = statistics.median(_time_line(scratch.fileno(), line) for _ in range(LINES))
    except OSError as error:
        return problem(f"No line can be written: {error}.", UNWRITABLE.advice)
    return _judged(median, "to write and sync a line", SLOW_DISK)


def _time_line(descriptor: int, line: bytes) -> float:
    began = time.perf_counter()
    os.write(descriptor, line)
    os.fdatasync(descriptor)
    return time.perf_counter() - began


def insert() -> Finding:
    """Insert a signal into the real tables and roll that back."""
    seconds = time_insert(config.journal().identity)
    return _judged(seconds, "to insert a signal; rolled back", SLOW_DATABASE)


def commit(known: Known) -> Finding:
    """Return how long the commits of the last hour took."""
    mean = known.growth.mean("argo_flush_commit_seconds") if known.growth else None
    if mean is None:
        return skipped("no flush was counted in the last hour")
    return _judged(mean, f"for the average commit of a flush {known.period()}", SLOW_DISK)


def broker() -> Finding:
    """Return if the Celery broker answers, also while the database does not."""
    return next(map(Finding.of, broker_problems()), ok("answers"))


def queues() -> Finding:
    """Send a message to all workers, and time the first reply for each queue that has a worker.

    A worker answers from the loop that takes its messages, even while a task runs.
    """
    workers = [row for row in Signs.read().living if row.role == WORKER]
    served = queues_in_use() & {queue for row in workers for queue in row.queues.split()}
    if not served:
        return skipped("no worker lives")
    times = _round_trips(len(workers))
    answered = sorted(served & set(times))
    shown = ", ".join(f"{name} {milliseconds(times[name])}" for name in answered)
    if silent := ", ".join(sorted(served - set(times))):
        text = f"No worker answers for {silent} within {REPLY_WAIT:g} s."
        return problem(f"{text} {shown}".strip(), NO_REPLY)
    if max(times[name] for name in answered) > TARGET:
        return warning(f"A message and its answer take long: {shown}.", SLOW_QUEUE)
    return ok(f"a message and its answer: {shown}")


def _round_trips(workers: int) -> dict[str, float]:
    """Return the seconds to the first reply of a worker of each queue."""
    times: dict[str, float] = {}
    began = time.perf_counter()

    def note(reply: dict[str, list[dict[str, str]]]) -> None:
        seconds = time.perf_counter() - began
        for served in reply.values():
            for queue in served:
                times.setdefault(queue["name"].partition(".")[0], seconds)

    app.control.broadcast(
        "active_queues", reply=True, timeout=REPLY_WAIT, limit=workers, callback=note
    )
    return times


def _judged(seconds: float, what: str, advice: str) -> Finding:
    text = f"{milliseconds(seconds)} {what}"
    if seconds > TARGET:
        return problem(f"{text}: more than a signal may take from call to row.", advice)
    return warning(f"{text}.", advice) if seconds > SLOW else ok(text)


def questions(known: Known) -> list[Question]:
    """Return the questions about each stage."""
    return [
        Question("journal line", journal_line),
        Question("insert", insert, needs=(DATABASE,)),
        Question("commit", lambda: commit(known)),
        Question(BROKER, broker),
        Question("queues", queues, needs=(DATABASE, BROKER)),
    ]
