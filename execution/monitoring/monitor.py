"""Follows the trades: takes fills, marks the equity, closes what must be closed."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from execution.accounts import halts
from execution.accounts.compliance import measures
from execution.accounts.equity import Curve
from execution.accounts.failures import Guard, each_isolated, recording_failures
from execution.accounts.halts import why_halted
from execution.accounts.rows import lock
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay, Order, Position
from execution.monitoring import counterfactuals
from execution.orders.bracket import Trade
from execution.orders.router import adopt, new_close, send, send_due
from execution.positions.fills import take_fills
from execution.positions.positions import EXPIRED, measure_excursions, update_position
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import LIMITS
from execution.types import AT_BROKER, Leg, OrderState
from signals.rows import by_id

logger = logging.getLogger(__name__)

TWO_DAYS = timedelta(days=2)
"""Whatever was closed before was opened on an earlier day, too."""
BREACH, FLAT, UNPROTECTED = "breach", "flat", "unprotected"


@dataclass
class Look:
    """What one look did."""

    sent: int = 0
    filled: int = 0
    followed: int = 0


def monitor(context: TradingContext) -> Look:
    """One look at everything that is open. Raises `BrokerError`; health tells what it raised."""
    look = Look()
    with recording_failures(context.account, "monitor", context.clock):
        try:
            look.sent = send_due(context)
        finally:  # fills and closes wait for no order that cannot be sent
            try:
                follow_trades(context, look)
            finally:  # nor what needs no broker for one that fails
                look.followed = counterfactuals.follow(context)
    return look


def follow_trades(context: TradingContext, look: Look) -> None:
    """Fills, the equity and its limits, and what is to be closed. Raises `BrokerError`."""
    touched = take_fills(context)
    look.filled = len(touched)
    refresh(context, touched)
    refresh_open(context, {order.broker_id for order in context.broker.open_orders()})
    try:
        mark_equity(context)
    finally:  # what must be closed is closed, even where the account cannot be measured
        close_due(context)
    measure_excursions(context)


def mark_equity(context: TradingContext) -> None:
    """Write down what the account is worth, and halt where a rule of the firm is broken.

    In one transaction: no breach is written down without its halt.
    """
    money = context.broker.account()
    with transaction.atomic():
        curve = Curve.read(context, money)
        curve.add(money, not_counted(context, curve.latest))
        curve.write()
        check_breach(context, money)


def not_counted(context: TradingContext, latest: EquityDay | None) -> int:
    """How many positions were opened today that `latest`, the equity curve's last day, lacks."""
    now = context.clock()
    today = context.day_of(now)
    positions = Position.objects.open_on(context.account)
    positions += Position.objects.closed_since(context.account, now - TWO_DAYS)
    counted = latest.trades if latest is not None and latest.day == today else 0
    return max(0, sum(context.day_of(each.opened_at) == today for each in positions) - counted)


def refresh(context: TradingContext, touched: Iterable[Order]) -> None:
    """Ask the broker how the brackets stand of which something was filled."""
    entries = {order.parent_id or order.pk for order in touched}
    for entry in by_id(Order, entries).values():
        placed = context.broker.find(entry.client_order_id)
        if placed is not None:
            adopt(context, entry, placed)


def refresh_open(context: TradingContext, there: Collection[str] = ()) -> None:
    """Ask the broker about every order that may still fill, but for those that it has named as
    open already, by their ids. Raises `BrokerError`."""
    live = _at_broker(context)
    asked = [order for order in live if order.broker_id not in there]
    refresh(context, asked)
    for close in (order for order in asked if order.leg == Leg.CLOSE):
        placed = context.broker.find(close.client_order_id)
        if placed is not None:
            adopt(context, close, placed)


def _at_broker(context: TradingContext) -> list[Order]:
    return [order for order in Order.objects.may_fill(context.account) if order.state in AT_BROKER]


def check_breach(context: TradingContext, money: Account) -> None:
    """Latch a halt where a rule of the firm is broken."""
    if context.rule_set is None:
        return
    for each in measures(context, context.rule_set, money):
        if each.breached:
            figures = {"used": each.used, "limit": each.limit, "equity": money.equity}
            halts.latch(context.account, each.code, each.text, context.clock(), figures=figures)


