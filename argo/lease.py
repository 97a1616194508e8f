"""A right that one process at a time has, as long as it renews it in the database.

It needs no session of its own, so it works through pgbouncer in transaction mode. Its end is a time
of the database's clock, which all machines share; the holder counts by a clock that only goes
forward, and stops a second early. So no two have it at the same time, whatever the machines' own
clocks show.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from django.db.models.functions import Now

from argo.models import LeaseRow

LENGTH = 10.0
"""Seconds from the last renewal until another process may take it."""
MARGIN = 1.0
"""Seconds by which the holder stops earlier, for two clocks that do not run equally fast."""


def uptime() -> float:
    """Return seconds that go on while the machine sleeps; Linux alone has them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """The lease `name` of a database, not taken yet."""

    def __init__(
        self,
        name: str,
        *,
        length: float = LENGTH,
        clock: Callable[[], float] = uptime,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        self.name, self._length, self._clock = name, length, clock
        self._rows = LeaseRow.objects.using(using)
        self._token = uuid.uuid4().hex
        self._ends = float("-inf")

    @property
    def is_held(self) -> bool:
        """Return whether this process has it; this asks nobody."""
        return self._clock() < self._ends

    def hold(self) -> bool:
        """Take or renew it; return whether this process has it.

        Raises what the database raises: then it is held until its end.
        """
        asked = self._clock()
        if not self._take() and not (self._make() and self._take()):
            self._ends = float("-inf")
            return False
        self._ends = asked + self._length - MARGIN
        return True

    def release(self) -> None:
        """Let another process take it at once; do nothing if this one does not have it."""
        self._ends = float("-inf")
        self._rows.filter(name=self.name, token=self._token).update(ends_at=Now())

    def holder(self) -> str:
        """Return which process had it last, for people."""
        row = self._rows.filter(name=self.name).first()
        return row.holder if row else "nobody"

    def _take(self) -> bool:
        free = Q(token=self._token) | Q(ends_at__lte=Now())
        ends_at = Now() + timedelta(seconds=self._length)
        changed = self._rows.filter(free, name=self.name).update(
            token=self._token, holder=_self(), ends_at=ends_at
        )
        return changed == 1

    def _make(self) -> bool:
        """Make a missing row, free for everybody; return whether this process made it."""
        _, is_new = self._rows.get_or_create(name=self.name, defaults={"ends_at": Now()})
        return is_new


def _self() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
