"""Alpaca's answers as Argo's reports. An invalid answer raises `ValueError` or `KeyError`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from execution.brokers.alpaca.fees import SaleFees
from execution.brokers.protocol import FillReport, Holding, Listing, OrderReport, Unread
from execution.types import Leg, OrderState, Side
from signals.instruments import instruments
from signals.market.instruments import ALPACA

Answer = Mapping[str, Any]
Fetch = Callable[[str], Answer]
"""Returns the order with this id of Alpaca, with its exits."""
T = TypeVar("T")
PARSE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)
"""The errors of reading an answer that is not as documented."""

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
MULTI_LEG = "mleg"
"""The class of an order of several instruments, such as a spread of options."""
EXITS = {"limit": Leg.TARGET, "stop": Leg.STOP, "stop_limit": Leg.STOP, "trailing_stop": Leg.STOP}
SIGNS = {"long": 1, "short": -1}
LEVELS = ("stop_price", "limit_price")
"""A stop with a limit has both: its stop is what counts."""


def order_report(answer: Answer, fetch: Fetch | None = None, leg: Leg | None = None) -> OrderReport:
    """Return an order, with its exits if the answer has them.

    With `fetch`, the orders that replaced it and its exits are followed. `leg` is given for an
    order that is known to be this leg, which an order that replaced it is, too.
    """
    leg, found = leg or _leg(answer), None
    for each in reversed([answer, *(_replacements(answer, fetch) if fetch else ())]):
        found = _one_report(each, fetch, leg, found)
    assert found is not None  # noqa: S101  # the answer itself is one
    return found


def _replacements(answer: Answer, fetch: Fetch) -> Iterator[Answer]:
    """Yield the order that replaced this one, the one that replaced that one, and so on."""
    seen = {answer.get("id")}
    while answer.get("replaced_by"):
        if answer["replaced_by"] in seen:
            raise _invalid(answer, "replaced_by")
        answer = fetch(text(answer, "replaced_by"))
        seen.add(answer.get("id"))
        yield answer


def _one_report(
    answer: Answer, fetch: Fetch | None, leg: Leg, successor: OrderReport | None
) -> OrderReport:
    quantity, filled = number(answer, "qty"), number(answer, "filled_qty")
    if not 0 <= filled <= quantity:
        raise _invalid(answer, "filled_qty")
    state = _state(answer, filled)
    return OrderReport(
        broker_id=text(answer, "id"),
        client_order_id=text(answer, "client_order_id"),
        leg=leg,
        symbol=symbol(answer),
        side=_one_of(SIDES, answer, "side"),
        quantity=quantity,
        filled=filled,
        state=state,
        reason="" if answer["status"] in (state, "new") else answer["status"],
        legs=tuple(order_report(each, fetch, _exit_leg(each)) for each in answer.get("legs") or ()),
        level=_level(answer),
        successor=successor,
    )


def _level(answer: Answer) -> Decimal | None:
    """Return the price of a stop or a target; None if it has no fixed one."""
    return next((number(answer, name) for name in LEVELS if answer.get(name) is not None), None)


def holding(answer: Answer) -> Holding:
    """Return a position. Alpaca gives a short position a negative quantity, and also says its
    side."""
    quantity = signed_quantity(answer)
    prices = number(answer, "avg_entry_price"), number(answer, "current_price")
    return Holding(symbol(answer), quantity, *prices)


def signed_quantity(answer: Answer) -> Decimal:
    """Return the quantity of a position, negative if it is sold short."""
    return abs(number(answer, "qty")) * _one_of(SIGNS, answer, "side")


def fill_report(answer: Answer, fees: SaleFees) -> FillReport:
    """Return a fill from the account's activities, with the fee that `fees` estimates.

    Alpaca charges the regulators' fees at the end of the day, as one sum for all sales.
    """
    quantity, price = number(answer, "qty"), number(answer, "price")
    if not (quantity > 0 and price > 0):
        raise _invalid(answer, "price" if quantity > 0 else "qty")
    side = _one_of(SIDES, answer, "side")
    return FillReport(
        text(answer, "id"),
        text(answer, "order_id"),
        symbol(answer),
        side,
        quantity,
        price,
        fees.of(side, quantity, price),
        moment(answer, "transaction_time"),
    )


def is_bracket(answer: Answer) -> bool:
    """Return whether the order has exits."""
    return answer.get("order_class") == "bracket"


def with_legs(answer: Answer) -> Iterator[Answer]:
    """Yield the order, then its exits. The legs of an order of several instruments are no exits."""
    yield answer
    if answer.get("order_class") != MULTI_LEG:
        yield from answer.get("legs") or ()


def still_open(orders: Iterable[Answer]) -> Listing[OrderReport]:
    """Return the orders that may still fill, exits on their own too; if one comes twice, its later
    row.

    Only the status of an order that is done is read: orders made outside of Argo may be of kinds
    that it does not know.
    """
    latest = {each.get("id"): each for answer in orders for each in with_legs(answer)}
    return listing(latest.values(), _open_report)


def _open_report(answer: Answer) -> OrderReport | None:
    return None if state_of(answer).is_final else order_report(answer)


def listing(
    answers: Iterable[Answer], read: Callable[[Answer], T | None], order_id: str = "id"
) -> Listing[T]:
    """Return what `read` makes of each row, and apart from them the rows that cannot be read.

    A row for which it returns None is left out. `order_id` is the name of the order's id.
    """
    found: list[T] = []
    unread: list[Unread] = []
    for answer in answers:
        try:
            row = read(answer)
        except PARSE_ERRORS as error:
            ids = (_plain(answer, name) for name in ("id", order_id, "symbol"))
            unread.append(Unread(_why(error), *ids))
        else:
            found += [] if row is None else [row]
    return Listing(found, unread)


def _why(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _plain(answer: Answer, name: str) -> str:
    """Return the text, or an empty one if it cannot be read; a symbol in Argo's spelling."""
    try:
        return symbol(answer) if name == "symbol" else text(answer, name)
    except PARSE_ERRORS:
        return ""


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


def symbol_or_none(answer: Answer) -> str | None:
    """Return the symbol in Argo's spelling; None if it cannot be read."""
    return _plain(answer, "symbol") or None


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


def _exit_leg(answer: Answer) -> Leg:
    """Return the leg of an exit; a stop that was reached may have become a market order."""
    return Leg.TARGET if answer["type"] == "limit" else Leg.STOP


def _one_of(table: Mapping[str, T], answer: Answer, name: str) -> T:
    if answer[name] not in table:
        raise _invalid(answer, name)
    return table[answer[name]]


def _invalid(answer: Answer, name: str) -> ValueError:
    which = answer.get("id") or answer.get("symbol") or "the account"
    return ValueError(f"{name} of {which} is {answer[name]!r}, which is not valid")
