"""Sends the queued messages to people: each target on a thread of its own.

A target that hangs or fails delays neither the others nor the caller. Between two messages to one
target lies NOTIFY_INTERVAL; what was queued meanwhile goes out together. The rows make that hold
for all machines. A message is sent again if the process dies before it has recorded the success.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db import connections
from django.db.models import Max

from signals.ahead import is_ahead, limit
from signals.clock import Clock, utc_now
from signals.owner import new_owner_id
from sync.claims import ClaimedDelivery, Claims, DeliveryResult, Status
from sync.models import Notice
from sync.queue import NOTICE_SCHEDULE, DeliveryQueue, to_people
from sync.quiet import NEVER, QuietHours
from sync.targets import NotSent

logger = logging.getLogger(__name__)

Send = Callable[[str, str, str], None]
"""Sends a title and a body to an address. Raises `NotSent`."""
LEASE = timedelta(minutes=5)
"""How long messages belong to a process that sends them; a hanging target takes no longer."""
GATHERED = 1000
"""Most messages that go out as one; the rest goes with the next one."""
WHOLE, FIRST = 10, 10
"""Up to so many are sent whole; of more than that, the titles of the first and the number."""
SEE = "The page Problems and the log have the rest."
KEPT = timedelta(days=7)
"""Messages older than this are deleted; if a target did not take one by then, that is logged."""


class Message(NamedTuple):
    """What a target gets at one time."""

    title: str
    body: str


class Courier:
    """Sends what waits for the targets, which are addresses by name.

    `interval` is the least time between two messages to one target. In the `quiet` hours only
    urgent ones are sent.
    """

    def __init__(
        self,
        targets: Mapping[str, str],
        interval: timedelta,
        send: Send,
        clock: Clock = utc_now,
        quiet: QuietHours = NEVER,
    ) -> None:
        self._targets = targets
        self._interval = interval
        self._send = send
        self._clock = clock
        self._quiet = quiet
        self._owner = new_owner_id()
        self._under_way: dict[str, threading.Thread] = {}
        self._told: set[str] = set()

    def look(self) -> None:
        """Start to send what is due, and return. A target that still hangs gets nothing more."""
        self._told.clear()
        for name in self._targets:
            self._start(name, self._send_waiting)
        forget_old(self._clock())

    def send_unqueued(self, message: Message) -> None:
        """Start to send this without the database, which does not answer.

        A target that has taken a message in this way gets no other one before the next `look`.
        """
        for name in self._targets.keys() - self._told:
            self._start(name, partial(self._send_directly, message))

    def wait(self, seconds: float) -> None:
        """Wait until nothing is under way, for at most `seconds` for each target."""
        for thread in self._under_way.values():
            thread.join(seconds)

    def _start(self, name: str, work: Callable[[str], None]) -> None:
        before = self._under_way.get(name)
        if before is None or not before.is_alive():
            self._under_way[name] = threading.Thread(
                target=self._run, args=(name, work), name=f"courier-{name}", daemon=True
            )
            self._under_way[name].start()

    def _run(self, name: str, work: Callable[[str], None]) -> None:
        try:
            work(name)
        except NotSent as error:
            logger.warning("The target %s of NOTIFY_URLS got no message: %s", name, error)
        except Exception:
            logger.exception("Sending to the target %s of NOTIFY_URLS failed", name)
        finally:
            connections.close_all()

    def _send_directly(self, message: Message, name: str) -> None:
        self._send(self._targets[name], *message)
        self._told.add(name)

    def _send_waiting(self, name: str) -> None:
        now = self._clock()
        queue = to_people(name, urgent_alone=self._quiet.is_quiet(now))
        if not self._may_send(name, now) or _is_held(queue, now):
            return
        claims = Claims(self._owner, LEASE, queue)
        if not (claimed := claims.claim(GATHERED, now)):
            return
        try:
            self._send(self._targets[name], *gathered(claimed))
        except Exception as error:
            claims.record(self._postponed(claimed, error))
            raise
        now = self._clock()
        claims.record([
            DeliveryResult(each, Status.DELIVERED, each.attempts, now, None, "", now)
            for each in claimed
        ])  # fmt: skip

    def _may_send(self, name: str, now: datetime) -> bool:
        last = Notice.objects.filter(target=name).aggregate(last=Max("delivered_at"))["last"]
        return last is None or now - last >= self._interval or is_ahead(last, now)

    def _postponed(
        self, claimed: Sequence[ClaimedDelivery], error: Exception
    ) -> list[DeliveryResult]:
        """Return the new states after a failed try: all wait for the next one together."""
        attempts = max(each.attempts for each in claimed)
        due = NOTICE_SCHEDULE.next_attempt(attempts, self._clock(), chance=0.5)
        why = str(error) if isinstance(error, NotSent) else type(error).__name__
        return [DeliveryResult(each, Status.PENDING, attempts, due, None, why) for each in claimed]


def _is_held(queue: DeliveryQueue, now: datetime) -> bool:
    """Return whether earlier messages wait for their next try, or are being sent.

    Later ones wait for them, so that they come in order. A wait that only a clock which was ahead
    can have begun holds nothing: `Claims` ends it.
    """
    longest = max(LEASE, NOTICE_SCHEDULE.longest_wait(1000, is_answered=False))
    waiting = queue.waiting().exclude(attempts=0)
    return waiting.filter(due_at__gt=now, due_at__lte=limit(now, longest)).exists()


def gathered(claimed: Sequence[ClaimedDelivery]) -> Message:
    """Return one message with all of these; if they are many, with their number and the first."""
    if len(claimed) == 1:
        return Message(claimed[0].name, claimed[0].body.decode() or claimed[0].name)
    title = f"{len(claimed)} messages from Argo"
    if len(claimed) > WHOLE:
        first = "\n".join(each.name for each in claimed[:FIRST])
        return Message(title, f"{first}\n\n{len(claimed) - FIRST} more. {SEE}")
    return Message(title, "\n\n".join(_whole(each) for each in claimed))


def _whole(claimed: ClaimedDelivery) -> str:
    return f"{claimed.name}\n{claimed.body.decode()}".strip()


def forget_old(now: datetime) -> None:
    """Delete old messages."""
    old = Notice.objects.filter(queued_at__lt=now - KEPT)
    if not old.exists():  # on SQLite even an empty delete waits for every writer
        return
    if unsent := old.exclude(status=Status.DELIVERED).count():
        logger.error("%d messages were given up: no target of NOTIFY_URLS took them", unsent)
    old.delete()
