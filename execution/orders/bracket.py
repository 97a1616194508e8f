"""The orders of one signal: read at once, and made as rows before anything is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile
from math import prod
from typing import NamedTuple

from execution.accounts import halts
from execution.brokers.fill_model import rounded
from execution.context import TradingContext
from execution.models import CorporateAction, Fill, Order, Position
from execution.money import ZERO, times
from execution.orders.states import client_order_id
from execution.risk.model import Intent
from execution.types import AT_BROKER, ON_THE_WAY, HaltCode, Leg, OrderState, Side
from signals.ahead import is_ahead
from signals.models import Signal
from signals.rows import by_id, insert

CLOSE_PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=1),
)
"""The pause after the first failed close in a row, the second, the third, and all that follow."""
MAX_FAILED_CLOSES = 3
"""After this many failed closes in a row, trading is halted."""


class CountedFill(NamedTuple):
    """A fill in the shares of today; `value` is the money that was paid or received."""

    order_id: int
    quantity: Decimal
    value: Decimal
    fee: Decimal
    time: datetime

    @classmethod
    def of(cls, fill: Fill, ratio: Fraction) -> "CountedFill":
        """Return the fill with `ratio` shares for each of its own."""
        quantity = times(fill.quantity, ratio)
        return cls(fill.order_id, quantity, fill.quantity * fill.price, fill.fee, fill.time)


@dataclass(frozen=True)
class Trade:
    """All orders of one signal: its entry, its exits, and any orders to close it.

    `actions` are the corporate actions that its position was carried over.
    """

    orders: tuple[Order, ...]
    actions: tuple[CorporateAction, ...] = ()

    @classmethod
    def read(cls, signal_pk: int) -> "Trade":
        """Return the orders as they are now, locked until the caller's transaction ends."""
        orders = Order.objects.of_signal(signal_pk, locked=True)
        return cls(tuple(orders), tuple(CorporateAction.objects.applied_to(signal_pk)))

    @property
    def entry(self) -> Order:
        """Return the order that opens the position."""
        return self.leg(Leg.ENTRY)

    @property
    def entries(self) -> list[Order]:
        """Return the order that opens the position, and those that took its place."""
        return [each for each in self.orders if each.leg == Leg.ENTRY]

    @property
    def is_entered(self) -> bool:
        """Return whether no entry can fill any more."""
        return all(OrderState(each.state).is_final for each in self.entries)

    @property
    def signal(self) -> Signal:
        """Return the signal that is traded."""
        pk = self.entry.signal_id
        return by_id(Signal, [pk])[pk]

    @property
    def held(self) -> Decimal:
        """Return the quantity that was entered and has not been closed yet."""
        if not self.actions:
            filled = ((each.leg, each.filled) for each in self.orders)
        else:
            leg_of = {each.pk: each.leg for each in self.orders}
            filled = ((leg_of[each.order_id], each.quantity) for each in self.fills)
        return sum((many if leg == Leg.ENTRY else -many for leg, many in filled), ZERO)

    @property
    def fills(self) -> list[CountedFill]:
        """Return the fills that count, oldest first, in the shares of today."""
        found = Fill.objects.counted_of(self.entry.signal_id)
        return [CountedFill.of(each, self.ratio_since(each.time, each.price)) for each in found]

    def ratio_since(self, moment: datetime, price: Decimal) -> Fraction:
        """Return the shares of today for one of `moment`, when `price` was a price of it."""
        later = (each for each in self.actions if each.comes_after(moment, price))
        return prod((each.ratio for each in later), start=Fraction(1))

    def leg(self, leg: Leg) -> Order:
        """Return the order of this leg, the first one if there are several."""
        return next(each for each in self.orders if each.leg == leg)

    def order(self, pk: int) -> Order:
        """Return the order with this primary key."""
        return next(each for each in self.orders if each.pk == pk)


def new_bracket(context: TradingContext, signal: Signal, intent: Intent, now: datetime) -> Order:
    """Store an entry and its two exits in the caller's transaction, and return the entry.

    Nothing is sent yet.
    """
    price = intent.entry if intent.price is None else intent.price
    entry = _row(context, signal, intent, Leg.ENTRY, price, now, None)
    insert(entry)
    levels = ((Leg.STOP, intent.stop), (Leg.TARGET, intent.target))
    for leg, level in levels:
        insert(_row(context, signal, intent, leg, level, now, entry))
    return entry


def _row(
    context: TradingContext,
    signal: Signal,
    intent: Intent,
    leg: Leg,
    level: Decimal,
    now: datetime,
    entry: Order | None,
) -> Order:
    return Order(
        account=context.account, signal=signal, leg=leg, parent=entry,
        client_order_id=client_order_id(signal.signal_id, leg), symbol=intent.symbol,
        side=intent.side if leg is Leg.ENTRY else intent.side.opposite, level=level,
        quantity=intent.quantity, state=OrderState.INITIALIZED,
        created_at=now, due_at=now, updated_at=now,
    )  # fmt: skip


