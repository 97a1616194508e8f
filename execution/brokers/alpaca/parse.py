"""Alpaca's answers in Argo's words. What makes no sense raises `ValueError` or `KeyError`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from execution.brokers.protocol import FillReport, Holding, OrderReport
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.market.instruments import QUOTED_IN, normalised

Told = Mapping[str, Any]
T = TypeVar("T")

STATES = {
    "new": OrderState.ACCEPTED,
    "accepted": OrderState.ACCEPTED,
    "pending_new": OrderState.ACCEPTED,
    "accepted_for_bidding": OrderState.ACCEPTED,
    "pending_review": OrderState.ACCEPTED,
    "held": OrderState.ACCEPTED,  # an exit that waits for its entry, or beside the other exit
    "stopped": OrderState.ACCEPTED,  # a price is promised, and not traded yet
    "suspended": OrderState.ACCEPTED,
    "calculated": OrderState.ACCEPTED,
    "done_for_day": OrderState.ACCEPTED,  # it goes on with the next session
    "pending_cancel": OrderState.ACCEPTED,  # until it is canceled it may be filled
    "pending_replace": OrderState.ACCEPTED,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "replaced": OrderState.CANCELED,  # so ends a target whose stop was reached
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
"""What Alpaca's statuses are to Argo; another one is refused, never guessed."""
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}
EXITS = {"limit": Leg.TARGET, "stop": Leg.STOP, "stop_limit": Leg.STOP, "trailing_stop": Leg.STOP}
SIGNS = {"long": 1, "short": -1}
PAIR = re.compile(rf"([A-Z0-9]+?)[-/]?({QUOTED_IN})")


def placed(told: Told) -> OrderReport:
    """An order, with its exits where the answer has them."""
    quantity, filled = number(told, "qty"), number(told, "filled_qty")
    if not 0 <= filled <= quantity:
        raise _bad(told, "filled_qty")
    state = _state(told, filled)
    return OrderReport(
        broker_id=text(told, "id"),
        client_order_id=text(told, "client_order_id"),
        leg=_leg(told),
        symbol=symbol(told),
        side=_one_of(SIDES, told, "side"),
        quantity=quantity,
        filled=filled,
        state=state,
        reason="" if told["status"] in (state, "new") else told["status"],
        legs=tuple(placed(leg) for leg in told.get("legs") or ()),
    )


def holding(told: Told) -> Holding:
    """A position. Alpaca gives short ones a quantity below 0 and says so besides."""
    quantity = abs(number(told, "qty")) * _one_of(SIGNS, told, "side")
    prices = number(told, "avg_entry_price"), number(told, "current_price")
    return Holding(symbol(told), quantity, *prices)


def execution(told: Told) -> FillReport:
    """A fill, of the account's activities. Alpaca charges no fee for stocks and tells none here."""
    quantity, price = number(told, "qty"), number(told, "price")
    if not (quantity > 0 and price > 0):
        raise _bad(told, "price" if quantity > 0 else "qty")
    return FillReport(
        text(told, "id"),
        text(told, "order_id"),
        symbol(told),
        _one_of(SIDES, told, "side"),
        quantity,
        price,
        ZERO,
        moment(told, "transaction_time"),
    )


def is_bracket(told: Told) -> bool:
    """Whether exits belong to it."""
    return told.get("order_class") == "bracket"


def with_legs(told: Told) -> Iterator[Told]:
    """The order, and its exits after it."""
    yield told
    yield from told.get("legs") or ()


def still_open(orders: Iterable[Told]) -> list[OrderReport]:
    """Those that may still be filled, exits by themselves too; of one that comes twice the later.

    Of one that is done nothing is looked at but its status: orders of other hands may be of kinds
    that Argo does not know.
    """
    latest = {text(each, "id"): each for told in orders for each in with_legs(told)}
    return [placed(each) for each in latest.values() if not state_of(each).is_final]


def number(told: Told, name: str) -> Decimal:
    """Exactly as it is written; what is no finite number is refused."""
    value = told[name]
    if not isinstance(value, str | int | float):
        raise _bad(told, name)
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise _bad(told, name) from error
    if not found.is_finite():
        raise _bad(told, name)
    return found


def text(told: Told, name: str) -> str:
    """What names something, and so cannot be empty."""
    value = told[name]
    if not (isinstance(value, str) and value):
        raise _bad(told, name)
    return value


def moment(told: Told, name: str) -> datetime:
    """A time, in UTC. One without a zone is refused."""
    found = datetime.fromisoformat(text(told, name))
    if found.tzinfo is None:
        raise _bad(told, name)
    return found.astimezone(UTC)


def symbol(told: Told) -> str:
    """In Argo's spelling: Alpaca's positions say BTCUSD where its orders say BTC/USD."""
    name = text(told, "symbol")
    pair = PAIR.fullmatch(name) if told.get("asset_class") == "crypto" else None
    return "-".join(pair.groups()) if pair else normalised(name)


def state_of(told: Told) -> OrderState:
    """Its status, by the table."""
    return _one_of(STATES, told, "status")


def _state(told: Told, filled: Decimal) -> OrderState:
    state = state_of(told)
    return OrderState.PARTIALLY_FILLED if state is OrderState.ACCEPTED and filled else state


def _leg(told: Told) -> Leg:
    """By its type; an order at the market opens a bracket, or closes."""
    if told["type"] == "market":
        return Leg.ENTRY if is_bracket(told) else Leg.CLOSE
    return _one_of(EXITS, told, "type")


def _one_of(table: Mapping[str, T], told: Told, name: str) -> T:
    if told[name] not in table:
        raise _bad(told, name)
    return table[told[name]]


def _bad(told: Told, name: str) -> ValueError:
    which = told.get("id") or told.get("symbol") or "the account"
    return ValueError(f"{name} of {which} is {told[name]!r}, which Argo does not know")
