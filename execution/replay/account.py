"""The account `replay`: one replay at a time trades on it, from where the last one ended."""

from datetime import datetime

from django.db.models import F, Max

from argo.errors import Conflict
from execution.models import Decision, EquityDay, Order
from execution.types import ON_THE_WAY, REPLAY
from signals.database_locks import DatabaseLock, Kind, database_lock
from signals.locks import LockedByAnother


def lock_account() -> DatabaseLock:
    """Lock the account, on all machines of this database, until the lock is released or this
    process ends.

    Raises `Conflict` if another replay trades on it.
    """
    lock = database_lock(Kind.REPLAY)
    try:
        lock.acquire()
    except LockedByAnother as error:
        raise Conflict(
            f"Another replay is trading on the account replay, as {error.holder}: start this one "
            "when it has ended."
        ) from None
    return lock


def release_claims() -> None:
    """Release the decisions and orders that a killed replay had claimed.

    Only call this with the lock, so that no other process has a claim.
    """
    deciding = Decision.objects.filter(account=REPLAY, status=Decision.Status.DECIDING)
    deciding.update(status=Decision.Status.PENDING, claim="", due_at=F("queued_at"))
    sent = Order.objects.filter(account=REPLAY, state__in=ON_THE_WAY)
    sent.update(claim="", due_at=F("created_at"))


def traded_until() -> datetime | None:
    """Return the last moment (UTC) for which an earlier replay stored a row; None without any."""
    rows = ((EquityDay, "marked_at"), (Order, "created_at"), (Decision, "queued_at"))
    found = (model._default_manager.filter(account=REPLAY).aggregate(at=Max(name))["at"]
             for model, name in rows)  # fmt: skip
    return max((each for each in found if each is not None), default=None)
