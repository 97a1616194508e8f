"""The state of execution, for health, the API, the admin site and the command."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Q

from execution.accounts import halts
from execution.accounts.equity import latest_day
from execution.accounts.failures import failures
from execution.models import Decision, Halt, Order, Position, TradingAccount
from execution.models.decision import WAITING
from execution.monitoring.problems import account_problems
from execution.types import REPLAY, OrderState
from signals.problems import sentences
from signals.status_text import age, share


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
    """The number of pending decisions, and the time at which the oldest was queued."""

    number: int
    oldest: datetime | None


class AccountFigures(NamedTuple):
    """An account's equity at its last mark, None before the first, and what is open on it."""

    name: str
    equity: Decimal | None
    positions: int
    halts: int


def accounts() -> list[AccountFigures]:
    """Return the figures of every account that Argo has traded on."""
    return [
        AccountFigures(
            name,
            day.last_equity if (day := latest_day(name)) else None,
            open_positions(name),
            len(halts.active(name)),
        )
        for name in TradingAccount.objects.order_by("name").values_list("name", flat=True)
    ]


def status(now: datetime, name: str | None = None) -> dict[str, Any]:
    """Return the state of one account: pending decisions, recent decisions with their reasons, open
    orders and positions, halts and problems.

    `name` is the account; by default the one in the settings.
    """
    name = name or settings.TRADING_ACCOUNT
    pending, orders, halted = waiting(), open_orders(name), halts.active(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "account": name,
        "broker": settings.BROKER,
        "auto_execute": settings.AUTO_EXECUTE,
        "state": _state(halted),
        "pending": pending.number,
        "oldest_pending_seconds": age(pending.oldest, now),
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
        "problems": sentences(account_problems(name, now)),
    }


def brief() -> dict[str, Any]:
    """Return the part of the state that health reports."""
    name = settings.TRADING_ACCOUNT
    return {
        "state": _state(halts.active(name)),
        "pending": waiting().number,
        "open_positions": open_positions(name),
    }


def open_positions(account: str) -> int:
    """Return the number of open positions."""
    return Position.objects.filter(account=account, status=Position.Status.OPEN).count()


def closed_without_outcome(account: str, since: datetime) -> int:
    """Return how many positions have closed since then whose signal has no outcome."""
    closed = Position.objects.filter(
        account=account, status=Position.Status.CLOSED, closed_at__gte=since
    )
    return closed.filter(signal__outcome=None).count()


def open_orders(account: str) -> dict[str, int]:
    """Return the number of orders that may still fill, by state."""
    counted = Counter(order.state for order in Order.objects.may_fill(account))
    return dict(sorted(counted.items()))


def waiting() -> Waiting:
    """Count the pending decisions of all accounts except the replay's."""
    found = Decision.objects.filter(WAITING).exclude(account=REPLAY)
    return Waiting(**found.aggregate(number=Count("pk"), oldest=Min("queued_at")))


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


def made_since(since: datetime, account: str) -> tuple[Rate, dict[str, int]]:
    """Return the decisions made on an account since then, and how many were skipped for each
    reason, the most frequent first; a signal may have several reasons."""
    made = Decision.objects.filter(account=account, decided_at__gte=since)
    kinds = made.values_list("status", "skipped_for").annotate(count=Count("pk")).order_by()
    rows = list(kinds)
    rate = _rate(Counter({(made, codes): count for made, codes, count in rows}))
    return rate, _by_code({codes: count for _, codes, count in rows})


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


def _state(halted: list[Halt]) -> str:
    if halted:
        return "halted"
    return "on" if settings.AUTO_EXECUTE else "off"


def _halt(halt: Halt) -> dict[str, Any]:
    names = ("code", "reason", "latched_at", "latched_by")
    return {name: getattr(halt, name) for name in names}
