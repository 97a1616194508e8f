"""Signs of life: each worker, and beat, writes a row every few seconds.

A row says that the process runs and that its main loop turns: a worker takes messages, beat sends
them. The main loop proves it each time; a process whose loop hangs stops writing. A task that runs
for long, or for ever, does not stop the heartbeat. Such a task shows in the age of the work that
it should do: a journal line, a decision, a delivery or a price that is too old.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connections

from signals.dialect import database_now
from signals.ledger.ownership import MISSING_AFTER
from signals.market.watched import OldPrice
from signals.models import Heartbeat

logger = logging.getLogger(__name__)

INTERVAL = 15.0
"""Seconds between two heartbeats of a process."""
STUCK_AFTER = 45.0
"""Seconds without a turn of the main loop, after which the process does not count as alive."""
KEPT = timedelta(days=1)
"""Older rows are deleted."""
START_WAIT = 2.0
"""Seconds that the start of a process waits for its first heartbeat, so that health is right once
Argo is ready."""

WORKER, BEAT = "worker", "beat"
Prove = Callable[[], None]


class Process(NamedTuple):
    """This process, as its heartbeats name it. `node` is the identity of its machine's journal."""

    node: str
    role: str
    queues: tuple[str, ...] = ()
    host: str = socket.gethostname()


class Heart:
    """Writes this process's heartbeats on a thread of its own.

    `ask` gets a function and must have the process's main loop call it. `old_price` returns the
    oldest price in use that is too old. `duties` are called after each heartbeat. A database that
    fails or hangs affects this thread only.
    """

    def __init__(
        self,
        process: Process,
        ask: Callable[[Prove], object],
        *,
        old_price: Callable[[], OldPrice | None] = lambda: None,
        duties: Sequence[Callable[[], object]] = (),
        interval: float = INTERVAL,
        stuck_after: float = STUCK_AFTER,
    ) -> None:
        self._process = process
        self._ask = ask
        self._old_price = old_price
        self._duties = duties
        self._interval = interval
        self._stuck_after = stuck_after
        self._proved = time.monotonic()
        self._tried, self._stop = threading.Event(), threading.Event()
        self._started_at: datetime | None = None
        self._is_failing = False

    def start(self) -> None:
        """Start the thread; return after its first heartbeat, or after `START_WAIT` seconds."""
        threading.Thread(target=self._run, name="heart", daemon=True).start()
        self._tried.wait(START_WAIT)

    def stop(self) -> None:
        """Write no more heartbeats."""
        self._stop.set()

    def prove(self) -> None:
        """Record that the main loop has turned."""
        self._proved = time.monotonic()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._ask(self.prove)
            if time.monotonic() - self._proved < self._stuck_after:
                self._beat()
            self._tried.set()
            self._stop.wait(self._interval)

    def _beat(self) -> None:
        try:
            self._write()
            for duty in self._duties:
                duty()
            self._is_failing = False
        except Exception as error:  # noqa: BLE001  # the process must not suffer from it
            if not self._is_failing:
                logger.warning("No heartbeat could be written (%s); trying again", error)
            self._is_failing = True
        finally:
            connections.close_all()

    def _write(self) -> None:
        now = database_now()
        self._started_at = self._started_at or now
        old = self._old_price()
        process = self._process
        Heartbeat.objects.update_or_create(
            node=process.node,
            host=process.host,
            role=process.role,
            pid=os.getpid(),
            defaults={
                "queues": " ".join(process.queues),
                "started_at": self._started_at,
                "seen_at": now,
                "old_price_of": old.symbol if old else "",
                "old_price_at": old.time if old else None,
            },
        )
        forget_old(now)


def forget_old(now: datetime) -> None:
    """Delete the rows of processes that ended long ago."""
    old = Heartbeat.objects.filter(seen_at__lt=now - KEPT)
    if old.exists():  # on SQLite even an empty delete waits for every writer
        old.delete()


class Signs:
    """The heartbeats of all machines, as they are at one moment of the database's clock."""

    def __init__(self, rows: Iterable[Heartbeat], now: datetime) -> None:
        self.rows = list(rows)
        self._now = now

    @classmethod
    def read(cls) -> "Signs":
        """Return the heartbeats in the database."""
        return cls(Heartbeat.objects.order_by("role", "queues", "host", "pid"), database_now())

    @property
    def living(self) -> list[Heartbeat]:
        """Return the heartbeats of the processes that live.

        One from the future shows nothing: the clock was ahead when it was written.
        """
        return [row for row in self.rows if abs(self._now - row.seen_at) <= MISSING_AFTER]

    def serves(self, queue: str, node: str | None = None) -> bool:
        """Return whether a worker of this queue lives; with `node`, on that machine."""
        return any(queue in _served(row, node) for row in self.living)

    def silent_for(self, queue: str, node: str | None = None) -> float | None:
        """Return the seconds since the last sign of a worker of this queue; None without any."""
        return self._since(row.seen_at for row in self.rows if queue in _served(row, node))

    def has_beat(self) -> bool:
        """Return whether a beat lives."""
        return any(row.role == BEAT for row in self.living)

    def beat_silent_for(self) -> float | None:
        """Return the seconds since the last sign of beat; None without any."""
        return self._since(row.seen_at for row in self.rows if row.role == BEAT)

    def _since(self, moments: Iterable[datetime]) -> float | None:
        last = max(moments, default=None)
        return None if last is None else (self._now - last).total_seconds()


def _served(row: Heartbeat, node: str | None) -> Collection[str]:
    return row.queues.split() if node in (None, row.node) else ()
