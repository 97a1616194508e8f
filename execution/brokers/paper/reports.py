"""The paper broker's orders in the words of the protocol."""

from execution.brokers.paper.bracket import Ticket
from execution.brokers.protocol import Leg, Placed, State
from execution.models import PaperOrder
from execution.risk.model import Side


def as_placed(ticket: Ticket, client_order_id: str) -> Placed:
    """The order of that id; an entry with its exits."""
    entry = ticket.entry
    if entry.client_order_id == client_order_id:
        exits = [ticket.legs[leg] for leg in (Leg.STOP, Leg.TARGET)]
        return _placed(entry, tuple(map(_placed, exits)))
    others = ticket.orders[1:]
    return _placed(next(each for each in others if each.client_order_id == client_order_id))


def _placed(order: PaperOrder, legs: tuple[Placed, ...] = ()) -> Placed:
    return Placed(
        broker_id=order.client_order_id,
        client_order_id=order.client_order_id,
        leg=Leg(order.leg),
        symbol=order.symbol,
        side=Side(order.side),
        quantity=order.quantity,
        filled=order.filled,
        state=State(order.state),
        legs=legs,
    )
