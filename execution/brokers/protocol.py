"""What a broker is to Argo: a few calls, and plain frozen answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from argo.errors import ArgoError
from execution.types import Leg, OrderState, Side


class BrokerError(ArgoError):
    """A call to the broker failed.

    `permanent`: asking again will not help. Otherwise it is not known whether the broker did what
    was asked: whoever placed an order looks it up before anything else. `duplicate`: the broker has
    an order of that client id already.
    """

    status = 503

    def __init__(self, message: str, *, permanent: bool, duplicate: bool = False) -> None:
        self.permanent = permanent
        self.duplicate = duplicate
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Account:
    """Money, in the account's currency, at `time` (UTC).

    `equity` is `balance` and what the open positions have won or lost so far; `balance` counts
    closed trades alone.
    """

    equity: Decimal
    balance: Decimal
    buying_power: Decimal
    time: datetime


class Holding(NamedTuple):
    """What the broker says is held of a symbol, in Argo's spelling: below 0 it is sold short."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Bracket:
    """An order at the market with its two exits, of which one cancels the other.

    The broker takes all three or none. `reference` is the price at which it was decided on.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    target: Decimal
    stop: Decimal
    reference: Decimal


@dataclass(frozen=True, slots=True)
class Close:
    """The order to end a position at the market; `entry` is its bracket's client id.

    What is left of that bracket is canceled first: its exits would sell what is sold already.
    """

    client_order_id: str
    entry: str
    symbol: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order as the broker has it. A bracket's entry has its exits among `legs`."""

    broker_id: str
    client_order_id: str
    leg: Leg
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    state: OrderState
    reason: str = ""
    legs: Sequence["OrderReport"] = ()


class FillReport(NamedTuple):
    """One fill: `fill_id` names it for good, however often it is told."""

    fill_id: str
    broker_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: datetime


class Broker(Protocol):
    """Symbols are in Argo's spelling. Every call raises `BrokerError`, and nothing else."""

    @property
    def name(self) -> str: ...

    def step(self, symbol: str) -> Decimal:
        """The least step of a quantity of `symbol`; no call to the broker."""

    def account(self) -> Account:
        """The money as it stands."""

    def positions(self) -> Sequence[Holding]:
        """What is held, one for each symbol."""

    def submit(self, order: Bracket | Close) -> OrderReport:
        """Place an order. A client id that was placed before raises with `duplicate`."""

    def cancel(self, broker_id: str) -> None:
        """Cancel an order; one that is done already, or is not there, is no error."""

    def find(self, client_order_id: str) -> OrderReport | None:
        """The order of that client id; None where the broker never had it."""

    def open_orders(self) -> Sequence[OrderReport]:
        """Those that may still be filled; exits stand among them by themselves too."""

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """What was filled at `since` or later, in any order."""
