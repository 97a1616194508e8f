"""Alpaca's answers as Argo's reports. An invalid answer raises `ValueError` or `KeyError`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from execution.brokers.protocol import FillReport, Holding, OrderReport
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.instruments import instruments
from signals.market.instruments import ALPACA

Answer = Mapping[str, Any]
T = TypeVar("T")

STATES = {
    "new": OrderState.ACCEPTED,
    "accepted": OrderState.ACCEPTED,
    "pending_new": OrderState.ACCEPTED,
    "accepted_for_bidding": OrderState.ACCEPTED,
    "pending_review": OrderState.ACCEPTED,
    "held": OrderState.ACCEPTED,  # an exit that waits for its entry or for the other exit
    "stopped": OrderState.ACCEPTED,  # the price is guaranteed, but it is not traded yet
    "suspended": OrderState.ACCEPTED,
    "calculated": OrderState.ACCEPTED,
    "done_for_day": OrderState.ACCEPTED,  # it continues in the next session
    "pending_cancel": OrderState.ACCEPTED,  # it may fill until it is canceled
    "pending_replace": OrderState.ACCEPTED,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "replaced": OrderState.CANCELED,  # a target ends like this when its stop is reached
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
"""Argo's state for each status of Alpaca; an unknown status is refused, never guessed."""
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}
EXITS = {"limit": Leg.TARGET, "stop": Leg.STOP, "stop_limit": Leg.STOP, "trailing_stop": Leg.STOP}
SIGNS = {"long": 1, "short": -1}


def order_report(answer: Answer) -> OrderReport:
    """Return an order, with its exits if the answer has them."""
    quantity, filled = number(answer, "qty"), number(answer, "filled_qty")
    if not 0 <= filled <= quantity:
        raise _invalid(answer, "filled_qty")
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
    """Return a position. Alpaca gives a short position a negative quantity, and also says its
    side."""
    quantity = abs(number(answer, "qty")) * _one_of(SIGNS, answer, "side")
    prices = number(answer, "avg_entry_price"), number(answer, "current_price")
    return Holding(symbol(answer), quantity, *prices)


def fill_report(answer: Answer) -> FillReport:
    """Return a fill from the account's activities.

    The fee is 0: Alpaca charges none for stocks and reports none here.
    """
    quantity, price = number(answer, "qty"), number(answer, "price")
    if not (quantity > 0 and price > 0):
        raise _invalid(answer, "price" if quantity > 0 else "qty")
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
    """Return whether the order has exits."""
    return answer.get("order_class") == "bracket"


def with_legs(answer: Answer) -> Iterator[Answer]:
    """Yield the order, then its exits."""
    yield answer
    yield from answer.get("legs") or ()


def still_open(orders: Iterable[Answer]) -> list[OrderReport]:
    """Return the orders that may still fill, exits on their own too; if one comes twice, its later
    row.

    Only the status of an order that is done is read: orders made outside of Argo may be of kinds
    that it does not know.
    """
    latest = {text(each, "id"): each for answer in orders for each in with_legs(answer)}
    return [order_report(each) for each in latest.values() if not state_of(each).is_final]


def number(answer: Answer, name: str) -> Decimal:
    """Return the number exactly as written. Raises `ValueError` if it is not finite."""
    value = answer[name]
    if not isinstance(value, str | int | float):
        raise _invalid(answer, name)
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise _invalid(answer, name) from error
    if not found.is_finite():
        raise _invalid(answer, name)
    return found


def text(answer: Answer, name: str) -> str:
    """Return a text that identifies something. Raises `ValueError` if it is empty."""
    value = answer[name]
    if not (isinstance(value, str) and value):
        raise _invalid(answer, name)
    return value


def moment(answer: Answer, name: str) -> datetime:
    """Return a time in UTC. Raises `ValueError` if it has no zone."""
    found = datetime.fromisoformat(text(answer, name))
    if found.tzinfo is None:
        raise _invalid(answer, name)
    return found.astimezone(UTC)


def symbol(answer: Answer) -> str:
    """Return the symbol in Argo's spelling.

    Alpaca's positions say BTCUSD, but its orders say BTC/USD.
    """
    name, kind = text(answer, "symbol"), answer.get("asset_class") or ""
    return instruments().at(ALPACA, name, kind).symbol


def state_of(answer: Answer) -> OrderState:
    """Return Argo's state for its status."""
    return _one_of(STATES, answer, "status")


def _state(answer: Answer, filled: Decimal) -> OrderState:
    state = state_of(answer)
    return OrderState.PARTIALLY_FILLED if state is OrderState.ACCEPTED and filled else state


def _leg(answer: Answer) -> Leg:
    """Return the leg by the type; a market order opens a bracket or closes it."""
    if answer["type"] == "market":
        return Leg.ENTRY if is_bracket(answer) else Leg.CLOSE
    return _one_of(EXITS, answer, "type")


def _one_of(table: Mapping[str, T], answer: Answer, name: str) -> T:
    if answer[name] not in table:
        raise _invalid(answer, name)
    return table[answer[name]]


def _invalid(answer: Answer, name: str) -> ValueError:
    which = answer.get("id") or answer.get("symbol") or "the account"
    return ValueError(f"{name} of {which} is {answer[name]!r}, which is not valid")
