"""The paper broker's orders in the words of the protocol."""

from execution.brokers.paper.bracket import PaperBracket
from execution.brokers.protocol import OrderReport
from execution.models import PaperOrder
from execution.types import Leg, OrderState, Side


def as_placed(ticket: PaperBracket, client_order_id: str) -> OrderReport:
    """The order of that id; an entry with its exits."""
    entry = ticket.entry
    if entry.client_order_id == client_order_id:
        exits = [ticket.legs[leg] for leg in (Leg.STOP, Leg.TARGET)]
        return _placed(entry, tuple(map(_placed, exits)))
    others = ticket.orders[1:]
    return _placed(next(each for each in others if each.client_order_id == client_order_id))


def _placed(order: PaperOrder, legs: tuple[OrderReport, ...] = ()) -> OrderReport:
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
    )
