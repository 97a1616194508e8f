"""The interface of a broker: a few calls, and plain frozen answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from argo.errors import ArgoError
from execution.types import Leg, OrderState, Side


class BrokerError(ArgoError):
    """A call to the broker failed.

    `permanent`: the same call will fail again. Otherwise it is unknown whether the broker did what
    it was asked to do: after an order, look it up first. `duplicate`: the broker already has an
    order with this client id.
    """

    status = 503

    def __init__(self, message: str, *, permanent: bool, duplicate: bool = False) -> None:
        self.permanent = permanent
        self.duplicate = duplicate
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Account:
    """The money of an account, in the account's currency, at `time` (UTC).

    `balance` counts closed trades only; `equity` is `balance` plus the unrealised profit or loss of
    the open positions. `account_id` is the broker's own, which no other account has; empty if it
    has none.
    """

    equity: Decimal
    balance: Decimal
    buying_power: Decimal
    time: datetime
    account_id: str = ""


class Holding(NamedTuple):
    """The quantity of a symbol that the broker reports, negative if it is sold short.

    `symbol` is in Argo's spelling.
    """

    symbol: str
    quantity: Decimal
    average_price: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Bracket:
    """A market order with its two exits; when one exit fills, the other is canceled.

    The broker accepts all three or none. `reference` is the price at which the trade was decided.
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
    """A market order that closes a position; `entry` is the client id of its bracket.

    The rest of that bracket is canceled first: its exits would sell what is already sold.
    """

    client_order_id: str
    entry: str
    symbol: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The broker's state of an order. A bracket's entry has its exits in `legs`."""

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
    """One fill. `fill_id` stays the same each time the fill is reported."""

    fill_id: str
    broker_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: datetime


class MoveKind(StrEnum):
    """The kind of a movement of money that no order caused.

    A transfer is no profit. Income, such as a dividend, is profit; a fee is a loss.
    """

    TRANSFER = "transfer"
    INCOME = "income"
    FEE = "fee"


class MoneyMove(NamedTuple):
    """Money that came into the account, or left it if `amount` is below 0, without an order.

    `move_id` stays the same each time the movement is reported; `text` is the broker's word for it.
    """

    move_id: str
    kind: MoveKind
    amount: Decimal
    time: datetime
    text: str


class Broker(Protocol):
    """Symbols are in Argo's spelling. Every call raises `BrokerError` and nothing else."""

    @property
    def name(self) -> str: ...

    def step(self, symbol: str) -> Decimal:
        """Return the smallest step of a quantity of `symbol`, without a call to the broker."""

    def account(self) -> Account:
        """Return the account's money now."""

    def positions(self) -> Sequence[Holding]:
        """Return what is held, one `Holding` for each symbol."""

    def submit(self, order: Bracket | Close) -> OrderReport:
        """Place an order. Raises with `duplicate` if the client id was already used."""

    def cancel(self, broker_id: str) -> None:
        """Cancel an order. An order that is done or unknown is no error."""

    def find(self, client_order_id: str) -> OrderReport | None:
        """Return the order with this client id; None if the broker never had it."""

    def open_orders(self) -> Sequence[OrderReport]:
        """Return the orders that may still fill; exits are also listed on their own."""

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """Return the fills at `since` or later, in any order."""

    def moves(self, since: datetime) -> Sequence[MoneyMove]:
        """Return the movements of money since about `since`, in any order; some may be older.

        A broker whose money only `transfer` moves reports none.
        """

    def transfer(self, amount: Decimal) -> None:
        """Move money into the account, or out of it if `amount` is below 0.

        Raises `BrokerError` if that is done elsewhere, or if so much money is not free.
        """
