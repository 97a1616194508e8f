"""Sends what is due to Alpine, many at once, and writes down how each of it stands."""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings

from signals.clock import Clock, utc_now
from sync import breaker
from sync.alpine import AlpineSyncService, Answer
from sync.breaker import Permit
from sync.claims import Claimed, Claims, Result, Status
from sync.errors import SyncError
from sync.retry import LEASE, next_attempt
from sync.sender import Sender, Sent, Stopping

logger = logging.getLogger(__name__)

AHEAD = 4
"""So many times as many are claimed as are sent at once, so that no thread waits for work."""


@dataclass
class Tally:
    """What became of the deliveries of one run."""

    delivered: int = 0
    postponed: int = 0
    dead: int = 0
    released: int = 0

    def add(self, result: Result) -> None:
        """Count one."""
        if result.status == Status.DELIVERED:
            self.delivered += 1
        elif result.status == Status.DEAD:
            self.dead += 1
        elif result.attempts < result.claimed.attempts:
            self.released += 1
        else:
            self.postponed += 1


@dataclass
class Deliverer:
    """Drains the queue of deliveries into one service, with so many requests at once.

    `lease` is how long a dead worker's deliveries wait to be taken up again; a living one renews
    it. `stop` ends a run: what is under way is finished, the rest released.
    """

    service: AlpineSyncService
    concurrency: int = 8
    max_attempts: int = 15
    lease: timedelta = LEASE
    clock: Clock = utc_now
    chance: Callable[[], float] = random.random
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._claims = Claims(f"{os.getpid()}-{uuid4().hex}", self.lease)
        self._renew_every = self.lease.total_seconds() / 4

    def run(self) -> Tally:
        """Send until nothing is due, or Alpine is to be spared."""
        tally = Tally()
        renewed = time.monotonic()
        with Sender(self.service, self.concurrency, self.stop) as sender:
            while True:
                self._start(sender)
                if not sender.under_way:
                    return tally
                self._record(sender, sender.finished(self._renew_every), tally)
                if time.monotonic() - renewed >= self._renew_every:
                    self._claims.renew(self.clock())
                    renewed = time.monotonic()

    def _start(self, sender: Sender) -> None:
        """Claim and send more, once there is room for several."""
        room = AHEAD * self.concurrency - sender.under_way
        if 2 * room < AHEAD * self.concurrency or sender.is_holding or self.stop.is_set():
            return
        now = self.clock()
        permit = breaker.permit(now, self.service.key_digest)
        if permit is Permit.ALL:
            sender.send(self._claims.claim(room, now))
        elif permit is Permit.ONE:
            self._probe(sender, now)
        else:
            sender.hold()

    def _probe(self, sender: Sender, now: datetime) -> None:
        claimed = self._claims.claim(1, now)
        if not claimed:
            breaker.probe_again(now)
        sender.send(claimed, is_probe=True)

    def _record(self, sender: Sender, sent: Sequence[Sent], tally: Tally) -> None:
        if any(each.is_answered for each in sent):
            breaker.succeeded()
        results = [self._result(sender, each) for each in sent]
        mine = self._claims.record(results)
        if mine < len(results):
            logger.warning(
                "%d deliveries took longer than their lease: another worker has them, and Alpine "
                "may get them twice",
                len(results) - mine,
            )
        for result in results:
            tally.add(result)

    def _result(self, sender: Sender, sent: Sent) -> Result:
        """How the delivery stands now; the breaker hears of it."""
        claimed, outcome, now = sent.claimed, sent.outcome, self.clock()
        if sent.is_probe and sent.is_untried:
            breaker.probe_again(now)
        if outcome is None:
            return released(claimed, now)
        if isinstance(outcome, Answer):
            return Result(claimed, Status.DELIVERED, claimed.attempts, now, *outcome, now)
        key = self.service.key_digest
        is_general = outcome.is_transport or outcome.is_refused_key
        if is_general and breaker.failed(outcome, now, key, was_probe=sent.is_probe):
            sender.hold()
            return released(claimed, now, outcome)
        return self._postponed(claimed, outcome, now)

    def _postponed(self, claimed: Claimed, error: SyncError, now: datetime) -> Result:
        is_dead = error.permanent or claimed.attempts >= self.max_attempts
        due = next_attempt(claimed.attempts, now, self.chance(), error.retry_after)
        status = Status.DEAD if is_dead else Status.PENDING
        if is_dead:
            logger.error("Dead letter: Alpine does not take %r: %s", claimed.signal_id, error)
        return Result(claimed, status, claimed.attempts, due, error.status, str(error))


def released(claimed: Claimed, now: datetime, error: SyncError | None = None) -> Result:
    """Back in the queue, due at once; the attempt does not count."""
    answer = str(error) if error else ""
    status = error.status if error else None
    return Result(claimed, Status.PENDING, claimed.attempts - 1, now, status, answer)


def deliverer(stop: threading.Event) -> Deliverer:
    """As the settings describe it."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopping

    return Deliverer(
        AlpineSyncService.from_settings(sleep=sleep),
        concurrency=settings.SYNC_CONCURRENCY,
        max_attempts=settings.SYNC_MAX_ATTEMPTS,
        stop=stop,
    )
