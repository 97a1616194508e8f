"""Follows the trades: takes fills, marks the equity, and closes positions that must be closed."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from execution.accounts import halts, identity
from execution.accounts.compliance import measures
from execution.accounts.day_end import opened_on
from execution.accounts.equity import EquityCurve
from execution.accounts.failures import (
    Guard,
    each_isolated,
    recording_failures,
    unguarded,
)
from execution.accounts.halts import halt_reason
from execution.accounts.money import with_money
from execution.accounts.rows import lock
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import Order, Position
from execution.monitoring import counterfactuals
from execution.monitoring.corporate import (
    carry_positions,
    halt_for_doubts,
    look_at_histories,
    look_at_holdings,
)
from execution.monitoring.protection import cancel_leftovers, protect
from execution.orders.adoption import adopt
from execution.orders.bracket import Trade, new_close
from execution.orders.router import refresh_exits, send, send_due
from execution.positions.fills import take_fills
from execution.positions.positions import measure_excursions, update_position
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import LIMITS
from execution.types import AT_BROKER, ExitReason, Leg, OrderState
from signals.log_context import about_signal
from signals.rows import by_id

logger = logging.getLogger(__name__)

ALARMING = (ExitReason.BREACH, ExitReason.UNPROTECTED)
"""Reasons to close a position that a person should look at."""
TWO_DAYS = timedelta(days=2)
"""A position that closed longer ago than this was not opened today, in any time zone."""


@dataclass
class MonitorCounts:
    """How many orders one run sent and filled, and how many signals not traded it followed."""

    sent: int = 0
    filled: int = 0
    followed: int = 0


def monitor(context: TradingContext) -> MonitorCounts:
    """Look once at every order, position and counterfactual that is open.

    Each step runs even if the one before it failed. Raises `BrokerError` if the broker fails; the
    failure is kept for health.
    """
    counts = MonitorCounts()
    with recording_failures(context.account, "monitor", context.clock):
        try:
            counts.sent = send_due(context)
        finally:  # an order that cannot be sent must not block fills and closes
            try:
                follow_trades(context, counts)
            finally:  # a broker that fails must not block what needs no broker
                counts.followed = counterfactuals.follow(context)
    return counts


def follow_trades(context: TradingContext, counts: MonitorCounts) -> None:
    """Take fills, check the equity against its limits, and close what is due.

    What must be closed is closed even if something else cannot be read. The first failure is raised
    after all steps.
    """
    listed: set[str] = set()
    with each_isolated() as guard:
        with guard("Comparing the histories"):
            look_at_histories(context, guard)
        with guard("Comparing what is held"):
            look_at_holdings(context)
        with guard("Taking the fills"):
            touched = take_fills(context)
            counts.filled = len(touched)
            refresh(context, touched, guard)
        with guard("Looking for doubts"):
            halt_for_doubts(context)
        with guard("Looking at the open orders"):
            orders = context.broker.open_orders()
            listed |= {order.broker_id for order in orders}
            refresh_open(context, guard, listed)
            carry_positions(context, orders, guard)
        with guard("Measuring the account"):
            mark_equity(context)
        with guard("Closing positions"):
            close_due(context)
        with guard("Canceling what is left over"):
            cancel_leftovers(context, listed, guard)
        with guard("Measuring excursions"):
            measure_excursions(context)


def mark_equity(context: TradingContext) -> None:
    """Add the account's present value to the equity curve, and halt on a breach of a firm's limit.

    Both are one transaction: no breach is stored without its halt. The money of another account is
    not added.
    """

    def mark(money: Account) -> None:
        curve = EquityCurve.read(context, money)
        if identity.is_same(curve.row, money):
            curve.add(money, not_counted(context, curve))
            curve.write()
            check_breach(context, money)

    with_money(context, mark)


def not_counted(context: TradingContext, curve: EquityCurve) -> int:
    """Return how many of today's new positions the curve's last day lacks so far."""
    now, latest = context.clock(), curve.latest
    today = context.day_of(now)
    if latest is not None and latest.day > today:  # the clock was ahead: it counts for `latest`
        today = latest.day
    positions = Position.objects.open_on(context.account)
    positions += Position.objects.closed_since(context.account, now - TWO_DAYS)
    counted = latest.trades if latest is not None and latest.day == today else 0
    return max(0, opened_on(context, curve.row, today, positions) - counted)


def refresh(context: TradingContext, touched: Iterable[Order], guard: Guard = unguarded) -> None:
    """Ask the broker for the brackets of these orders, and adopt their states.

    `guard` isolates each bracket; without it, the first `BrokerError` is raised.
    """
    entries = {order.parent_id or order.pk for order in touched}
    for entry in by_id(Order, entries).values():
        with guard(entry):
            _refresh_one(context, entry)


def _refresh_one(context: TradingContext, order: Order) -> None:
    report = context.broker.find(order.client_order_id)
    if report is not None:
        adopt(context, order, report)


def refresh_open(
    context: TradingContext, guard: Guard = unguarded, known_open: Collection[str] = ()
) -> None:
    """Ask the broker about every order that may still fill, except `known_open`.

    `known_open` are the broker's ids of orders that it has just listed as open. `guard` isolates
    each order; without it, the first `BrokerError` is raised.
    """
    live = _at_broker(context)
    asked = [order for order in live if order.broker_id not in known_open]
    refresh(context, asked, guard)
    for order in (each for each in asked if each.leg == Leg.CLOSE or each.number > 1):
        with guard(order):
            _refresh_one(context, order)


def _at_broker(context: TradingContext) -> list[Order]:
    return [order for order in Order.objects.may_fill(context.account) if order.state in AT_BROKER]


def check_breach(context: TradingContext, money: Account) -> None:
    """Latch a halt for each limit of the prop firm that is broken."""
    if context.rule_set is None:
        return
    for each in measures(context, context.rule_set, money):
        if each.breached:
            figures = {"used": each.used, "limit": each.limit, "equity": money.equity}
            halts.latch(context.account, each.code, each.text, context.clock(), figures=figures)


def _must_close_all(context: TradingContext) -> bool:
    """Return whether a breach is latched and the firm allows no position after a breach.

    The latched halt decides, not the present price: it stays until a person lifts it, even if the
    process that found the breach died.
    """
    if context.rule_set is None or not context.rule_set.close_on_breach:
        return False
    return any(halt.code in LIMITS for halt in halts.active(context.account))


def close_due(context: TradingContext) -> datetime | None:
    """Close positions that expired, must be flat, lost their stop, or that a person wants closed.

    Return when to look again: now if a position is being closed, else when the next one expires;
    None if no position is open. One position that fails stops no other; the first failure is raised
    after them.
    """
    with each_isolated() as guard:
        cancel_idle(context, guard)
        positions, is_breached = Position.objects.open_on(context.account), _must_close_all(context)
        for position in positions:
            with guard(position):
                _close_if_due(context, position, is_breached)
    if any(position.closing_for for position in positions):
        return context.clock()
    return min((position.expires_at for position in positions), default=None)


def cancel_idle(context: TradingContext, guard: Guard) -> None:
    """Cancel entries that wait for a fill while trading is halted, or for too long."""
    entries = [order for order in _at_broker(context) if order.leg == Leg.ENTRY]
    halted = halt_reason(context.account) if entries else None
    oldest = context.clock() - context.entry_timeout
    for entry in (each for each in entries if halted or each.created_at < oldest):
        why = halted or "it waited for too long"
        logger.log(context.log_level, "%s is canceled: %s", entry, why,
                   extra={"signal_id": entry.signal.signal_id})  # fmt: skip
        with guard(entry):
            cancel(context, entry, why)


def cancel(context: TradingContext, entry: Order, why: str) -> None:
    """Have the broker cancel an entry, and adopt its state after that.

    Raises `BrokerError` if the broker fails.
    """
    context.broker.cancel(entry.broker_id)
    Order.objects.filter(pk=entry.pk).update(reason=why)
    refresh(context, [entry])


def _close_if_due(context: TradingContext, position: Position, is_breached: bool) -> None:
    if not position.left:  # open only because its entry may still fill
        _end(context, position)
        return
    why = _why_close(context, position, is_breached)
    if why is ExitReason.UNPROTECTED and _has_closed(context, position):
        return
    if why:
        _mark_closing(position, why, context.log_level)
        position.closing_for = why
    if position.closing_for:
        _close(context, position)
        protect(context, position)


def _end(context: TradingContext, position: Position) -> None:
    """Close a position that holds nothing, once its entry cannot fill any more."""
    with transaction.atomic():
        lock(context.account)
        trade = Trade.read(position.pk)
        if OrderState(trade.entry.state).is_final:
            update_position(context, trade)


def ask_to_close(position: Position, why: ExitReason) -> None:
    """Have the position closed when the monitor looks next."""
    _mark_closing(position, why, logging.INFO)


def _why_close(context: TradingContext, position: Position, is_breached: bool) -> ExitReason | None:
    now = context.clock()
    if position.closing_for:
        return None
    if is_breached:
        return ExitReason.BREACH
    if now >= position.expires_at:
        return ExitReason.EXPIRED
    if context.rule_set and must_be_flat(context.rule_set, now, context.hours(position.symbol)):
        return ExitReason.FLAT
    return None if _is_protected(position) else ExitReason.UNPROTECTED


def _has_closed(context: TradingContext, position: Position) -> bool:
    """Take the fills again, and return whether they close the position: the broker cancels its stop
    when the target fills."""
    refresh(context, take_fills(context))
    now = Position.objects.of_signal(position.pk)
    return now is None or now.status == Position.Status.CLOSED


def _is_protected(position: Position) -> bool:
    """Return whether the broker has the position's stop.

    The broker reports the stop together with the entry, so an order that is still unsent is no
    stop. Nor is one that has filled: a person may have made it smaller than the position.
    """
    orders = Order.objects.of_signal(position.pk)
    return any(order.leg == Leg.STOP and order.state in AT_BROKER for order in orders)


def _mark_closing(position: Position, why: ExitReason, usual_level: int) -> None:
    rows = Position.objects.filter(pk=position.pk, status=Position.Status.OPEN, closing_for="")
    if rows.update(closing_for=why):
        level = logging.WARNING if why in ALARMING else usual_level
        with about_signal(position.signal.signal_id):
            logger.log(level, "The position %s is to be closed: %s", position, why)


def _close(context: TradingContext, position: Position) -> None:
    with transaction.atomic():
        lock(context.account)
        close = new_close(context, position.pk, context.clock())
    if close is None:
        return
    send(context, close)
    if OrderState(close.state).is_final:  # it failed, but the exits may be canceled already
        refresh_exits(context, close)
