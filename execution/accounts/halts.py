"""Halts: latched by Argo or a person, kept as rows, lifted by a person alone."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from argo.errors import Conflict, FieldError, InvalidInput
from execution.models import Halt

logger = logging.getLogger(__name__)

BY_ARGO = "argo"
BY_HAND = "by_hand"
_STANDING = (
    "SELECT reason FROM halts WHERE account = %s AND lifted_at IS NULL ORDER BY latched_at, id"
)
"""In plain SQL, as what is asked of orders: every trade asks twice."""


def latch(
    account: str,
    code: str,
    reason: str,
    now: datetime,
    *,
    by: str = BY_ARGO,
    figures: Mapping[str, object] | None = None,
) -> Halt:
    """Stop all new trades of the account until a person lifts it.

    A halt of that code that is there already stays as it is. Raises `InvalidInput` without a
    reason; one of Argo's own stops trading whatever a broker wrote into it.
    """
    reason = checked(reason.replace("\0", "") if by == BY_ARGO else reason, "say why trading stops")
    with transaction.atomic():
        halt, is_new = Halt.objects.get_or_create(
            account=account,
            code=code,
            lifted_at=None,
            defaults={
                "reason": reason,
                "figures": {name: str(value) for name, value in (figures or {}).items()},
                "latched_at": now,
                "latched_by": by,
            },
        )
    if is_new:
        logger.error("Trading on %s is halted by %s: %s", account, by, reason)
    return halt


def lift(
    account: str,
    *,
    by: str,
    why: str,
    now: datetime,
    code: str | None = None,
    only: Halt | None = None,
) -> int:
    """Lift the account's halts, or the one of that code, or `only` that one; how many those were.

    A breach that still stands latches again at the monitor's next look. Raises `InvalidInput`
    without a reason, and `Conflict` where there is nothing to lift.
    """
    why = checked(why, "say why trading may go on")
    open_halts = Halt.objects.filter(account=account, lifted_at=None)
    if code is not None:
        open_halts = open_halts.filter(code=code)
    if only is not None:
        open_halts = open_halts.filter(pk=only.pk)
    lifted = open_halts.update(lifted_at=now, lifted_by=by, lifted_why=why)
    if not lifted:
        raise Conflict(_nothing_to_lift(account, code, only))
    logger.warning("%s lifted %d halts of %s: %s", by, lifted, account, why)
    return lifted


def _nothing_to_lift(account: str, code: str | None, only: Halt | None) -> str:
    if only is not None:
        return f"The halt of {only.account} is lifted already: {only.reason}"
    there = ", ".join(halt.code for halt in standing(account))
    if there:
        return f"No halt {code!r} stands on {account}; there are: {there}."
    return f"Nothing halts trading on {account}."


def checked(why: str, needed: str) -> str:
    """The reason, if it is one that can be kept. Raises `InvalidInput`; `needed` says for what."""
    if not why.strip():
        raise InvalidInput([FieldError("why", needed)])
    if "\0" in why:
        raise InvalidInput([FieldError("why", "has a NUL, which no database keeps; leave it out")])
    return why


def standing(account: str) -> list[Halt]:
    """The halts that are not lifted, oldest first."""
    return list(Halt.objects.filter(account=account, lifted_at=None).order_by("latched_at", "pk"))


def elsewhere(account: str) -> list[Halt]:
    """Those of every other account, oldest first."""
    return list(Halt.objects.filter(lifted_at=None).exclude(account=account).order_by("pk"))


def why_halted(account: str) -> str | None:
    """Why nothing is traded; None where nothing stops it."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [account])
        return "; ".join(reason for (reason,) in cursor.fetchall()) or None
