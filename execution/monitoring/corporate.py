"""Follows corporate actions on what is held: histories, doubts, positions, and stale exits."""

import logging
from collections.abc import Collection, Sequence

from argo.errors import ArgoError
from execution.accounts import halts
from execution.accounts.failures import Guard
from execution.brokers.protocol import Holding, OrderReport
from execution.context import TradingContext
from execution.corporate.memory import doubts
from execution.models import Order, Position
from execution.money import times
from execution.monitoring.at_broker import recognise
from execution.monitoring.protection import protect
from execution.orders.adoption import adopt
from execution.orders.bracket import Trade
from execution.positions.carry import carry_over
from execution.types import AT_BROKER, HaltCode, Leg

logger = logging.getLogger(__name__)

CENT = 0.01
"""A broker may round a level on the new scale by this part of it."""
ADVICE = (
    "Look whether it was a split. If it was, state it: manage.py account --split NEW:OLD --symbol "
    "SYMBOL --why WHY. If the price is real: manage.py account --real-price --symbol SYMBOL --why "
    "WHY"
)


def look_at_histories(context: TradingContext, guard: Guard) -> None:
    """Compare the history of each symbol that is held; the feed of one symbol blocks no other."""
    for symbol in sorted({each.symbol for each in Position.objects.open_on(context.account)}):
        with guard(f"Looking at the history of {symbol}"):
            try:
                context.history.look(symbol)
            except ArgoError as error:  # the market's own; fills and closes need no feed
                logger.warning("The history of %s cannot be compared now: %s", symbol, error)


def look_at_holdings(context: TradingContext) -> None:
    """Compare what is held with the broker, before a fill of a new scale is booked."""
    if context.broker.carries_over or not Position.objects.open_on(context.account):
        return
    carry_from_broker(context, context.broker.positions(), ())


def halt_for_doubts(context: TradingContext) -> None:
    """Halt new trades once for each price of what is held that nobody explains."""
    found = doubts(context.account)
    held = {each.symbol for each in Position.objects.open_on(context.account)} if found else ()
    for each in (each for each in found if each.symbol in held):
        text = each.unexplained or each.doubt
        figures = {"symbol": each.symbol, "doubt": text}
        why = f"{text}; its prices are not used. {ADVICE}"
        halts.latch_once(context.account, HaltCode.SCALE, why, context.clock(), figures)


def carry_from_broker(
    context: TradingContext, holdings: Sequence[Holding], orders: Sequence[OrderReport]
) -> None:
    """Carry the open positions over what the broker's own records show."""
    held = {each.symbol for each in holdings}
    _carry_held(context, held)
    if not context.broker.carries_over:
        recognise(context, holdings, orders)
        _carry_held(context, held)


def _carry_held(context: TradingContext, held: Collection[str]) -> None:
    """Carry the positions that the broker holds; any other may have closed before the action."""
    for position in Position.objects.open_on(context.account):
        symbol = context.instrument(position.symbol).symbol
        if context.history.name_now(symbol) in held:
            carry_over(context, position)


def carry_positions(context: TradingContext, orders: Sequence[OrderReport], guard: Guard) -> None:
    """Carry the open positions over what happened, and renew exits that are on the old scale.

    `orders` are the broker's open orders.
    """
    reports = {each.broker_id: each for each in orders}
    for position in Position.objects.open_on(context.account):
        with guard(position):
            carry_over(context, position)
            if not context.broker.carries_over:
                _renew_exits(context, position, reports)


def _renew_exits(
    context: TradingContext, position: Position, reports: dict[str, OrderReport]
) -> None:
    """Cancel exits that the broker did not carry over, and put a stop in their place.

    A level of the old scale protects nothing: it is reached at once, or never.
    """
    trade = Trade.read(position.pk)
    if all(each.ratio == 1 for each in trade.actions) or not position.left:
        return
    stale = [each for each in trade.orders if _is_stale(trade, each, reports)]
    stale += _too_small(context, position, trade, reports)
    for order in stale:
        logger.warning("%s is canceled: the broker placed it before a split", order,
                       extra={"signal_id": position.signal.signal_id})  # fmt: skip
        context.broker.cancel(order.broker_id)
    if stale:
        _adopt(context, trade.entry, stale)
    protect(context, position)


def _is_stale(trade: Trade, order: Order, reports: dict[str, OrderReport]) -> bool:
    is_exit = order.leg in (Leg.STOP, Leg.TARGET) and order.state in AT_BROKER
    if not is_exit or order.level is None:
        return False
    ratio = trade.ratio_since(order.created_at, order.level)
    report = reports.get(order.broker_id)
    if ratio == 1 or report is None:
        return False
    level = times(order.level, 1 / ratio)
    is_carried = report.level is not None and abs(report.level / level - 1) <= CENT
    return not (is_carried and report.quantity == times(order.quantity, ratio))


def _too_small(
    context: TradingContext, position: Position, trade: Trade, reports: dict[str, OrderReport]
) -> list[Order]:
    """Return stops that the broker placed for fewer shares than it holds now.

    It may have counted a split later than we did.
    """
    found = [
        each for each in trade.orders
        if each.leg == Leg.STOP and each.number > 1 and each.state in AT_BROKER
        and each.broker_id in reports and reports[each.broker_id].quantity < each.quantity
    ]  # fmt: skip
    if not found:
        return []
    name = context.instrument(position.symbol).symbol
    held = sum(abs(each.quantity) for each in context.broker.positions() if each.symbol == name)
    return found if held >= position.left else []


def _adopt(context: TradingContext, entry: Order, stale: Sequence[Order]) -> None:
    for order in (entry, *(each for each in stale if each.number > 1)):
        if report := context.broker.find(order.client_order_id):
            adopt(context, order, report)
