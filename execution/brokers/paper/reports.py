"""The paper broker's orders as the reports of the protocol."""

from execution.brokers.paper.bracket import PaperBracket
from execution.brokers.protocol import OrderReport
from execution.models import PaperOrder
from execution.types import Leg, OrderState, Side


def as_report(bracket: PaperBracket, client_order_id: str) -> OrderReport:
    """Return the report of the order with this client id; an entry comes with its exits."""
    entry = bracket.entry
    if entry.client_order_id == client_order_id:
        exits = [bracket.legs[leg] for leg in (Leg.STOP, Leg.TARGET)]
        return _report(entry, tuple(map(_report, exits)))
    others = bracket.orders[1:]
    return _report(next(each for each in others if each.client_order_id == client_order_id))


def _report(order: PaperOrder, legs: tuple[OrderReport, ...] = ()) -> OrderReport:
    return OrderReport(
        broker_id=order.client_order_id,
        client_order_id=order.client_order_id,
        leg=Leg(order.leg),
        symbol=order.symbol,
        side=Side(order.side),
        quantity=order.quantity,
        filled=order.filled,
        state=OrderState(order.state),
        legs=legs,
        level=order.level,
    )
