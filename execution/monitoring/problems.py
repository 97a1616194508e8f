"""What is wrong with the trading of one account."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Min

from execution.accounts import halts
from execution.accounts.failures import failures
from execution.models import CorporateAction, Decision, Order, Position, TradingAccount
from execution.models.account import UNSTATED
from execution.models.decision import WAITING
from execution.models.order import ORDER_LEASE
from execution.money import ZERO
from execution.orders.bracket import is_unprotected
from execution.prop_firm.rule_set import OFF
from execution.types import AT_BROKER, REPLAY, ExitReason, Leg, OrderState
from signals.ahead import limit
from signals.problems import Problem, ProblemKind
from signals.status_text import counted

MAX_DECISION_WAIT = timedelta(minutes=1)
"""A decision that waits longer is a problem: no worker decides."""
MISSED_RECONCILIATIONS = 3
"""A comparison with the broker that is overdue by this many intervals is a problem."""
UNPROTECTED_FOR = timedelta(hours=1)
"""How long a position that was closed because it had no stop is still reported. The monitor closes
it within seconds, so that nobody would hear of it otherwise."""

HALTED = ProblemKind(
    "execution.halted",
    "Remove the cause, then lift the halt with execute_signals --resume.",
    "recover.md#trading-is-halted",
)
UNPROTECTED = ProblemKind(
    "execution.unprotected",
    "Look at the broker's site: find out who canceled the stop or why closing fails, and see that "
    "the position is closed or has a stop.",
    "recover.md#a-position-lost-its-stop",
)
WAITING_DECISION = ProblemKind(
    "execution.waiting", "Start Argo, or the worker of the queue execution; its log says why."
)
UNKNOWN_ORDERS = ProblemKind(
    "execution.unknown_orders",
    "The next look asks the broker again. If it lasts, look at the broker's site.",
)
FAILED = ProblemKind(
    "execution.failed",
    "Argo tries again by itself. The log of the worker of the queue execution has the details.",
)
UNRECONCILED = ProblemKind(
    "execution.unreconciled",
    "Comparing the records fails or does not run: see the log, or run monitor_positions "
    "--reconcile.",
    "recover.md#trading-is-halted",
)
BASE = ProblemKind(
    "execution.base",
    "State what the stage began with: account --starting-balance AMOUNT --why WHY.",
    "prop-firms.md#the-starting-balance",
)
KINDS = (HALTED, UNPROTECTED, WAITING_DECISION, UNKNOWN_ORDERS, FAILED, UNRECONCILED, BASE)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems of the account in the settings that exist now."""
    yield from account_problems(settings.TRADING_ACCOUNT, now)


def account_problems(account: str, now: datetime) -> Iterator[Problem]:
    """Yield the problems of this account that exist now."""
    for halt in halts.active(account):
        yield HALTED.found(f"Trading on {account} is halted: {halt.reason}", str(halt.pk))
    yield from _unprotected(account, now)
    yield from _waiting(now)
    yield from _unknown_orders(account)
    yield from _failed(account)
    yield from _unreconciled(account, now)
    yield from _unstated(account)


def oldest_wanted(now: datetime) -> datetime | None:
    """Return when the oldest pending decision was queued that should be made now.

    While AUTO_EXECUTE is off, only those count that somebody asked for.
    """
    waiting = Decision.objects.filter(WAITING).exclude(account=REPLAY)
    if not settings.AUTO_EXECUTE:
        waiting = waiting.exclude(asked_by="")
    oldest: datetime | None = waiting.aggregate(oldest=Min("queued_at"))["oldest"]
    return oldest


