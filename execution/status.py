"""The state of execution, for health, the API, the admin site and the command."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Q

from execution.accounts import halts
from execution.accounts.failures import failures
from execution.models import Decision, Failure, Halt, Order, Position, TradingAccount
from execution.models.decision import WAITING
from execution.types import REPLAY, OrderState
from signals.clock import utc_now
from signals.status_text import age, share

MAX_DECISION_WAIT = timedelta(minutes=1)
"""A decision that waits longer is a problem: no worker decides."""
MISSED_RECONCILIATIONS = 3
"""A comparison with the broker that is overdue by this many intervals is a problem."""


@dataclass(frozen=True)
class Rate:
    """The number of decisions made within a period.

    `share` is the share that was executed, 0 to 1; None without a decision.
    """

    executed: int
    skipped: int

    @property
    def share(self) -> float | None:
        return share(self.executed, self.executed + self.skipped)

    def as_dict(self) -> dict[str, Any]:
        return {
            "executed": self.executed,
            "skipped": self.skipped,
            "execution_rate": self.share,
        }


class Waiting(NamedTuple):
    """The number of pending decisions, and the time at which the oldest was queued.

    `oldest_wanted` counts only decisions that should be made now: while AUTO_EXECUTE is off, those
    that somebody asked for.
    """

    number: int
    oldest: datetime | None
    oldest_wanted: datetime | None


def status(now: datetime, name: str | None = None) -> dict[str, Any]:
    """Return the state of one account: pending decisions, recent decisions with their reasons, open
    orders and positions, halts and problems.

    `name` is the account; by default the one in the settings.
    """
    name = name or settings.TRADING_ACCOUNT
    waiting, orders, halted = _waiting(), open_orders(name), halts.active(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "account": name,
        "broker": settings.BROKER,
        "auto_execute": settings.AUTO_EXECUTE,
        "state": _state(halted),
        "pending": waiting.number,
        "oldest_pending_seconds": age(waiting.oldest, now),
        **_lately(name, now),
        "open_orders": orders,
        "unknown_orders": orders.get(OrderState.UNKNOWN.value, 0),
        "open_positions": open_positions(name),
        "halts": [_halt(each) for each in halted],
        "halts_elsewhere": [
            {"account": each.account, **_halt(each)} for each in halts.active_elsewhere(name)
        ],
        "reconciled_at": account and account.reconciled_at,
        "broker_error": failed[0].error if failed else "",
        "broker_error_at": failed[0].failed_at if failed else None,
        "problems": list(_problems(now, waiting, orders, halted, failed, account)),
    }


def brief() -> dict[str, Any]:
    """Return the part of the state that health reports."""
    now, name = utc_now(), settings.TRADING_ACCOUNT
    waiting, orders, halted = _waiting(), open_orders(name), halts.active(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "state": _state(halted),
        "pending": waiting.number,
        "open_positions": open_positions(name),
        "problems": list(_problems(now, waiting, orders, halted, failed, account)),
    }


def open_positions(account: str) -> int:
    """Return the number of open positions."""
    return Position.objects.filter(account=account, status=Position.Status.OPEN).count()


def open_orders(account: str) -> dict[str, int]:
    """Return the number of orders that may still fill, by state."""
    counted = Counter(order.state for order in Order.objects.may_fill(account))
    return dict(sorted(counted.items()))


def _waiting() -> Waiting:
    """Count the pending decisions of all accounts except the replay's."""
    wanted = Q() if settings.AUTO_EXECUTE else ~Q(asked_by="")
    found = Decision.objects.filter(WAITING).exclude(account=REPLAY)
    return Waiting(
        *found.aggregate(
            number=Count("pk"),
            oldest=Min("queued_at"),
            wanted=Min("queued_at", filter=wanted) if wanted else Min("queued_at"),
        ).values()
    )


def _lately(account: str, now: datetime) -> dict[str, Any]:
    """Count the decisions of the last hour and day, in one scan of that day."""
    in_hour = Count("pk", filter=Q(decided_at__gte=now - timedelta(hours=1)))
    made = Decision.objects.filter(account=account, decided_at__gte=now - timedelta(days=1))
    kinds = made.values_list("status", "skipped_for").annotate(hour=in_hour, day=Count("pk"))
    rows = list(kinds.order_by("status", "skipped_for"))
    return {
        "last_hour": _rate(Counter({row[:2]: row[2] for row in rows})).as_dict(),
        "last_day": _rate(Counter({row[:2]: row[3] for row in rows})).as_dict(),
        "skipped_for": _by_code({row[1]: row[3] for row in rows}),
    }


def _rate(counts: Counter[tuple[str, str]]) -> Rate:
    by_status: Counter[str] = Counter()
    for (made, _), count in counts.items():
        by_status[made] += count
    return Rate(by_status[Decision.Status.EXECUTED], by_status[Decision.Status.SKIPPED])


def _by_code(skipped_for: dict[str, int]) -> dict[str, int]:
    """Count each reason, the most frequent first; a signal may have several."""
    counts: Counter[str] = Counter()
    for codes, count in skipped_for.items():
        for code in codes.split():
            counts[code] += count
    return dict(counts.most_common())


def _problems(
    now: datetime,
    waiting: Waiting,
    orders: dict[str, int],
    halted: list[Halt],
    failed: list[Failure],
    account: TradingAccount | None,
) -> Iterator[str]:
    """Yield a sentence for each problem that a person should look at."""
    for halt in halted:
        yield f"Trading on {halt.account} is halted: {halt.reason}"
    if waiting.oldest_wanted and now - waiting.oldest_wanted > MAX_DECISION_WAIT:
        waited = (now - waiting.oldest_wanted).total_seconds()
        yield f"A decision has waited for {waited:.0f} s: is the execution worker running?"
    if unknown := orders.get(OrderState.UNKNOWN.value, 0):
        yield f"{unknown} orders were sent without an answer; the next look asks the broker again."
    yield from dict.fromkeys(
        each.error for each in failed
    )  # several tasks may report the same error
    if account and account.reconciled_at and settings.AUTO_EXECUTE:
        since = (now - account.reconciled_at).total_seconds()
        if since > MISSED_RECONCILIATIONS * settings.RECONCILE_INTERVAL:
            yield f"The broker's records last matched ours {since:.0f} s ago."


def _state(halted: list[Halt]) -> str:
    if halted:
        return "halted"
    return "on" if settings.AUTO_EXECUTE else "off"


def _halt(halt: Halt) -> dict[str, Any]:
    names = ("code", "reason", "latched_at", "latched_by")
    return {name: getattr(halt, name) for name in names}
