"""The interface of a broker: a few calls, and plain frozen answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from argo.errors import ArgoError
from execution.types import Leg, OrderState, Side

T = TypeVar("T")


class BrokerError(ArgoError):
    """A call to the broker failed.

    `permanent`: the same call will fail again. Otherwise it is unknown whether the broker did what
    it was asked to do: after an order, look it up first. `duplicate`: the broker already has an
    order with this client id. `unreadable`: the broker answered, but Argo cannot read the answer.
    """

    status = 503

    def __init__(
        self, message: str, *, permanent: bool, duplicate: bool = False, unreadable: bool = False
    ) -> None:
        self.permanent = permanent
        self.duplicate = duplicate
        self.unreadable = unreadable
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

    The rest of that bracket is canceled first: its exits would sell what is already sold. `exits`
    are the broker's ids of other exits of the position, which are canceled, too. `is_carried`: a
    corporate action has changed the position, so its entry may name another symbol and quantity.
    """

    client_order_id: str
    entry: str
    symbol: str
    side: Side
    quantity: Decimal
    exits: tuple[str, ...] = ()
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop on its own, for a position that lost the stop of its bracket.

    `entry` is the client id of that bracket. The broker accepts no more than is still held of it.
    `is_carried` is as for a `Close`.
    """

    client_order_id: str
    entry: str
    symbol: str
    side: Side
    quantity: Decimal
    level: Decimal
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The broker's state of an order. A bracket's entry has its exits in `legs`.

    `level` is the price of a stop or a target. `successor` is the order that replaced it, for
    example because a person moved a stop at the broker.
    """

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
    level: Decimal | None = None
    successor: "OrderReport | None" = None

    @property
    def chain(self) -> "list[OrderReport]":
        """Return the order and those that replaced it, one after the other."""
        found = [self]
        while (successor := found[-1].successor) is not None:
            found.append(successor)
        return found

    @property
    def exits(self) -> "list[OrderReport]":
        """Return the exits of the order and of its successors, also replaced ones, once each."""
        legs = [each for order in self.chain for leg in order.legs for each in leg.chain]
        return list({each.broker_id: each for each in legs}.values())


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


class Unread(NamedTuple):
    """A row of a broker's list that Argo cannot read.

    `text` says why. `row_id` is the row's own id, `order_id` the broker's id of the order that it
    is about; each is empty if even that cannot be read.
    """

    text: str
    row_id: str = ""
    order_id: str = ""
    symbol: str = ""


class Listing(list[T]):
    """A broker's list: the rows that Argo can read, and in `unread` the others.

    A row that cannot be read, such as an order for dollars that a person placed, hides no other.
    """

    def __init__(self, rows: Iterable[T] = (), unread: Iterable[Unread] = ()) -> None:
        super().__init__(rows)
        self.unread = tuple(unread)


def unread(rows: Sequence[object]) -> tuple[Unread, ...]:
    """Return what could not be read of a broker's list; a plain list was read whole."""
    return rows.unread if isinstance(rows, Listing) else ()


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
    The amount may be corrected later; it is 0 for one that is undone.
    """

    move_id: str
    kind: MoveKind
    amount: Decimal
    time: datetime
    text: str


class Broker(Protocol):
    """Symbols are in Argo's spelling. Every call raises `BrokerError` and nothing else.

    A list is a `Listing` if it has rows that cannot be read.
    """

    @property
    def name(self) -> str: ...

    @property
    def carries_over(self) -> bool:
        """Return whether its exits follow every split that Argo knows of, and no other."""

    def step(self, symbol: str) -> Decimal:
        """Return the smallest step of a quantity of `symbol`, without a call to the broker."""

    def account(self) -> Account:
        """Return the account's money now."""

    def positions(self) -> Sequence[Holding]:
        """Return what is held, one `Holding` for each symbol."""

    def submit(self, order: Bracket | Close | Stop) -> OrderReport:
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
