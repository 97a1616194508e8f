"""The kept answers: claimed before a POST acts, and stored after it is answered.

A process that is killed between the two leaves a claim without an answer, which is taken over after
a lease. Each act names its claim, in the transaction of the act: so the next one knows what the
first has done. One that was only slow, and acts after its lease, finds its claim taken: it fails.
"""

import zlib
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from argo.errors import Conflict, FieldError, InvalidInput
from argo.models import IdempotentAnswer

HEADER = "Idempotency-Key"
LEASE = timedelta(seconds=60)
"""Longer than any call takes: a process that has not answered by then is taken for dead."""


class InFlight(Conflict):
    """The first POST with this key is not answered yet."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"{HEADER}: the first request with this key is not answered yet.")


class TakenOver(Conflict):
    """Another process answers the POST."""

    def __init__(self) -> None:
        super().__init__(f"{HEADER}: this took so long that another process answers it now.")


class Claim(NamedTuple):
    """The right to answer a POST: the row, when it was claimed, and when the first one came.

    `name` is the same for all claims of one POST. `is_repeat` says that a process has claimed it
    before, and is taken for dead.
    """

    row: int
    at: datetime
    began_at: datetime
    name: str
    is_repeat: bool = False


class Kept(NamedTuple):
    """An answer that was given before."""

    code: int
    body: bytes


def claim(caller: str, key: str, request: str, now: datetime) -> Claim | Kept:
    """Return the right to answer this POST, or the answer that it got before.

    Raises `InFlight`, and InvalidInput if the key came with another request.
    """
    with transaction.atomic():
        row, is_new = IdempotentAnswer.objects.get_or_create(
            caller=caller,
            key=key,
            defaults={"request": request, "claimed_at": now, "began_at": now},
        )
        if is_new:
            return _claim_of(row, now)
        if (taken := _taken_over(row, request, now)) is not None:
            return taken
    if row.request != request:
        message = "was sent before with another address or body: use a new key for each request"
        raise InvalidInput([FieldError(HEADER, message)])
    if row.code is None:
        raise InFlight(max(1, ceil((row.claimed_at + LEASE - now).total_seconds())))
    return Kept(row.code, zlib.decompress(row.body))


def confirm(claimed: Claim) -> None:
    """Hold the claim until the caller's transaction ends. Raises `TakenOver`."""
    rows = _of(claimed)
    if connection.in_atomic_block:
        rows = rows.select_for_update()
    if not rows.values_list("pk").first():
        raise TakenOver


def keep(claimed: Claim, code: int, body: bytes) -> None:
    """Store the answer, unless another process has taken the claim over."""
    _of(claimed).update(code=code, body=zlib.compress(body, 1))


def give_up(claimed: Claim) -> None:
    """Forget the claim: the POST failed, and may be tried again."""
    _of(claimed).delete()


def forget_before(moment: datetime) -> None:
    """Delete the answers of POSTs before `moment`."""
    IdempotentAnswer.objects.filter(claimed_at__lt=moment).delete()


def _of(claimed: Claim) -> QuerySet[IdempotentAnswer]:
    return IdempotentAnswer.objects.filter(pk=claimed.row, claimed_at=claimed.at)


def _claim_of(row: IdempotentAnswer, now: datetime, began_at: datetime | None = None) -> Claim:
    began = began_at or now
    name = sha256(f"{row.caller}\0{row.key}\0{began.isoformat()}".encode()).hexdigest()[:32]
    return Claim(row.pk, now, began, name, is_repeat=began_at is not None)


def _taken_over(row: IdempotentAnswer, request: str, now: datetime) -> Claim | None:
    """Take over a row that is too old, or that a dead process has left; None if it is neither."""
    age = now - row.claimed_at
    is_too_old = age >= timedelta(hours=settings.IDEMPOTENCY_HOURS)
    is_left = row.code is None and row.request == request and not timedelta() <= age < LEASE
    if not (is_too_old or is_left):
        return None
    began_at = None if is_too_old else row.began_at or row.claimed_at
    same = IdempotentAnswer.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    new = {"request": request, "claimed_at": now, "code": None, "body": b""}
    new["began_at"] = began_at or now
    return _claim_of(row, now, began_at) if same.filter(Q(code=row.code)).update(**new) else None
