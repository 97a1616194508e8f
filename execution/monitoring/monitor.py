"""Follows the trades: takes fills, marks the equity, closes what must be closed."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from execution.accounts import halts
from execution.accounts.compliance import measures
from execution.accounts.equity import Curve, lock
from execution.accounts.failures import Alone, isolated, noted
from execution.accounts.halts import why_halted
from execution.brokers.protocol import AT_BROKER, Account, Leg, State
from execution.context import Desk
from execution.models import EquityDay, Order, Position
from execution.monitoring import counterfactuals
from execution.orders.bracket import Trade
from execution.orders.router import adopt, new_close, send, send_due
from execution.positions.fills import take_fills
from execution.positions.positions import EXPIRED, measure_excursions, update_position
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import LIMITS
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


def monitor(desk: Desk) -> Look:
    """One look at everything that is open. Raises `BrokerError`; health tells what it raised."""
    look = Look()
    with noted(desk.account, "monitor", desk.clock):
        try:
            look.sent = send_due(desk)
        finally:  # fills and closes wait for no order that cannot be sent
            try:
                follow_trades(desk, look)
            finally:  # nor what needs no broker for one that fails
                look.followed = counterfactuals.follow(desk)
    return look


def follow_trades(desk: Desk, look: Look) -> None:
    """Fills, the equity and its limits, and what is to be closed. Raises `BrokerError`."""
    touched = take_fills(desk)
    look.filled = len(touched)
    refresh(desk, touched)
    refresh_open(desk, {order.broker_id for order in desk.broker.open_orders()})
    try:
        mark_equity(desk)
    finally:  # what must be closed is closed, even where the account cannot be measured
        close_due(desk)
    measure_excursions(desk)


def mark_equity(desk: Desk) -> None:
    """Write down what the account is worth, and halt where a rule of the firm is broken.

    In one transaction: no breach is written down without its halt.
    """
    money = desk.broker.account()
    with transaction.atomic():
        curve = Curve.read(desk, money)
        curve.add(money, not_counted(desk, curve.latest))
        curve.write()
        check_breach(desk, money)


def not_counted(desk: Desk, latest: EquityDay | None) -> int:
    """How many positions were opened today that `latest`, the equity curve's last day, lacks."""
    now = desk.clock()
    today = desk.day_of(now)
    positions = Position.objects.open_on(desk.account)
    positions += Position.objects.closed_since(desk.account, now - TWO_DAYS)
    counted = latest.trades if latest is not None and latest.day == today else 0
    return max(0, sum(desk.day_of(each.opened_at) == today for each in positions) - counted)


def refresh(desk: Desk, touched: Iterable[Order]) -> None:
    """Ask the broker how the brackets stand of which something was filled."""
    entries = {order.parent_id or order.pk for order in touched}
    for entry in by_id(Order, entries).values():
        placed = desk.broker.find(entry.client_order_id)
        if placed is not None:
            adopt(desk, entry, placed)


def refresh_open(desk: Desk, there: Collection[str] = ()) -> None:
    """Ask the broker about every order that may still fill, but for those that it has named as
    open already, by their ids. Raises `BrokerError`."""
    live = _at_broker(desk)
    asked = [order for order in live if order.broker_id not in there]
    refresh(desk, asked)
    for close in (order for order in asked if order.leg == Leg.CLOSE):
        placed = desk.broker.find(close.client_order_id)
        if placed is not None:
            adopt(desk, close, placed)


def _at_broker(desk: Desk) -> list[Order]:
    return [order for order in Order.objects.may_fill(desk.account) if order.state in AT_BROKER]


def check_breach(desk: Desk, money: Account) -> None:
    """Latch a halt where a rule of the firm is broken."""
    if desk.rule_set is None:
        return
    for each in measures(desk, desk.rule_set, money):
        if each.breached:
            figures = {"used": each.used, "limit": each.limit, "equity": money.equity}
            halts.latch(desk.account, each.code, each.text, desk.clock(), figures=figures)


