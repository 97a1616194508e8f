"""Sends claimed deliveries on threads that do not use the database."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple

from sync.claims import ClaimedDelivery
from sync.retry import SyncError
from sync.service import Answer, Service

logger = logging.getLogger(__name__)

LINGER = 0.05
"""Seconds for which a finished request waits for others, so that they are stored together."""

Reply = Answer | SyncError | None
"""The receiver's answer, the reason why it did not accept it, or None if nothing was sent."""


class Stopping(Exception):
    """The worker is ending: a request that waits for its next try gives up."""


class Sent(NamedTuple):
    """A claimed delivery and the reply to it."""

    claimed: ClaimedDelivery
    reply: Reply
    is_probe: bool

    @property
    def is_answered(self) -> bool:
        """Return whether the receiver works and accepts the key, whatever it says of this one."""
        if isinstance(self.reply, SyncError):
            is_useless = self.reply.is_refused_key or self.reply.is_transport
            return self.reply.status is not None and not is_useless
        return self.reply is not None

    @property
    def is_unsent(self) -> bool:
        """Return whether no request was made."""
        if isinstance(self.reply, SyncError):
            return self.reply.status is None and not self.reply.is_transport
        return self.reply is None


class Sender:
    """Sends up to `threads` requests at the same time. Leaving its `with` block waits for them.

    Nothing more is sent in two cases: while `stop` is set, and after `hold` until all open requests
    have ended. Then `send` returns its deliveries without a reply. `about` names a delivery on the
    lines of the log.
    """

    def __init__(
        self,
        service: Service,
        threads: int,
        stop: threading.Event,
        *,
        retries: int,
        about: Callable[[str], AbstractContextManager[None]] = lambda name: nullcontext(),
    ) -> None:
        self.under_way = 0
        self.is_holding = False
        self._service, self._threads, self._stop = service, threads, stop
        self._retries, self._about = retries, about
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sender")
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

    def send(self, claimed: Iterable[ClaimedDelivery], *, is_probe: bool = False) -> None:
        """Start sending these deliveries; a probe is tried only once."""
        for each in claimed:
            self.under_way += 1
            self._pool.submit(self._send, each, is_probe).add_done_callback(self._done.put)

    def hold(self) -> None:
        """Send none of the deliveries that have not begun."""
        self.is_holding = self.under_way > 0

    def finished(self, timeout: float) -> list[Sent]:
        """Return finished deliveries, several if they end close together.

        Return none if nothing finishes within `timeout` seconds.
        """
        sent: list[Sent] = []
        ends = time.monotonic() + timeout
        try:
            while len(sent) < min(2 * self._threads, self.under_way):
                sent.append(self._done.get(timeout=max(0.0, ends - time.monotonic())).result())
                ends = min(ends, time.monotonic() + LINGER) if len(sent) == 1 else ends
        except Empty:
            pass
        self.under_way -= len(sent)
        self.is_holding = self.is_holding and self.under_way > 0
        return sent

    def _send(self, claimed: ClaimedDelivery, is_probe: bool) -> Sent:
        with self._about(claimed.name):
            return self._send_unless_held(claimed, is_probe)

    def _send_unless_held(self, claimed: ClaimedDelivery, is_probe: bool) -> Sent:
        if self._stop.is_set() or self.is_holding:
            return Sent(claimed, None, is_probe)
        try:
            retries = 0 if is_probe else self._retries
            answer = self._service.send(claimed.name, claimed.body, retries=retries)
            logger.debug("Delivered: the receiver answered %d", answer.status)
            return Sent(claimed, answer, is_probe)
        except SyncError as error:
            if error.is_refused_key or error.ends_target:
                self.is_holding = True  # every other request would be refused too
            return Sent(claimed, error, is_probe)
        except Stopping:
            return Sent(claimed, None, is_probe)
        except Exception as error:  # a bug of ours costs this delivery one attempt
            logger.exception("Sending %r failed unexpectedly", claimed.name)
            failure = SyncError(f"an unexpected error: {error!r}", permanent=False)
            return Sent(claimed, failure, is_probe)
