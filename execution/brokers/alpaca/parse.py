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

Answer = Mapping[str, Any]
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


def order_report(answer: Answer) -> OrderReport:
    """An order, with its exits where the answer has them."""
    quantity, filled = number(answer, "qty"), number(answer, "filled_qty")
    if not 0 <= filled <= quantity:
        raise _bad(answer, "filled_qty")
    state = _state(answer, filled)
    return OrderReport(
        broker_id=text(answer, "id"),
        client_order_id=text(answer, "client_order_id"),
        leg=_leg(answer),
        symbol=symbol(answer),
        side=_one_of(SIDES, answer, "side"),
        quantity=quantity,
        filled=filled,
        state=state,
        reason="" if answer["status"] in (state, "new") else answer["status"],
        legs=tuple(order_report(leg) for leg in answer.get("legs") or ()),
    )


def holding(answer: Answer) -> Holding:
    """A position. Alpaca gives short ones a quantity below 0 and says so besides."""
    quantity = abs(number(answer, "qty")) * _one_of(SIGNS, answer, "side")
    prices = number(answer, "avg_entry_price"), number(answer, "current_price")
    return Holding(symbol(answer), quantity, *prices)


def fill_report(answer: Answer) -> FillReport:
    """A fill, of the account's activities. Alpaca charges no fee for stocks and tells none here."""
    quantity, price = number(answer, "qty"), number(answer, "price")
    if not (quantity > 0 and price > 0):
        raise _bad(answer, "price" if quantity > 0 else "qty")
    return FillReport(
        text(answer, "id"),
        text(answer, "order_id"),
        symbol(answer),
        _one_of(SIDES, answer, "side"),
        quantity,
        price,
        ZERO,
        moment(answer, "transaction_time"),
    )


def is_bracket(answer: Answer) -> bool:
    """Whether exits belong to it."""
    return answer.get("order_class") == "bracket"


def with_legs(answer: Answer) -> Iterator[Answer]:
    """The order, and its exits after it."""
    yield answer
    yield from answer.get("legs") or ()


def still_open(orders: Iterable[Answer]) -> list[OrderReport]:
    """Those that may still be filled, exits by themselves too; of one that comes twice the later.

    Of one that is done nothing is looked at but its status: orders of other hands may be of kinds
    that Argo does not know.
    """
    latest = {text(each, "id"): each for answer in orders for each in with_legs(answer)}
    return [order_report(each) for each in latest.values() if not state_of(each).is_final]


def number(answer: Answer, name: str) -> Decimal:
    """Exactly as it is written; what is no finite number is refused."""
    value = answer[name]
    if not isinstance(value, str | int | float):
        raise _bad(answer, name)
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise _bad(answer, name) from error
    if not found.is_finite():
        raise _bad(answer, name)
    return found


def text(answer: Answer, name: str) -> str:
    """What names something, and so cannot be empty."""
    value = answer[name]
    if not (isinstance(value, str) and value):
        raise _bad(answer, name)
    return value


def moment(answer: Answer, name: str) -> datetime:
    """A time, in UTC. One without a zone is refused."""
    found = datetime.fromisoformat(text(answer, name))
    if found.tzinfo is None:
        raise _bad(answer, name)
    return found.astimezone(UTC)


def symbol(answer: Answer) -> str:
    """In Argo's spelling: Alpaca's positions say BTCUSD where its orders say BTC/USD."""
    name = text(answer, "symbol")
    pair = PAIR.fullmatch(name) if answer.get("asset_class") == "crypto" else None
    return "-".join(pair.groups()) if pair else normalised(name)


def state_of(answer: Answer) -> OrderState:
    """Its status, by the table."""
    return _one_of(STATES, answer, "status")


def _state(answer: Answer, filled: Decimal) -> OrderState:
    state = state_of(answer)
    return OrderState.PARTIALLY_FILLED if state is OrderState.ACCEPTED and filled else state


def _leg(answer: Answer) -> Leg:
    """By its type; an order at the market opens a bracket, or closes."""
    if answer["type"] == "market":
        return Leg.ENTRY if is_bracket(answer) else Leg.CLOSE
    return _one_of(EXITS, answer, "type")


def _one_of(table: Mapping[str, T], answer: Answer, name: str) -> T:
    if answer[name] not in table:
        raise _bad(answer, name)
    return table[answer[name]]


def _bad(answer: Answer, name: str) -> ValueError:
    which = answer.get("id") or answer.get("symbol") or "the account"
    return ValueError(f"{name} of {which} is {answer[name]!r}, which Argo does not know")