def _must_close_all(context: TradingContext) -> bool:
    """Whether a limit of a firm was broken, and this one wants nothing held then, whatever came of
    the price or of the process that found it; until a person lifts that halt."""
    if context.rule_set is None or not context.rule_set.close_on_breach:
        return False
    return any(halt.code in LIMITS for halt in halts.standing(context.account))


def close_due(context: TradingContext) -> datetime | None:
    """Close what has expired, must be flat, has lost its stop, or was asked for.

    Answers when to look again: when the next position expires, or at once where one is being
    closed; None where none is open.
    """
    with each_isolated() as alone:
        cancel_idle(context, alone)
        positions, is_breached = Position.objects.open_on(context.account), _must_close_all(context)
        for position in positions:
            with alone(position):
                _close_if_due(context, position, is_breached)
    if any(position.closing_for for position in positions):
        return context.clock()
    return min((position.expires_at for position in positions), default=None)


def cancel_idle(context: TradingContext, alone: Guard) -> None:
    """Cancel entries that wait for a fill while trading is halted, or for too long."""
    entries = [order for order in _at_broker(context) if order.leg == Leg.ENTRY]
    halted = why_halted(context.account) if entries else None
    idle = [
        each for each in entries if halted or context.clock() - each.created_at > context.patience
    ]
    for entry in idle:
        why = halted or "it waited for too long"
        logger.warning("%s is canceled: %s", entry, why)
        with alone(entry):
            cancel(context, entry, why)


def cancel(context: TradingContext, entry: Order, why: str) -> None:
    """Have the broker cancel an entry, and ask what became of it. Raises `BrokerError`."""
    context.broker.cancel(entry.broker_id)
    Order.objects.filter(pk=entry.pk).update(reason=why)
    refresh(context, [entry])


def _close_if_due(context: TradingContext, position: Position, is_breached: bool) -> None:
    if not position.left:  # until what its entry still may fill is done
        _end(context, position)
        return
    if why := _why_close(context, position, is_breached):
        _mark_closing([position], why)
        position.closing_for = why
    if position.closing_for:
        _close(context, position)


def _end(context: TradingContext, position: Position) -> None:
    """What was held is sold; it is over where the broker has canceled the rest of its entry."""
    with transaction.atomic():
        lock(context.account)
        trade = Trade.read(position.pk)
        if OrderState(trade.entry.state).is_final:
            update_position(context, trade)


def ask_to_close(position: Position, why: str) -> None:
    """Have the position closed at the monitor's next look."""
    _mark_closing([position], why)


def _why_close(context: TradingContext, position: Position, is_breached: bool) -> str | None:
    now = context.clock()
    if position.closing_for:
        return None
    if is_breached:
        return BREACH
    if now >= position.expires_at:
        return EXPIRED
    if context.rule_set and must_be_flat(context.rule_set, now, context.hours(position.symbol)):
        return FLAT
    return None if _is_protected(position) else UNPROTECTED


def _is_protected(position: Position) -> bool:
    """Whether the broker holds its stop, or has filled it; it tells of one as it tells of the entry
    whose fills the position is made of."""
    states = {order.leg: order.state for order in Order.objects.of_signal(position.pk)}
    if OrderState(states[Leg.TARGET]) is OrderState.FILLED:
        return True
    return OrderState(states[Leg.STOP]) in (
        OrderState.ACCEPTED,
        OrderState.PARTIALLY_FILLED,
        OrderState.FILLED,
    )


def _mark_closing(positions: Iterable[Position], why: str) -> None:
    for position in positions:
        rows = Position.objects.filter(pk=position.pk, status=Position.Status.OPEN, closing_for="")
        if rows.update(closing_for=why):
            level = logging.INFO if why == EXPIRED else logging.WARNING
            logger.log(level, "The position %s is to be closed: %s", position, why)


def _close(context: TradingContext, position: Position) -> None:
    with transaction.atomic():
        lock(context.account)
        close = new_close(context, position.pk, context.clock())
    if close is not None:
        send(context, close)
