"""Sends claimed deliveries on threads, which know nothing of the database."""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple

from sync.alpine import RETRIES, AlpineSyncService, Answer
from sync.claims import Claimed
from sync.errors import SyncError

logger = logging.getLogger(__name__)

LINGER = 0.05
"""Seconds for which a result waits for others, so that they are written down together."""

Outcome = Answer | SyncError | None
"""What Alpine said, why it did not take the signal, or None where it was not asked."""


class Stopping(Exception):
    """The worker is to end: who waits between two tries waits no longer."""


class Sent(NamedTuple):
    """A delivery that was claimed, and what came of it."""

    claimed: Claimed
    outcome: Outcome
    is_probe: bool

    @property
    def is_answered(self) -> bool:
        """Whether Alpine is there and lets us in, whatever it thinks of the signal."""
        if isinstance(self.outcome, SyncError):
            return self.outcome.status is not None and not self.outcome.is_refused_key
        return self.outcome is not None

    @property
    def is_untried(self) -> bool:
        """Whether Alpine was not even asked."""
        if isinstance(self.outcome, SyncError):
            return self.outcome.status is None and not self.outcome.is_transport
        return self.outcome is None


class Sender:
    """So many requests at once. Use it in a `with`, whose end waits for what is under way.

    While `stop` is set nothing more is sent, nor after `hold` until all of it has come back:
    what was given to `send` comes back without an outcome.
    """

    def __init__(self, service: AlpineSyncService, threads: int, stop: threading.Event) -> None:
        self.under_way = 0
        self.is_holding = False
        self._service, self._threads, self._stop = service, threads, stop
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="alpine")
        self._done: SimpleQueue[Future[Sent]] = SimpleQueue()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_holding = True
        self._pool.shutdown()

    def send(self, claimed: Iterable[Claimed], *, is_probe: bool = False) -> None:
        """Begin with these; a probe is tried only once."""
        for each in claimed:
            self.under_way += 1
            self._pool.submit(self._send, each, is_probe).add_done_callback(self._done.put)

    def hold(self) -> None:
        """Send nothing of what has not begun."""
        self.is_holding = self.under_way > 0

    def finished(self, patience: float) -> list[Sent]:
        """What is done, several at once where they come soon; none after so many seconds."""
        sent: list[Sent] = []
        ends = time.monotonic() + patience
        try:
            while len(sent) < min(2 * self._threads, self.under_way):
                sent.append(self._done.get(timeout=max(0.0, ends - time.monotonic())).result())
                ends = min(ends, time.monotonic() + LINGER) if len(sent) == 1 else ends
        except Empty:
            pass
        self.under_way -= len(sent)
        self.is_holding = self.is_holding and self.under_way > 0
        return sent

    def _send(self, claimed: Claimed, is_probe: bool) -> Sent:
        if self._stop.is_set() or self.is_holding:
            return Sent(claimed, None, is_probe)
        try:
            retries = 0 if is_probe else RETRIES
            answer = self._service.send(claimed.signal_id, claimed.body, retries=retries)
            return Sent(claimed, answer, is_probe)
        except SyncError as error:
            if error.is_refused_key:
                self.is_holding = True  # the next would be refused as well
            return Sent(claimed, error, is_probe)
        except Stopping:
            return Sent(claimed, None, is_probe)
        except Exception as error:  # a fault of ours costs this one an attempt
            logger.exception("A fault in sending %r", claimed.signal_id)
            return Sent(claimed, SyncError(f"a fault: {error!r}", permanent=False), is_probe)
