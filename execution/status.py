"""The state of execution, for health, the API, the admin site and the command."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min

from execution.accounts import halts
from execution.accounts.equity import latest_day
from execution.accounts.failures import failures
from execution.models import Decision, Halt, Order, Position, TradingAccount
from execution.models.decision import WAITING
from execution.monitoring.problems import account_problems
from execution.types import REPLAY, OrderState
from signals.problems import sentences
from signals.status_text import PERIODS, Capped, age, share

MOST = 10_000
"""Decisions that one figure reads: a look takes no longer with millions of them."""


@dataclass(frozen=True)
class Rate:
    """The number of decisions made within a period.

    `share` is the share that was executed, 0 to 1; None without a decision. If `at_least`, there
    were more: then these are the newest ones.
    """

    executed: int
    skipped: int
    at_least: bool = False

    @property
    def share(self) -> float | None:
        return share(self.executed, self.executed + self.skipped)

    def as_dict(self) -> dict[str, Any]:
        return {
            "executed": self.executed,
            "skipped": self.skipped,
            "execution_rate": self.share,
            "at_least": self.at_least,
        }


class Waiting(NamedTuple):
    """The number of pending decisions, and the time at which the oldest was queued."""

    number: Capped
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


def status(now: datetime, name: str | None = None, *, lately: bool = True) -> dict[str, Any]:
    """Return the state of one account: pending decisions, recent decisions with their reasons, open
    orders and positions, halts and problems.

    `name` is the account; by default the one in the settings. Without `lately` the decisions of the
    last hour and day are left out. The counts stop at `MOST`; `at_least` names those that did.
    """
    name = name or settings.TRADING_ACCOUNT
    pending, orders, halted = waiting(), open_orders(name), halts.active(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "account": name,
        "broker": settings.BROKER,
        "auto_execute": settings.AUTO_EXECUTE,
        "state": _state(halted),
        "pending": pending.number.number,
        "at_least": ["pending"] if pending.number.is_least else [],
        "oldest_pending_seconds": age(pending.oldest, now),
        **(_lately(name, now) if lately else {}),
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
        "pending": waiting().number.number,
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
    """Count the pending decisions of all accounts except the replay's: those that are due first."""
    found = Decision.objects.filter(WAITING).exclude(account=REPLAY).order_by("due_at")
    first = found.values("pk", "queued_at")[:MOST]
    counts = first.aggregate(number=Count("pk"), oldest=Min("queued_at"))
    return Waiting(Capped(counts["number"], counts["number"] == MOST), counts["oldest"])


def _lately(account: str, now: datetime) -> dict[str, Any]:
    """Count the decisions of the last hour and day."""
    rates = {name: made_since(now - period, account) for name, period in PERIODS.items()}
    return {
        **{name: rate.as_dict() for name, (rate, _) in rates.items()},
        "skipped_for": rates["last_day"][1],
    }


def made_since(
    since: datetime, account: str, most: int | None = MOST
) -> tuple[Rate, dict[str, int]]:
    """Return the decisions made on an account since then, and how many were skipped for each
    reason, the most frequent first; a signal may have several reasons.

    With `most`, only as many of the newest decisions are read.
    """
    made = Decision.objects.filter(account=account, decided_at__gte=since)
    if most is not None:
        made = Decision.objects.filter(pk__in=made.order_by("-decided_at").values("pk")[:most])
    kinds = made.values_list("status", "skipped_for").annotate(count=Count("pk"))
    by_status, by_code = Counter[str](), Counter[str]()
    for status, codes, count in kinds.order_by("status", "skipped_for"):
        by_status[status] += count
        for code in codes.split():
            by_code[code] += count
    return _rate(by_status, most), dict(by_code.most_common())


def _rate(by_status: Counter[str], most: int | None) -> Rate:
    executed, skipped = by_status[Decision.Status.EXECUTED], by_status[Decision.Status.SKIPPED]
    return Rate(executed, skipped, by_status.total() == most)


def _state(halted: list[Halt]) -> str:
    if halted:
        return "halted"
    return "on" if settings.AUTO_EXECUTE else "off"


def _halt(halt: Halt) -> dict[str, Any]:
    names = ("code", "reason", "latched_at", "latched_by")
    return {name: getattr(halt, name) for name in names}
