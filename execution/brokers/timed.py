"""A broker whose calls end in time, for callers that must not wait, such as a web request."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from execution.brokers.protocol import (
    Account,
    Bracket,
    Broker,
    BrokerError,
    Close,
    FillReport,
    Holding,
    MoneyMove,
    OrderReport,
    Stop,
)
from signals.market.timed import Deadline, Late

T = TypeVar("T")


class TimedBroker:
    """Makes the calls of `broker` within a deadline.

    A late call raises a `BrokerError` that is not permanent, and goes on by itself: it is not known
    whether the broker did what it was asked to do. `broker` must not use the database.
    """

    def __init__(self, broker: Broker, deadline: Deadline) -> None:
        self._broker = broker
        self._deadline = deadline

    @property
    def name(self) -> str:
        return self._broker.name

    @property
    def carries_over(self) -> bool:
        return self._broker.carries_over

    def step(self, symbol: str) -> Decimal:
        return self._broker.step(symbol)

    def account(self) -> Account:
        return self._call(self._broker.account)

    def positions(self) -> Sequence[Holding]:
        return self._call(self._broker.positions)

    def submit(self, order: Bracket | Close | Stop) -> OrderReport:
        return self._call(lambda: self._broker.submit(order))

    def cancel(self, broker_id: str) -> None:
        self._call(lambda: self._broker.cancel(broker_id))

    def find(self, client_order_id: str) -> OrderReport | None:
        return self._call(lambda: self._broker.find(client_order_id))

    def open_orders(self) -> Sequence[OrderReport]:
        return self._call(self._broker.open_orders)

    def fills(self, since: datetime) -> Sequence[FillReport]:
        return self._call(lambda: self._broker.fills(since))

    def moves(self, since: datetime) -> Sequence[MoneyMove]:
        return self._call(lambda: self._broker.moves(since))

    def transfer(self, amount: Decimal) -> None:
        self._call(lambda: self._broker.transfer(amount))

    def _call(self, act: Callable[[], T]) -> T:
        try:
            return self._deadline.call(act)
        except Late:
            text = f"the broker has not answered within {self._deadline.seconds:g} s"
            raise BrokerError(f"{text}: try again in a moment", permanent=False) from None
