"""Sends the due deliveries of a queue, many at a time, and stores the new state of each."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from signals.clock import Clock, utc_now
from signals.owner import new_owner_id
from sync import metrics
from sync.alpine import RETRIES, AlpineSyncService
from sync.breaker import ALPINE, CircuitBreaker, Permit
from sync.claims import ClaimedDelivery, Claims, DeliveryResult, Status
from sync.queue import TO_ALPINE, DeliveryQueue
from sync.retry import DELIVERY_LEASE, SyncError
from sync.sender import Sender, Sent, Stopping
from sync.service import Answer, Service

logger = logging.getLogger(__name__)

CLAIMS_PER_THREAD = 4
"""Deliveries claimed for each sending thread, so that no thread waits for work."""


@dataclass
class DeliveryCounts:
    """The deliveries of one run, counted by their result."""

    delivered: int = 0
    postponed: int = 0
    dead: int = 0
    released: int = 0

    def __add__(self, other: "DeliveryCounts") -> "DeliveryCounts":
        return DeliveryCounts(
            self.delivered + other.delivered,
            self.postponed + other.postponed,
            self.dead + other.dead,
            self.released + other.released,
        )

    def add(self, result: DeliveryResult) -> None:
        """Count one result."""
        kind = kind_of(result)
        setattr(self, kind, getattr(self, kind) + 1)


def kind_of(result: DeliveryResult) -> str:
    """Return the name of the count that the result belongs to."""
    if result.status == Status.DELIVERED:
        return "delivered"
    if result.status == Status.DEAD:
        return "dead"
    return "released" if result.attempts < result.claimed.attempts else "postponed"


def _count(result: DeliveryResult) -> None:
    metrics.ATTEMPTS.labels(kind_of(result)).inc()


@dataclass
class Deliverer:
    """Drains a queue of deliveries into one service, with `concurrency` requests at a time.

    `lease` is how long the deliveries of a dead worker wait until another worker takes them; a
    living worker renews it. `stop` ends a run: requests under way finish, the rest is released.
    Nothing is begun while `may_send` returns False. `gone` is called if the receiver wants nothing
    more; `count` gets each result, and `rest` is called before a wait.
    """

    service: Service
    concurrency: int = 8
    max_attempts: int = 15
    queue: DeliveryQueue = TO_ALPINE
    breaker: CircuitBreaker = ALPINE
    retries: int = RETRIES
    may_send: Callable[[], bool] = lambda: True
    gone: Callable[[SyncError], None] = lambda error: None
    count: Callable[[DeliveryResult], None] = _count
    rest: Callable[[], None] = lambda: None
    lease: timedelta = DELIVERY_LEASE
    clock: Clock = utc_now
    chance: Callable[[], float] = random.random
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._claims = Claims(new_owner_id(), self.lease, self.queue)
        self._renew_interval = self.lease.total_seconds() / 4

    def run(self) -> DeliveryCounts:
        """Send until nothing is due or the breaker allows nothing more."""
        counts = DeliveryCounts()
        renewed = time.monotonic()
        sending = Sender(
            self.service, self.concurrency, self.stop,
            retries=self.retries, about=self.queue.about,
        )  # fmt: skip
        with sending as sender:
            while True:
                self._start(sender)
                if not sender.under_way:
                    return counts
                self.rest()
                self._record(sender, sender.finished(self._renew_interval), counts)
                if time.monotonic() - renewed >= self._renew_interval:
                    self._claims.renew(self.clock())
                    renewed = time.monotonic()

    def _start(self, sender: Sender) -> None:
        """Claim and send more as soon as there is room for several."""
        limit = CLAIMS_PER_THREAD * self.concurrency
        room = limit - sender.under_way
        if 2 * room < limit or sender.is_holding or self.stop.is_set() or not self.may_send():
            return
        now = self.clock()
        permit = self.breaker.permit(now, self.service.key_digest)
        if permit is Permit.ALL:
            sender.send(self._claims.claim(room, now))
        elif permit is Permit.ONE:
            self._probe(sender, now)
        else:
            sender.hold()

    def _probe(self, sender: Sender, now: datetime) -> None:
        claimed = self._claims.claim(1, now)
        if not claimed:
            self.breaker.release_probe(now)
        sender.send(claimed, is_probe=True)

    def _record(self, sender: Sender, sent: Sequence[Sent], counts: DeliveryCounts) -> None:
        if any(each.is_answered for each in sent):
            self.breaker.succeeded()
        results = [self._result(sender, each) for each in sent]
        recorded = self._claims.record(results)
        if recorded < len(results):
            logger.warning(
                "%d deliveries took longer than their lease: another worker has them, and %s may "
                "get them twice",
                len(results) - recorded, self.breaker.title,
            )  # fmt: skip
        for result in results:
            counts.add(result)
            self.count(result)
        self._log_retries(results)

    def _result(self, sender: Sender, sent: Sent) -> DeliveryResult:
        """Return the new state of the delivery, and report the reply to the breaker."""
        claimed, reply, now = sent.claimed, sent.reply, self.clock()
        if sent.is_probe and sent.is_unsent:
            self.breaker.release_probe(now)
        if reply is None:
            return released(claimed, now)
        if isinstance(reply, Answer):
            return DeliveryResult(
                claimed, Status.DELIVERED, claimed.attempts, now, *reply, delivered_at=now
            )
        if self._affects_all(sent, reply, now):
            sender.hold()
            return released(claimed, now, reply)
        return self._postponed(claimed, reply, now)

    def _affects_all(self, sent: Sent, error: SyncError, now: datetime) -> bool:
        """Return whether nothing more is sent for now, or ever."""
        if error.ends_target:
            self.gone(error)
            return True
        key = self.service.key_digest
        may_affect_all = error.is_transport or error.is_refused_key
        return may_affect_all and self.breaker.failed(error, now, key, was_probe=sent.is_probe)

    def _postponed(
        self, claimed: ClaimedDelivery, error: SyncError, now: datetime
    ) -> DeliveryResult:
        is_dead = error.permanent or claimed.attempts >= self.max_attempts
        due = self.queue.schedule.next_attempt(
            claimed.attempts, now, self.chance(), error.retry_after
        )
        status = Status.DEAD if is_dead else Status.PENDING
        if is_dead:
            with self.queue.about(claimed.name):
                logger.error("Dead letter: %s does not accept %r: %s",
                             self.breaker.title, claimed.name, error)  # fmt: skip
        return DeliveryResult(claimed, status, claimed.attempts, due, error.status, str(error))

    def _log_retries(self, results: Sequence[DeliveryResult]) -> None:
        """Log in one line that deliveries failed and are tried again: there may be thousands."""
        retried = [
            each
            for each in results
            if each.status == Status.PENDING and each.attempts == each.claimed.attempts
        ]
        if retried:
            last = retried[-1]
            with self.queue.about(last.claimed.name):
                logger.warning("%d deliveries failed and are tried again later; the last: %s",
                               len(retried), last.last_answer)  # fmt: skip


def released(
    claimed: ClaimedDelivery, now: datetime, error: SyncError | None = None
) -> DeliveryResult:
    """Return the delivery to the queue, due at once; the attempt does not count."""
    answer = str(error) if error else ""
    status = error.status if error else None
    return DeliveryResult(claimed, Status.PENDING, claimed.attempts - 1, now, status, answer)


def deliverer(stop: threading.Event) -> Deliverer:
    """Return a deliverer with the settings' values; `stop` also ends its waits between tries."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopping

    return Deliverer(
        AlpineSyncService.from_settings(sleep=sleep),
        concurrency=settings.SYNC_CONCURRENCY,
        max_attempts=settings.SYNC_MAX_ATTEMPTS,
        stop=stop,
    )