def _unprotected(account: str, now: datetime) -> Iterator[Problem]:
    """Yield the positions without a stop or with one for a part of them, and for some time those
    that were closed without one."""
    live: dict[int, list[Order]] = defaultdict(list)
    for order in Order.objects.may_fill(account):
        live[order.signal_id].append(order)
    for position in Position.objects.open_on(account):
        if is_unprotected(position, live[position.pk]) and not _is_closing(live[position.pk], now):
            text = f"The position in {position.symbol} has no stop at the broker"
            yield UNPROTECTED.found(f"{text}, and it is not closed.", str(position.pk))
        elif position.closing_for == ExitReason.UNPROTECTED:
            yield _lost_stop(position, "is being closed")
        elif (part := _covered(position, live[position.pk])) < position.left:
            text = f"The stop of the position in {position.symbol} is for {part:f} of it only"
            yield UNPROTECTED.found(f"{text}: {position.left:f} are held.", str(position.pk))
    for position in Position.objects.closed_since(account, now - UNPROTECTED_FOR):
        if position.exit_reason == ExitReason.UNPROTECTED:
            yield _lost_stop(position, "was closed")


def _covered(position: Position, orders: Iterable[Order]) -> Decimal:
    """Return how much of the position its stops at the broker are for: all of it if it is being
    closed, or if a split has changed its scale since they were placed."""
    stops = (each for each in orders if each.leg == Leg.STOP and each.state in AT_BROKER)
    covered = sum((each.awaited for each in stops), ZERO)
    if position.closing_for or covered >= position.left:
        return position.left
    return position.left if CorporateAction.objects.applied_to(position.pk) else covered


def _is_closing(orders: Iterable[Order], now: datetime) -> bool:
    """Return whether a worker is sending an order to close the position."""
    return any(
        order.leg == Leg.CLOSE
        and order.state == OrderState.SUBMITTED
        and now < order.due_at <= limit(now, ORDER_LEASE)
        for order in orders
    )


def _lost_stop(position: Position, end: str) -> Problem:
    text = f"The position in {position.symbol} lost its stop at the broker and {end}."
    return UNPROTECTED.found(text, str(position.pk))


def _waiting(now: datetime) -> Iterator[Problem]:
    oldest = oldest_wanted(now)
    if oldest and now - oldest > MAX_DECISION_WAIT:
        waited = (now - oldest).total_seconds()
        yield WAITING_DECISION.found(f"A decision has waited for {waited:.0f} s.")


def _unknown_orders(account: str) -> Iterator[Problem]:
    unknown = sum(order.state == OrderState.UNKNOWN for order in Order.objects.may_fill(account))
    if unknown:
        sent = counted(unknown, "order was sent", "orders were sent")
        yield UNKNOWN_ORDERS.found(f"{sent} without an answer.")


def _failed(account: str) -> Iterator[Problem]:
    """Yield the errors of the tasks; several tasks may report the same one."""
    tasks = {failure.error: failure.task for failure in failures(account)}
    for error, task in tasks.items():
        yield FAILED.found(error, task)


def _unreconciled(account: str, now: datetime) -> Iterator[Problem]:
    row = TradingAccount.objects.filter(name=account).first()
    if row is None or row.reconciled_at is None or not settings.AUTO_EXECUTE:
        return
    since = (now - row.reconciled_at).total_seconds()
    if since > MISSED_RECONCILIATIONS * settings.RECONCILE_INTERVAL:
        yield UNRECONCILED.found(f"The broker's records last matched ours {since:.0f} s ago.")


def _unstated(account: str) -> Iterator[Problem]:
    """Yield the problem of a firm's rules that count from a balance that nobody has stated."""
    row = TradingAccount.objects.filter(name=account).first()
    if row is None or settings.PROP_FIRM == OFF or row.base not in UNSTATED:
        return
    counts = f"The rules of {settings.PROP_FIRM} count from {row.start_balance:.2f}"
    if row.base == TradingAccount.Base.FIRST_SEEN:
        yield BASE.found(f"{counts}, which nobody has stated. Nothing is traded.")
    else:
        yield BASE.found(f"{counts}, the first balance. Nobody has confirmed it.")
