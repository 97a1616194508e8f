"""How execution stands, for health, the API, the admin and the command."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Q

from execution.accounts import halts
from execution.accounts.failures import failures
from execution.accounts.rows import REPLAY
from execution.models import Decision, Failure, Halt, Order, Position, TradingAccount
from execution.models.decision import WAITING
from execution.types import OrderState
from signals.clock import utc_now

PATIENCE = timedelta(minutes=1)
"""A decision that waits for longer shows that nobody decides."""
MISSED = 3
"""So many agreements with the broker may fail to come before it is a problem."""


@dataclass(frozen=True)
class Rate:
    """Of the decisions made within a time: how many, and which share was executed.

    `share` is None where none was made.
    """

    executed: int
    skipped: int

    @property
    def share(self) -> float | None:
        decided = self.executed + self.skipped
        return self.executed / decided if decided else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "executed": self.executed,
            "skipped": self.skipped,
            "execution_rate": self.share,
        }


class Waiting(NamedTuple):
    """Decisions that are not made yet, and since when the oldest waits.

    Of the second, only those count that should be made: while AUTO_EXECUTE is off, those that
    somebody asked for.
    """

    number: int
    oldest: datetime | None
    oldest_wanted: datetime | None


def status(now: datetime, name: str | None = None) -> dict[str, Any]:
    """The account, what waits, what was decided lately and why not, what is open, what is wrong.

    Of the account of that name; else of the one that is traded on.
    """
    name = name or settings.TRADING_ACCOUNT
    waiting, orders, halted = _waiting(), open_orders(name), halts.standing(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "account": name,
        "broker": settings.BROKER,
        "auto_execute": settings.AUTO_EXECUTE,
        "state": _state(halted),
        "pending": waiting.number,
        "oldest_pending_seconds": _age(waiting.oldest, now),
        **_lately(name, now),
        "open_orders": orders,
        "unknown_orders": orders.get(OrderState.UNKNOWN.value, 0),
        "open_positions": open_positions(name),
        "halts": [_halt(each) for each in halted],
        "halts_elsewhere": [
            {"account": each.account, **_halt(each)} for each in halts.elsewhere(name)
        ],
        "reconciled_at": account and account.reconciled_at,
        "broker_error": failed[0].error if failed else "",
        "broker_error_at": failed[0].failed_at if failed else None,
        "problems": list(_problems(now, waiting, orders, halted, failed, account)),
    }


def brief() -> dict[str, Any]:
    """What health says: the state, how much waits and is open, and what a person should see to."""
    now, name = utc_now(), settings.TRADING_ACCOUNT
    waiting, orders, halted = _waiting(), open_orders(name), halts.standing(name)
    account, failed = TradingAccount.objects.filter(name=name).first(), failures(name)
    return {
        "state": _state(halted),
        "pending": waiting.number,
        "open_positions": open_positions(name),
        "problems": list(_problems(now, waiting, orders, halted, failed, account)),
    }


def open_positions(account: str) -> int:
    """How many positions are open."""
    return Position.objects.filter(account=account, status=Position.Status.OPEN).count()


def open_orders(account: str) -> dict[str, int]:
    """How many orders may still fill, by their state."""
    counted = Counter(order.state for order in Order.objects.may_fill(account))
    return dict(sorted(counted.items()))


def _waiting() -> Waiting:
    """Of whichever account: whoever decides next takes them to his own. A replay's are its own."""
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
    """What was decided within the last hour and day, in one walk through that day."""
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
    """A signal that is skipped for several reasons counts with each; the most frequent first."""
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
    """What a person should see to."""
    for halt in halted:
        yield f"Trading on {halt.account} is halted: {halt.reason}"
    if waiting.oldest_wanted and now - waiting.oldest_wanted > PATIENCE:
        age = (now - waiting.oldest_wanted).total_seconds()
        yield f"A decision has waited for {age:.0f} s: does the worker of execution run?"
    if unknown := orders.get(OrderState.UNKNOWN.value, 0):
        yield f"Of {unknown} orders it is not known whether the broker has them."
    yield from dict.fromkeys(each.error for each in failed)  # whichever tasks met it
    if account and account.reconciled_at and settings.AUTO_EXECUTE:
        age = (now - account.reconciled_at).total_seconds()
        if age > MISSED * settings.RECONCILE_INTERVAL:
            yield f"The broker last agreed with our books {age:.0f} s ago."


def _state(halted: list[Halt]) -> str:
    if halted:
        return "halted"
    return "on" if settings.AUTO_EXECUTE else "off"


def _halt(halt: Halt) -> dict[str, Any]:
    names = ("code", "reason", "latched_at", "latched_by")
    return {name: getattr(halt, name) for name in names}


def _age(moment: datetime | None, now: datetime) -> float | None:
    return (now - moment).total_seconds() if moment else None


WORDS = {
    "on": "every signal that the rules allow is traded",
    "off": "AUTO_EXECUTE is off, and signals are traded only when asked for",
    "halted": "trading is halted",
}


def as_text(found: dict[str, Any]) -> str:
    """What `status` found, for a person."""
    lines = [f"Account {found['account']}: {WORDS[found['state']]}.", *found["problems"]]
    lines += [
        f"Elsewhere, trading on {halt['account']} is halted: {halt['reason']}"
        for halt in found["halts_elsewhere"]
    ]
    lines.append(_waiting_text(found))
    for name in ("last_hour", "last_day"):
        lines.append(f"{name.replace('_', ' ')}: {_rate_text(found[name])}")
    if found["skipped_for"]:
        lines.append(f"skipped for {_counts(found['skipped_for'])}")
    orders = _counts(found["open_orders"]) or "none"
    lines.append(f"{found['open_positions']} positions are open; open orders: {orders}")
    if found["reconciled_at"]:
        lines.append(f"The broker agreed at {found['reconciled_at']:%Y-%m-%d %H:%M:%S}.")
    return "\n".join(lines)


def _waiting_text(found: dict[str, Any]) -> str:
    age = found["oldest_pending_seconds"]
    since = "" if age is None else f", the oldest for {age:.0f} s"
    return f"{found['pending']} decisions wait{since}"


def _rate_text(rate: dict[str, Any]) -> str:
    if rate["execution_rate"] is None:
        return "nothing was decided"
    share = f"{rate['execution_rate']:.1%}"
    return f"{rate['executed']} executed ({share}), {rate['skipped']} skipped"


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items())
