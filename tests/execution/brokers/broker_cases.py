"""What every broker must do: the house that a test needs of each, and orders to try.

A house is a broker and its market. To add one, write it beside the others in `houses.py`, and a
fixture for it in `conftest.py` that `HOUSES` names; `test_contract.py` then runs on it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from execution.brokers.protocol import Bracket, Broker, Close, OrderReport
from execution.types import Side

SYMBOL = "AAPL"
QUANTITY = Decimal(10)


class House(Protocol):
    """A broker with an account of its own: nothing is held, nothing was ordered, 100,000 of money.

    Costs may move a fill from the market's price, but by less than one.
    """

    @property
    def broker(self) -> Broker: ...

    @property
    def spelt(self) -> str:
        """A symbol that it trades, in a spelling that is not Argo's."""

    def move(self, symbol: str, price: str) -> None:
        """The market trades at that price from now on, later than every order so far; what would
        be filled at it is, an order at the market among it. `symbol` is in Argo's spelling."""


def buying(client_order_id: str = "entry-1", symbol: str = SYMBOL) -> Bracket:
    """Ten at about 100, to be sold at 110 or at 90."""
    return Bracket(
        client_order_id, symbol, Side.BUY, QUANTITY, Decimal(110), Decimal(90), Decimal(100)
    )


def selling(client_order_id: str = "entry-1", symbol: str = SYMBOL) -> Bracket:
    """Ten sold short at about 100, to be bought back at 90 or at 110."""
    return Bracket(
        client_order_id, symbol, Side.SELL, QUANTITY, Decimal(90), Decimal(110), Decimal(100)
    )


def closing(bracket: Bracket, client_order_id: str = "close-1") -> Close:
    """The order that ends it now."""
    side = bracket.side.opposite
    entry = bracket.client_order_id
    return Close(client_order_id, entry, bracket.symbol, side, bracket.quantity)


def held(broker: Broker) -> dict[str, Decimal]:
    """How much of each symbol."""
    return {holding.symbol: holding.quantity for holding in broker.positions() if holding.quantity}


def found(broker: Broker, client_order_id: str = "entry-1") -> OrderReport:
    """The order as the broker has it now."""
    order = broker.find(client_order_id)
    assert order is not None
    return order


def states(orders: Sequence[OrderReport]) -> dict[str, str]:
    """How each leg stands."""
    return {order.leg.value: order.state.value for order in orders}
