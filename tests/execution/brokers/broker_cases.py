"""The contract of every broker: what a test needs of each, and orders to try.

A case is a broker and its market. To add one, write it beside the others in `broker_fixtures.py`,
and a fixture for it in `conftest.py` that `CASES` names; `test_every_broker.py` then runs on it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import pytest

from execution.brokers.protocol import Bracket, Broker, Close, OrderReport, Stop
from execution.types import Leg, Side

SYMBOL = "AAPL"
QUANTITY = Decimal(10)


class BrokerCase(Protocol):
    """A broker with an account of its own: no positions, no orders, and 100,000 of money.

    Costs may move a fill from the market's price, but by less than 1.
    """

    @property
    def broker(self) -> Broker: ...

    @property
    def other_spelling(self) -> str:
        """Return a symbol that it trades, in a spelling that is not Argo's."""

    def move(self, symbol: str, price: str) -> None:
        """Let the market trade at `price` from now on, later than every order so far.

        Everything that fills at this price is filled, market orders included. `symbol` is in Argo's
        spelling.
        """

    def split(self, symbol: str, new: int, old: int) -> None:
        """Give `new` shares for each `old` ones, over night."""

    def pay_dividend(self, symbol: str, cash: str) -> None:
        """Pay `cash` for each share, over night."""

    def rename(self, symbol: str, new_symbol: str) -> None:
        """Give a symbol a new name, over night."""

    def transfer(self, amount: str) -> None:
        """Pay money in, or out if it is below 0, where the owner of the account does that."""

    @property
    def outside(self) -> "Outside | None":
        """Return what others can do on the account; None if nobody can."""


class Outside(Protocol):
    """The acts of a person, or of the broker, on an account without Argo."""

    def order_for_dollars(self) -> None:
        """Place an order by hand for an amount of money."""

    def order_several(self) -> None:
        """Place one order by hand for several instruments."""

    def move_stop(self, client_order_id: str, level: str) -> None:
        """Move the stop of this bracket to another price."""

    def move_target(self, client_order_id: str, level: str) -> None:
        """Move the target of this bracket to another price."""

    def shrink_entry(self, client_order_id: str, quantity: str) -> None:
        """Change the quantity of a bracket whose entry waits."""

    def refuse_closes(self, status: int) -> None:
        """Refuse orders that close a position from now on; 0 accepts them again."""

    def refuse_what_it_places(self) -> None:
        """From now on, refuse each order and place it all the same."""


def outside_of(broker_case: BrokerCase) -> Outside:
    """Return what others can do on the account; skip the test if nobody can.

    The paper account is in Argo's own database: no person and no broker changes its orders.
    """
    if broker_case.outside is None:
        pytest.skip(f"only Argo trades on the account at {broker_case.broker.name}")
    return broker_case.outside


def buying(client_order_id: str = "entry-1", symbol: str = SYMBOL) -> Bracket:
    """Return an order to buy 10 at about 100, with exits at 110 and 90."""
    return Bracket(
        client_order_id, symbol, Side.BUY, QUANTITY, Decimal(110), Decimal(90), Decimal(100)
    )


def selling(client_order_id: str = "entry-1", symbol: str = SYMBOL) -> Bracket:
    """Return an order to sell 10 short at about 100, with exits at 90 and 110."""
    return Bracket(
        client_order_id, symbol, Side.SELL, QUANTITY, Decimal(90), Decimal(110), Decimal(100)
    )


def closing(bracket: Bracket, client_order_id: str = "close-1") -> Close:
    """Return the order that closes the bracket now."""
    side = bracket.side.opposite
    entry = bracket.client_order_id
    return Close(client_order_id, entry, bracket.symbol, side, bracket.quantity)


def protecting(bracket: Bracket, client_order_id: str = "stop-2", level: int = 95) -> Stop:
    """Return a stop on its own for the position of a bracket."""
    side, entry = bracket.side.opposite, bracket.client_order_id
    quantity = bracket.quantity
    return Stop(client_order_id, entry, bracket.symbol, side, quantity, Decimal(level))


def stop_of(broker: Broker, client_order_id: str = "entry-1") -> OrderReport:
    """Return the stop of a bracket, the last one if it was replaced."""
    return [leg for leg in found(broker, client_order_id).exits if leg.leg is Leg.STOP][-1]


def held(broker: Broker) -> dict[str, Decimal]:
    """Return the quantity of each symbol."""
    return {holding.symbol: holding.quantity for holding in broker.positions() if holding.quantity}


def found(broker: Broker, client_order_id: str = "entry-1") -> OrderReport:
    """Return the broker's present report of the order."""
    order = broker.find(client_order_id)
    assert order is not None
    return order


def states(orders: Sequence[OrderReport]) -> dict[str, str]:
    """Return the state of each leg."""
    return {order.leg.value: order.state.value for order in orders}
