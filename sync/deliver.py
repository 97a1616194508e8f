"""Sends what is due to Alpine, many at once, and writes down how each of it stands."""

import logging
import os
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from django.conf import settings

from signals.clock import Clock, utc_now
from sync import breaker
from sync.alpine import RETRIES, AlpineSyncService, Answer
from sync.breaker import Permit
from sync.claims import Claimed, Claims, Result, Status
from sync.errors import SyncError
from sync.schedule import next_attempt

logger = logging.getLogger(__name__)


Outcome = Answer | SyncError | None
"""What Alpine said, why it did not take the signal, or None where it was not asked."""


class Stopping(Exception):
    """The worker is to end: who waits between two tries waits no longer."""


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

    `lease` is how long a dead worker's deliveries wait to be taken up again. `stop` ends a run:
    what is under way is finished, the rest released.
    """

    service: AlpineSyncService
    concurrency: int = 8
    max_attempts: int = 15
    lease: timedelta = timedelta(minutes=5)
    clock: Clock = utc_now
    chance: Callable[[], float] = random.random
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._claims = Claims(f"{os.getpid()}-{uuid4().hex}", self.lease)

    def run(self) -> Tally:
        """Send until nothing is due, or Alpine is to be spared."""
        tally = Tally()
        under_way: set[Future[Sent]] = set()
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="alpine") as pool:
            while True:
                under_way |= self._start(pool, len(under_way))
                if not under_way:
                    return tally
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                self._record([future.result() for future in done], tally)

    def _start(self, pool: ThreadPoolExecutor, under_way: int) -> "set[Future[Sent]]":
        """Claim and send more, once there is room for several."""
        room = 2 * self.concurrency - under_way
        if room < self.concurrency or self.stop.is_set():
            return set()
        now = self.clock()
        permit = breaker.permit(now, self.service.key_digest)
        if permit is Permit.ALL:
            return {pool.submit(self._send, each) for each in self._claims.claim(room, now)}
        if permit is Permit.ONE:
            claimed = self._claims.claim(1, now)
            if not claimed:
                breaker.probe_again(now)
            return {pool.submit(self._send, each, is_probe=True) for each in claimed}
        return set()

    def _send(self, claimed: Claimed, *, is_probe: bool = False) -> "Sent":
        """On a thread of the pool, without the database."""
        if self.stop.is_set():
            return Sent(claimed, None, is_probe)
        try:
            retries = 0 if is_probe else RETRIES
            answer = self.service.send(claimed.signal_id, claimed.body, retries=retries)
            return Sent(claimed, answer, is_probe)
        except SyncError as error:
            return Sent(claimed, error, is_probe)
        except Stopping:
            return Sent(claimed, None, is_probe)

    def _record(self, sent: Sequence["Sent"], tally: Tally) -> None:
        if any(_is_alpines_answer(each.outcome) for each in sent):
            breaker.succeeded()
        results = [self._result(each) for each in sent]
        mine = self._claims.record(results)
        if mine < len(results):
            logger.warning(
                "%d deliveries took longer than their lease: another worker has them, and Alpine "
                "may get them twice",
                len(results) - mine,
            )
        for result in results:
            tally.add(result)

    def _result(self, sent: "Sent") -> Result:
        """How the delivery stands now; the breaker hears of it."""
        claimed, outcome, now = sent.claimed, sent.outcome, self.clock()
        if outcome is None:
            if sent.is_probe:
                breaker.probe_again(now)
            return released(claimed, now)
        if isinstance(outcome, Answer):
            return Result(claimed, Status.DELIVERED, claimed.attempts, now, *outcome, now)
        key = self.service.key_digest
        if not _is_alpines_answer(outcome) and breaker.failed(
            outcome, now, key, was_probe=sent.is_probe
        ):
            return released(claimed, now, outcome)
        return self._postponed(claimed, outcome, now)

    def _postponed(self, claimed: Claimed, error: SyncError, now: datetime) -> Result:
        is_dead = error.permanent or claimed.attempts >= self.max_attempts
        due = next_attempt(claimed.attempts, now, self.chance(), error.retry_after)
        status = Status.DEAD if is_dead else Status.PENDING
        if is_dead:
            logger.error("Dead letter: Alpine does not take %s: %s", claimed.signal_id, error)
        return Result(claimed, status, claimed.attempts, due, error.status, str(error))


class Sent(NamedTuple):
    """A delivery that was claimed, and what came of it."""

    claimed: Claimed
    outcome: Outcome
    is_probe: bool


def released(claimed: Claimed, now: datetime, error: SyncError | None = None) -> Result:
    """Back in the queue, as if it had not been claimed: the attempt does not count."""
    answer = str(error) if error else ""
    status = error.status if error else None
    return Result(claimed, Status.PENDING, claimed.attempts - 1, now, status, answer)


def _is_alpines_answer(outcome: Outcome) -> bool:
    """Whether Alpine is there and lets us in, whatever it thinks of the signal."""
    if isinstance(outcome, SyncError):
        return not (outcome.is_transport or outcome.is_refused_key)
    return outcome is not None


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
