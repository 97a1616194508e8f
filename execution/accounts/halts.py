"""Halts: set by Argo or a person, stored as rows, lifted only by a person."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from argo.errors import Conflict, FieldError, InvalidInput
from execution.accounts.announcing import announce_lifted, announce_set
from execution.accounts.rows import outside_accounts
from execution.models import Halt
from execution.types import HaltCode
from signals import acts
from signals.status_text import counted

logger = logging.getLogger(__name__)

BY_ARGO = "argo"
_ACTIVE = (
    "SELECT reason FROM halts WHERE account = %s AND lifted_at IS NULL ORDER BY latched_at, id"
)
"""Plain SQL, like the order queries: every trade asks twice."""


def latch(
    account: str,
    code: str,
    reason: str,
    now: datetime,
    *,
    by: str = BY_ARGO,
    figures: Mapping[str, object] | None = None,
) -> Halt:
    """Stop all new trades of the account until a person lifts the halt.

    An active halt with this code stays as it is. Raises `InvalidInput` without a reason. A halt by
    Argo is never refused: a NUL in its reason is removed first.
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
            announce_set(halt)
        if is_new and by != BY_ARGO:
            acts.record(acts.Kind.HALT, account, who=by, at=now, after="halted", why=reason)
    if is_new:
        logger.error("Trading on %s is halted by %s: %s", account, by, reason)
    return halt


def latch_once(
    account: str, code: str, reason: str, now: datetime, figures: Mapping[str, object]
) -> None:
    """Stop all new trades as `latch` does, unless these figures have halted the account before.

    So a person can lift a halt whose cause the broker goes on to report.
    """
    if not Halt.objects.filter(account=account, code=code, figures=dict(figures)).exists():
        latch(account, code, reason, now, figures=figures)


def lift(
    account: str,
    *,
    by: str,
    why: str,
    now: datetime,
    code: str | None = None,
    only: Halt | None = None,
) -> int:
    """Lift the account's halts, or only those with `code`, or `only` that one. Return how many.

    If a breach still exists, the monitor's next look halts again. Raises `InvalidInput` without a
    reason, and `Conflict` if there is nothing to lift.
    """
    why = checked(why, "say why trading may go on")
    open_halts = Halt.objects.filter(account=account, lifted_at=None)
    if code is not None:
        open_halts = open_halts.filter(code=code)
    if only is not None:
        open_halts = open_halts.filter(pk=only.pk)
    with transaction.atomic():
        latched = list(open_halts.order_by("pk"))
        before = "; ".join(halt.reason for halt in latched)
        lifted = open_halts.update(lifted_at=now, lifted_by=by, lifted_why=why)
        if not lifted:
            raise Conflict(_nothing_to_lift(account, code, only))
        about = f"{account}, {counted(lifted, 'halt', 'halts')}"
        acts.record(acts.Kind.LIFT, about, who=by, at=now, before=before, after="lifted", why=why)
        announce_lifted(Halt.objects.filter(pk__in=[halt.pk for halt in latched], lifted_at=now))
    logger.warning("%s lifted %d halts of %s: %s", by, lifted, account, why)
    return lifted


def halt_restored(made_at: str, now: datetime) -> list[str]:
    """Halt every account at an outside broker after a restore; return their names.

    Orders, fills and halts that came after the backup, made at `made_at`, are unknown.
    """
    why = (
        f"Argo was restored from a backup of {made_at}; what happened on this account since is "
        "not known. Compare with the broker, then resume"
    )
    found = outside_accounts()
    for account in found:
        latch(account, HaltCode.RESTORED, why, now)
    return found


def _nothing_to_lift(account: str, code: str | None, only: Halt | None) -> str:
    if only is not None:
        return f"The halt of {only.account} is already lifted: {only.reason}"
    there = ", ".join(halt.code for halt in active(account))
    if there:
        return f"There is no halt {code!r} on {account}; there are: {there}."
    return f"Trading on {account} is not halted."


def checked(why: str, needed: str) -> str:
    """Return the reason. Raises `InvalidInput` with the message `needed` if it is blank, and if it
    contains a NUL."""
    if not why.strip():
        raise InvalidInput([FieldError("why", needed)])
    if "\0" in why:
        raise InvalidInput([FieldError("why", "contains a NUL character; remove it")])
    return why


def active(account: str) -> list[Halt]:
    """Return the account's halts that are not lifted, oldest first."""
    return list(Halt.objects.filter(account=account, lifted_at=None).order_by("latched_at", "pk"))


def active_elsewhere(account: str) -> list[Halt]:
    """Return the active halts of all other accounts, oldest first."""
    return list(Halt.objects.filter(lifted_at=None).exclude(account=account).order_by("pk"))


def halt_reason(account: str) -> str | None:
    """Return why the account is halted; None if it is not."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, [account])
        return "; ".join(reason for (reason,) in cursor.fetchall()) or None
