"""What a broker is to Argo: a few calls, and plain frozen answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from argo.errors import ArgoError
from execution.risk.model import Side


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


class State(StrEnum):
    """How an order stands, in the trade's words.

    `initialized`: a row of ours, not sent yet. `denied`: by our own rules, never sent. `submitted`:
    being sent. `unknown`: sent, and no answer came. The others are the broker's word.
    """

    INITIALIZED = "initialized"
    DENIED = "denied"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the order is done: nothing more comes of it but a late fill."""
        return self in FINAL


FINAL = frozenset({State.DENIED, State.FILLED, State.CANCELED, State.EXPIRED, State.REJECTED})
ON_THE_WAY = (State.INITIALIZED, State.SUBMITTED, State.UNKNOWN)
"""Before the broker's first word: its buying power may not count these yet."""
AT_BROKER = (State.ACCEPTED, State.PARTIALLY_FILLED)
"""The broker has them, and may still fill them."""


class Leg(StrEnum):
    """What an order is for: to open a position, to end it at a price, or to close it now."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


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
class Placed:
    """An order as the broker has it. A bracket's entry has its exits among `legs`."""

    broker_id: str
    client_order_id: str
    leg: Leg
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    state: State
    reason: str = ""
    legs: Sequence["Placed"] = ()


class Execution(NamedTuple):
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

    def submit(self, order: Bracket | Close) -> Placed:
        """Place an order. A client id that was placed before raises with `duplicate`."""

    def cancel(self, broker_id: str) -> None:
        """Cancel an order; one that is done already, or is not there, is no error."""

    def find(self, client_order_id: str) -> Placed | None:
        """The order of that client id; None where the broker never had it."""

    def open_orders(self) -> Sequence[Placed]:
        """Those that may still be filled; exits stand among them by themselves too."""

    def fills(self, since: datetime) -> Sequence[Execution]:
        """What was filled at `since` or later, in any order."""