def new_close(context: TradingContext, signal_pk: int, now: datetime) -> Order | None:
    """Store and return an order that closes the rest of a position; the caller holds the account.

    None if nothing is left of the position, if an order to close it is under way, or if the last
    closes failed and the pause after them is not over. After `MAX_FAILED_CLOSES` failures the
    account is halted.
    """
    position, orders = Position.objects.of_signal(signal_pk), Order.objects.of_signal(signal_pk)
    earlier = [order for order in orders if order.leg == Leg.CLOSE]
    if position is None or position.left == ZERO:
        return None
    if any(not OrderState(order.state).is_final for order in earlier):
        return None
    failed = _failed_closes(earlier)
    if len(failed) >= MAX_FAILED_CLOSES:
        _latch_unclosable(context, position, failed, now)
    if _is_paused(failed, now):
        return None
    close = _row_beside(context, position, orders[0], Leg.CLOSE, len(earlier) + 1, now)
    insert(close)
    return close


def is_unprotected(position: Position, orders: Iterable[Order]) -> bool:
    """Return whether the position holds something, and no order at the broker protects it.

    `orders` are those of its signal; those that are done may be left out. An order that closes it
    protects it; one that got no answer may have canceled the stop.
    """
    live = [order for order in orders if not OrderState(order.state).is_final]
    if position.left == ZERO:
        return False
    if any(order.leg == Leg.CLOSE for order in live):
        return not any(order.leg == Leg.CLOSE and order.state in AT_BROKER for order in live)
    return not any(order.leg == Leg.STOP and order.state in AT_BROKER for order in live)


def new_stop(context: TradingContext, signal_pk: int, now: datetime) -> Order | None:
    """Store and return a stop for a position that has none; the caller holds the account.

    None if the position is protected, if an order to close it or to protect it is on its way, or if
    the last stops were refused and the pause after them is not over.
    """
    position, orders = Position.objects.of_signal(signal_pk), Order.objects.of_signal(signal_pk)
    stops = [order for order in orders if order.leg == Leg.STOP]
    if position is None or not is_unprotected(position, orders):
        return None
    sent = [order for order in orders if order.leg == Leg.CLOSE] + stops[1:]
    if any(order.state in ON_THE_WAY for order in sent):
        return None
    refused = takewhile(lambda order: order.state == OrderState.REJECTED, reversed(stops))
    if _is_paused(list(refused)[::-1], now):
        return None
    stop = _row_beside(context, position, orders[0], Leg.STOP, stops[-1].number + 1, now)
    stop.level = _level_today(next(each for each in reversed(stops) if each.level is not None))
    insert(stop)
    return stop


def _level_today(stop: Order) -> Decimal:
    """Return the price of an earlier stop on the scale of today."""
    level = stop.level or ZERO
    ratio = Trade.read(stop.signal_id).ratio_since(stop.created_at, level)
    return level if ratio == 1 else rounded(times(level, 1 / ratio))


def _failed_closes(closes: Sequence[Order]) -> list[Order]:
    """Return the latest closes in a row that filled nothing, oldest first."""
    latest_first = takewhile(lambda order: order.filled == ZERO, reversed(closes))
    return list(latest_first)[::-1]


def _is_paused(failed: Sequence[Order], now: datetime) -> bool:
    """Return whether it is too early to try again after these failures.

    A failure in the future, by a clock that was ahead, keeps no position open.
    """
    if not failed or is_ahead(failed[-1].updated_at, now):
        return False
    return now - failed[-1].updated_at < _pause_after(len(failed))


def _pause_after(failures: int) -> timedelta:
    return CLOSE_PAUSES[min(failures, len(CLOSE_PAUSES)) - 1]


def _row_beside(
    context: TradingContext, position: Position, entry: Order, leg: Leg, number: int, now: datetime
) -> Order:
    """Return an order for what is left of the position, which is sent on its own."""
    return Order(
        account=context.account, signal_id=position.pk, leg=leg, number=number, parent=entry,
        client_order_id=client_order_id(position.signal.signal_id, leg, number),
        symbol=position.symbol, side=Side(position.side).opposite,
        quantity=position.left, state=OrderState.INITIALIZED,
        created_at=now, due_at=now, updated_at=now,
    )  # fmt: skip


def _latch_unclosable(
    context: TradingContext, position: Position, failed: Sequence[Order], now: datetime
) -> None:
    signal_id, last = position.signal.signal_id, failed[-1]
    why = (
        f"{len(failed)} orders to close the position {position} ({signal_id}) failed: "
        f"{last.reason or last.state}"
    )
    figures = {"signal": signal_id}
    halts.latch(context.account, HaltCode.UNCLOSABLE, why, now, figures=figures)