def _must_close_all(desk: Desk) -> bool:
    """Whether a limit of a firm was broken, and this one wants nothing held then, whatever came of
    the price or of the process that found it; until a person lifts that halt."""
    if desk.rule_set is None or not desk.rule_set.close_on_breach:
        return False
    return any(halt.code in LIMITS for halt in halts.standing(desk.account))


def close_due(desk: Desk) -> datetime | None:
    """Close what has expired, must be flat, has lost its stop, or was asked for.

    Answers when to look again: when the next position expires, or at once where one is being
    closed; None where none is open.
    """
    with isolated() as alone:
        cancel_idle(desk, alone)
        positions, is_breached = Position.objects.open_on(desk.account), _must_close_all(desk)
        for position in positions:
            with alone(position):
                _close_if_due(desk, position, is_breached)
    if any(position.closing_for for position in positions):
        return desk.clock()
    return min((position.expires_at for position in positions), default=None)


def cancel_idle(desk: Desk, alone: Alone) -> None:
    """Cancel entries that wait for a fill while trading is halted, or for too long."""
    entries = [order for order in _at_broker(desk) if order.leg == Leg.ENTRY]
    halted = why_halted(desk.account) if entries else None
    idle = [each for each in entries if halted or desk.clock() - each.created_at > desk.patience]
    for entry in idle:
        why = halted or "it waited for too long"
        logger.warning("%s is canceled: %s", entry, why)
        with alone(entry):
            cancel(desk, entry, why)


def cancel(desk: Desk, entry: Order, why: str) -> None:
    """Have the broker cancel an entry, and ask what became of it. Raises `BrokerError`."""
    desk.broker.cancel(entry.broker_id)
    Order.objects.filter(pk=entry.pk).update(reason=why)
    refresh(desk, [entry])


def _close_if_due(desk: Desk, position: Position, is_breached: bool) -> None:
    if not position.left:  # until what its entry still may fill is done
        _end(desk, position)
        return
    if why := _why_close(desk, position, is_breached):
        _mark_closing([position], why)
        position.closing_for = why
    if position.closing_for:
        _close(desk, position)


def _end(desk: Desk, position: Position) -> None:
    """What was held is sold; it is over where the broker has canceled the rest of its entry."""
    with transaction.atomic():
        lock(desk.account)
        trade = Trade.read(position.pk)
        if State(trade.entry.state).is_final:
            update_position(desk, trade)


def ask_to_close(position: Position, why: str) -> None:
    """Have the position closed at the monitor's next look."""
    _mark_closing([position], why)


def _why_close(desk: Desk, position: Position, is_breached: bool) -> str | None:
    now = desk.clock()
    if position.closing_for:
        return None
    if is_breached:
        return BREACH
    if now >= position.expires_at:
        return EXPIRED
    if desk.rule_set and must_be_flat(desk.rule_set, now, desk.hours(position.symbol)):
        return FLAT
    return None if _is_protected(position) else UNPROTECTED


def _is_protected(position: Position) -> bool:
    """Whether the broker holds its stop, or has filled it; it tells of one as it tells of the entry
    whose fills the position is made of."""
    states = {order.leg: order.state for order in Order.objects.of_signal(position.pk)}
    if State(states[Leg.TARGET]) is State.FILLED:
        return True
    return State(states[Leg.STOP]) in (State.ACCEPTED, State.PARTIALLY_FILLED, State.FILLED)


def _mark_closing(positions: Iterable[Position], why: str) -> None:
    for position in positions:
        rows = Position.objects.filter(pk=position.pk, status=Position.Status.OPEN, closing_for="")
        if rows.update(closing_for=why):
            level = logging.INFO if why == EXPIRED else logging.WARNING
            logger.log(level, "The position %s is to be closed: %s", position, why)


def _close(desk: Desk, position: Position) -> None:
    with transaction.atomic():
        lock(desk.account)
        close = new_close(desk, position.pk, desk.clock())
    if close is not None:
        send(desk, close)
