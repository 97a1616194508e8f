"""The flush with the public record and without: of a backlog, and of signals that keep coming.

A worker of its own does beside it what `up` has done: it gives indexes, enters, and publishes.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread

from django.conf import settings
from django.db import connection

from signals.config import journal, sequencer
from signals.ledger.flush import Flusher
from signals.record.log import service
from signals.record.log.giving_way import FlushFirst
from tests.benchmarks import samples
from tests.benchmarks.figures import Figure, number, times_as_fast
from tests.benchmarks.rounds import Side, medians, seconds
from tests.benchmarks.workspace import Workspace

WORK = "import django; django.setup(); from tests.benchmarks.record_beside import work; work()"
WITH, WITHOUT, END = "with", "without", "end"
BURST, PAUSE = 50, 0.05
"""Signals that come at once, and seconds from one burst to the next: 1,000 a second."""


class Worker:
    """Works beside the flush in another process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._answers = process.stdin, process.stdout

    def begin(self, order: str) -> None:
        """Begin to give indexes, and WITH a record to enter and publish too."""
        self._say(order)

    def end(self) -> float:
        """Have all that is left done; return the seconds that it takes."""
        return seconds(lambda: self._say(END), self._answers.readline)

    def _say(self, order: str) -> None:
        self._orders.write(f"{order}\n")
        self._orders.flush()


@contextmanager
def a_worker() -> Iterator[Worker]:
    """Run a worker; it ends with the block."""
    command = [sys.executable, "-c", WORK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Worker(process)


def figures(workspace: Workspace, first: int) -> Iterator[Figure]:
    """Compare; `first` is the number of the first signal that is free."""
    backlog = _Rounds(workspace.size(100_000, 20_000), first, _flush_backlog)
    live = _Rounds(workspace.size(5000, 2000), first + 4_000_000, _flush_live)
    with a_worker() as worker:
        yield from backlog.figures(worker, workspace.size(7, 3), "of a backlog")
        yield from live.figures(worker, workspace.size(7, 3), "of 1,000 signals a second")
    yield Figure(
        "- until the record has all of the backlog, after its flush",
        f"{number(backlog.late)} s",
    )


class _Rounds:
    """Rounds of `count` new signals each, from number `first` on."""

    def __init__(self, count: int, first: int, flush: Callable[[int, int], float]) -> None:
        self._count, self._next, self._flush = count, first, flush
        self.late = 0.0

    def figures(self, worker: Worker, rounds: int, what: str) -> Iterator[Figure]:
        """Yield how fast the flush is with a record, against without."""
        self._round(worker, WITHOUT)  # the first one warms up
        sides: dict[str, Side] = {
            name: lambda _, name=name: self._round(worker, name)  # type: ignore[misc]
            for name in (WITH, WITHOUT)
        }
        rates = medians(rounds, sides)
        yield times_as_fast(f"flush {what} beside the record", rates[WITH], rates[WITHOUT],
                            target=0.98, name="without a record")  # fmt: skip

    def _round(self, worker: Worker, order: str) -> float:
        """Return the signals that are flushed in a second."""
        first, self._next = self._next, self._next + self._count
        if self._flush is _flush_backlog:
            samples.fill(journal(), self._count, first)
        _settle()
        worker.begin(order)
        taken = self._flush(self._count, first)
        late = worker.end()
        if order == WITH:
            self.late = max(self.late, late)
        return self._count / taken


def _flush_backlog(count: int, first: int) -> float:
    return seconds(Flusher(journal()).flush)


def _flush_live(count: int, first: int) -> float:
    """Append bursts, and flush each; return the seconds that the flushes take in all."""
    lines = samples.encoded(samples.signals(count, first))
    taken, began = 0.0, time.perf_counter()
    for burst in range(0, count, BURST):
        due = began + burst / BURST * PAUSE
        time.sleep(max(0.0, due - time.perf_counter()))
        journal().append(lines[burst : burst + BURST])
        taken += seconds(Flusher(journal()).flush)
    return taken


def _settle() -> None:
    """Empty the WAL, so that this round does not pay for the one before."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()


def work() -> None:
    """Do what the orders on standard input say, until they end."""
    orders: Queue[str] = Queue()
    Thread(target=_read, args=(orders,), daemon=True).start()
    with_record, without = _step(), sequencer().assign
    while order := orders.get():
        step = with_record if order == WITH else without
        while not _has(orders, settings.SIGNAL_FLUSH_LINGER):
            step()
        orders.get()
        time.sleep(service.LINGER)
        with_record()
        print("done", flush=True)


def _read(orders: "Queue[str]") -> None:
    for line in sys.stdin:
        orders.put(line.strip())
    orders.put("")


def _has(orders: "Queue[str]", seconds: float) -> bool:
    """Wait for an order; return whether there is one, which stays in the queue."""
    try:
        orders.put(orders.get(timeout=seconds))
    except Empty:
        return False
    return True


def _step() -> Callable[[], object]:
    """Return what gives indexes, and enters and publishes as often as the tasks do."""
    from tests.benchmarks.record import enterer, publisher  # which import this module

    signing, entering = publisher(), enterer(FlushFirst(journal()))
    done = 0.0

    def step() -> None:
        nonlocal done
        sequencer().assign()
        if time.monotonic() - done >= service.LINGER:
            for _ in entering.batches():
                signing.publish()
            done = time.monotonic()

    return step
