"""Counts wrong logins and says how long the next one must wait.

An attempt is counted before the password is checked, so that attempts at the same time cannot pass
together; a right one is taken back. Nobody is locked out for ever, and nobody at one address locks
out a user at another. The number of rows is limited.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import F, QuerySet

from argo.models import LoginFailure

FORGET_AFTER = timedelta(hours=1)
"""Failures count from the beginning after such a pause."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
MAX_ROWS = 10_000
MAX_DOUBLINGS = 10
Rows = QuerySet[LoginFailure]


@dataclass(frozen=True)
class Counted:
    """Something that failures are counted by, and how many of them cost nothing."""

    key: str
    free: int


def counted_by(username: str, address: str) -> tuple[Counted, Counted]:
    """Return what a login counts by: the user at this address, and the address."""
    return (
        Counted(_digest("user", username, address), free=5),
        Counted(_digest("address", address), free=50),
    )


def counted_by_code(user_id: int) -> Counted:
    """Return what the codes of a user's second factor count by, from all addresses."""
    return Counted(_digest("code", str(user_id)), free=5)


def begin(by: tuple[Counted, ...], now: datetime, *, using: str = DEFAULT_DB_ALIAS) -> timedelta:
    """Count an attempt and return zero; if it must wait, return how long, and count nothing."""
    rows = LoginFailure.objects.using(using)
    if wait := _longest_wait(rows, by, now):
        return wait
    with transaction.atomic(using=using):
        if wait := _longest_wait(rows.select_for_update(), by, now):
            return wait
        _make_room(rows, now)
        for counted in by:
            _count(rows, counted.key, now)
    return timedelta()


def take_back(by: tuple[Counted, Counted]) -> None:
    """Forget the failures of the user at this address: the password was right."""
    user, address = by
    forget(user)
    LoginFailure.objects.filter(key=address.key, failures__gt=0).update(failures=F("failures") - 1)


def forget(by: Counted) -> None:
    """Forget these failures."""
    LoginFailure.objects.filter(key=by.key).delete()


def _longest_wait(rows: Rows, by: tuple[Counted, ...], now: datetime) -> timedelta:
    free = {counted.key: counted.free for counted in by}
    found = rows.filter(key__in=free).order_by("key")  # locked in one order, so never in a circle
    return max((_wait(row, free[row.key], now) for row in found), default=timedelta())


def _wait(row: LoginFailure, free: int, now: datetime) -> timedelta:
    """Return how long to wait; a last failure in the future counts as now."""
    if row.failures < free:
        return timedelta()
    doublings = min(row.failures - free, MAX_DOUBLINGS)
    pause: timedelta = min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
    return max(timedelta(), min(row.last_at, now) + pause - now)


def _count(rows: Rows, key: str, now: datetime) -> None:
    row, is_new = rows.get_or_create(key=key, defaults={"failures": 1, "last_at": now})
    if not is_new:
        is_old = now - row.last_at > FORGET_AFTER
        row.failures = 1 if is_old else row.failures + 1
        row.last_at = now
        row.save()


def _make_room(rows: Rows, now: datetime) -> None:
    """Delete what is forgotten and, if there are too many rows, the oldest half."""
    rows.filter(last_at__lt=now - FORGET_AFTER).delete()
    if rows.count() >= MAX_ROWS:
        newest = rows.order_by("-last_at")[MAX_ROWS // 2]
        rows.filter(last_at__lte=newest.last_at).delete()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
