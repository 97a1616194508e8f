"""The account `replay`: one replay trades on it at a time, and goes on where the last ended."""

import fcntl
from datetime import datetime
from typing import IO

from django.conf import settings
from django.db.models import F, Max

from argo.errors import Conflict
from execution.accounts.rows import REPLAY
from execution.models import Decision, EquityDay, Order
from execution.types import ON_THE_WAY


def taken() -> IO[str]:
    """A file whose lock is ours until it is closed, or this process ends. Raises `Conflict`."""
    file = (settings.DATA_DIR / "replay.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Conflict(
            "Another replay trades on the account replay: start this one when it has ended."
        ) from None
    return file


def free() -> None:
    """Give back what a replay that was killed had taken: nobody else has it now."""
    deciding = Decision.objects.filter(account=REPLAY, status=Decision.Status.DECIDING)
    deciding.update(status=Decision.Status.PENDING, claim="", due_at=F("queued_at"))
    sent = Order.objects.filter(account=REPLAY, state__in=ON_THE_WAY)
    sent.update(claim="", due_at=F("created_at"))


def stands_at() -> datetime | None:
    """The last moment of which a replay that traded has written something down."""
    rows = ((EquityDay, "marked_at"), (Order, "created_at"), (Decision, "queued_at"))
    found = (model._default_manager.filter(account=REPLAY).aggregate(at=Max(name))["at"]
             for model, name in rows)  # fmt: skip
    return max((each for each in found if each is not None), default=None)
