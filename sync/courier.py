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
from django.db.models import Max, Q

from signals.ahead import is_ahead, limit
from signals.clock import Clock, utc_now
from signals.owner import new_owner_id
from sync.models import Notice
from sync.targets import NotSent

logger = logging.getLogger(__name__)

Send = Callable[[str, str, str], None]
"""Sends a title and a body to an address. Raises `NotSent`."""
LEASE = timedelta(minutes=5)
"""How long messages belong to a process that sends them; a hanging target takes no longer."""
RETRY_WAITS = (30, 60, 300, 900, 3600)
"""Seconds after the first, second, ... failed try; the last value repeats."""
GATHERED = 50
"""Most messages that go out as one; the rest goes with the next one."""
KEPT = timedelta(days=7)
"""Messages older than this are deleted; if a target did not take one by then, that is logged."""


class Message(NamedTuple):
    """What a target gets at one time."""

    title: str
    body: str


class Courier:
    """Sends what waits for the targets, which are addresses by name.

    `interval` is the least time between two messages to one target.
    """

    def __init__(
        self, targets: Mapping[str, str], interval: timedelta, send: Send, clock: Clock = utc_now
    ) -> None:
        self._targets = targets
        self._interval = interval
        self._send = send
        self._clock = clock
        self._claim = new_owner_id()
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
        if not self._may_send(name, now):
            return
        rows = self._claimed(name, now)
        if not rows:
            return
        try:
            self._send(self._targets[name], *gathered(rows))
        except Exception:
            self._postpone(rows)
            raise
        ids = [row.pk for row in rows]
        Notice.objects.filter(pk__in=ids).update(sent_at=self._clock(), claim="")

    def _may_send(self, name: str, now: datetime) -> bool:
        last = Notice.objects.filter(target=name).aggregate(last=Max("sent_at"))["last"]
        return last is None or now - last >= self._interval or is_ahead(last, now)

    def _claimed(self, name: str, now: datetime) -> list[Notice]:
        """Claim what is due: of several machines that come at once, one gets each row.

        Nothing is claimed while earlier messages wait for their next try or are being sent.
        """
        waiting = Notice.objects.filter(target=name, sent_at=None)
        is_due = _is_due(now)
        if waiting.exclude(is_due).exists():
            return []
        due = waiting.filter(is_due)
        ids = list(due.order_by("pk").values_list("pk", flat=True)[:GATHERED])
        if ids:  # on SQLite even an empty update waits for every writer
            due.filter(pk__in=ids).update(claim=self._claim, due_at=now + LEASE)
        return list(Notice.objects.filter(pk__in=ids, claim=self._claim).order_by("pk"))

    def _postpone(self, rows: Sequence[Notice]) -> None:
        attempts = max(row.attempts for row in rows) + 1
        wait = RETRY_WAITS[min(attempts, len(RETRY_WAITS)) - 1]
        ids = [row.pk for row in rows]
        due = self._clock() + timedelta(seconds=wait)
        Notice.objects.filter(pk__in=ids).update(claim="", attempts=attempts, due_at=due)


def _is_due(now: datetime) -> Q:
    """Return the condition that a message is due; one that a clock ahead has put off is."""
    longest = timedelta(seconds=RETRY_WAITS[-1])
    return (
        Q(due_at__lte=now)
        | Q(claim="", attempts=0, due_at__gt=limit(now))
        | (~Q(claim="") & Q(due_at__gt=limit(now, LEASE)))
        | Q(due_at__gt=limit(now, longest))
    )


def gathered(rows: Sequence[Notice]) -> Message:
    """Return one message with all of these."""
    if len(rows) == 1:
        return Message(rows[0].title, rows[0].body or rows[0].title)
    body = "\n\n".join(f"{row.title}\n{row.body}".strip() for row in rows)
    return Message(f"{len(rows)} messages from Argo", body)


def forget_old(now: datetime) -> None:
    """Delete old messages."""
    old = Notice.objects.filter(made_at__lt=now - KEPT)
    if not old.exists():  # on SQLite even an empty delete waits for every writer
        return
    if unsent := old.filter(sent_at=None).count():
        logger.error("%d messages were given up: no target of NOTIFY_URLS took them", unsent)
    old.delete()
