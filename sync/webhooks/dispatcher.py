"""Sends the events that are due: each subscription on a thread of its own, so none delays another.

The rows say what waits: a run can be killed at any moment, and the next one goes on after the
leases.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import orjson
from django.conf import settings
from django.db import close_old_connections, connection, connections

from signals.ahead import limit
from signals.clock import Clock, utc_now
from sync import breaker, metrics
from sync.claims import DeliveryResult
from sync.models import Subscription
from sync.queue import to_subscription
from sync.retry import DELIVERY_LEASE, SCHEDULE, SyncError
from sync.webhooks import subscriptions
from sync.webhooks.receiver import Receiver
from sync.worker import Deliverer, DeliveryCounts, kind_of

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 256
"""Subscriptions that are sent to at the same time."""
LOOK_EVERY = 0.5
"""Seconds between two looks for subscriptions that have something due, while others are busy."""
REST = 5.0
"""Seconds for which a subscription that took nothing is left alone by the same run."""
# A time that only a clock which was ahead can have written counts as due; see sync.claims.
_DUE = """
SELECT id FROM subscriptions WHERE state = 'active' AND EXISTS (
    SELECT 1 FROM event_deliveries WHERE subscription_id = subscriptions.id
    AND status IN ('pending', 'sending') AND (due_at <= %s OR due_at > %s
        OR (due_at > %s AND status = 'sending') OR (due_at > %s AND attempts = 0))
) ORDER BY id
"""


@dataclass
class Dispatcher:
    """Sends what is due to every active subscription, until nothing more can be sent now.

    `stop` ends a run: requests under way finish, the rest is released.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    clock: Clock = utc_now
    lease: timedelta = DELIVERY_LEASE

    def __post_init__(self) -> None:
        self._busy: dict[int, Future[DeliveryCounts]] = {}
        self._resting: dict[int, float] = {}
        self._total = DeliveryCounts()

    def run(self) -> DeliveryCounts:
        """Send; return what became of the events. Raises what a thread raised, after the others."""
        failures: list[BaseException] = []
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="events") as pool:
            while True:
                self._start_each(pool)
                if not self._busy:
                    break
                wait_for(self._busy.values(), LOOK_EVERY, FIRST_COMPLETED)
                failures += self._finished()
        if failures:
            raise failures[0]
        return self._total

    def _start_each(self, pool: ThreadPoolExecutor) -> None:
        if self.stop.is_set():
            return
        for pk in self._due():
            is_resting = time.monotonic() - self._resting.get(pk, float("-inf")) < REST
            if pk not in self._busy and not is_resting:
                self._busy[pk] = pool.submit(self._send, pk)

    def _due(self) -> list[int]:
        """Return the active subscriptions that something is due for."""
        now, adapt = self.clock(), connection.ops.adapt_datetimefield_value
        longest = SCHEDULE.longest_wait(1000, is_answered=True)
        ahead = [limit(now, longest), limit(now, self.lease), limit(now)]
        try:
            with connection.cursor() as cursor:
                cursor.execute(_DUE, [adapt(moment) for moment in (now, *ahead)])
                return [row[0] for row in cursor.fetchall()]
        finally:
            close_old_connections()

    def _finished(self) -> list[BaseException]:
        """Take the results of threads that have ended; return their failures."""
        failures = []
        for pk, future in [*self._busy.items()]:
            if not future.done():
                continue
            del self._busy[pk]
            if (error := future.exception()) is not None:
                logger.error("Sending the events of subscription %d failed", pk, exc_info=error)
                failures.append(error)
            if error is not None or not self._add(future.result()):
                self._resting[pk] = time.monotonic()
        return failures

    def _add(self, counts: DeliveryCounts) -> int:
        self._total = self._total + counts
        return counts.delivered

    def _send(self, pk: int) -> DeliveryCounts:
        try:
            subscription = Subscription.objects.get(pk=pk)
            return deliverer_of(subscription, self.stop, self.clock, self.lease).run()
        finally:
            connections.close_all()


def deliverer_of(
    subscription: Subscription, stop: threading.Event, clock: Clock, lease: timedelta
) -> Deliverer:
    """Return what sends to this subscription, by the settings."""
    return Deliverer(
        Receiver.of(subscription, clock),
        concurrency=settings.WEBHOOK_CONCURRENCY,
        max_attempts=settings.SYNC_MAX_ATTEMPTS,
        queue=to_subscription(subscription.pk),
        breaker=breaker.of_subscription(subscription.pk, subscription.name),
        retries=0,
        may_send=partial(subscriptions.is_active, subscription.pk),
        gone=_ends(subscription, clock),
        count=_count,
        rest=close_old_connections,
        lease=lease,
        clock=clock,
        stop=stop,
    )


def _ends(subscription: Subscription, clock: Clock) -> Callable[[SyncError], None]:
    def end(error: SyncError) -> None:
        why = f"its receiver answered that it wants no more events ({error})"
        subscriptions.end_for_receiver(subscription, why, clock())

    return end


def _count(result: DeliveryResult) -> None:
    kind = orjson.loads(result.claimed.body)["type"]
    metrics.EVENTS.labels(kind, kind_of(result)).inc()
