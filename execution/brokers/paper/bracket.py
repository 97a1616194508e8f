"""A bracket order on paper, and what a price does to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from execution.brokers.fill_model import FillModel, Prices, ended, fillable
from execution.models import PaperOrder
from execution.money import ZERO, times
from execution.types import FINAL, ExitReason, Leg, OrderState, Side

INFINITY = Decimal("Infinity")


class Filled(NamedTuple):
    """A fill that a price caused; `number` is the order's filled quantity including it."""

    order: PaperOrder
    number: Decimal
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: datetime


class Totals(NamedTuple):
    """What brackets add to an account, in money.

    `value` is what is held at the last price, `cost` the same at its average entry price; both are
    negative for what is sold short. `bound` is what is held or ordered, at the last price.
    """

    value: Decimal = ZERO
    cost: Decimal = ZERO
    bound: Decimal = ZERO

    def plus(self, other: "Totals") -> "Totals":
        """Return the sums of both."""
        return Totals(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def minus(self, other: "Totals") -> "Totals":
        """Return these sums without the other ones."""
        return Totals(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Totals()


@dataclass(eq=False)
class PaperBracket:
    """An entry, its exits, and its closing orders. At most one closing order is open.

    `former` are stops that ended and were replaced by another one. `counted` is what the account's
    stored totals contain of it.
    """

    entry: PaperOrder
    legs: dict[Leg, PaperOrder]
    closes: list[PaperOrder] = field(default_factory=list)
    former: list[PaperOrder] = field(default_factory=list)
    counted: Totals = NOTHING

    @property
    def side(self) -> Side:
        """Return the side of the position."""
        return Side(self.entry.side)

    @property
    def held(self) -> Decimal:
        """Return the quantity that was entered and is not closed yet."""
        return shares(self.entry) - sum((shares(order) for order in self.orders[1:]), ZERO)

    @property
    def orders(self) -> tuple[PaperOrder, ...]:
        """Return all its orders, the entry first."""
        return (self.entry, *self.legs.values(), *self.closes, *self.former)

    def add(self, order: PaperOrder) -> None:
        """Add an exit or a closing order; a new exit takes the place of the one before."""
        if order.leg == Leg.CLOSE:
            self.closes.append(order)
            return
        if (before := self.legs.get(Leg(order.leg))) is not None:
            self.former.append(before)
        self.legs[Leg(order.leg)] = order

    @property
    def close(self) -> PaperOrder | None:
        """Return the closing order that may still fill."""
        return next((order for order in self.closes if not is_final(order)), None)

    @property
    def is_open(self) -> bool:
        """Return whether it holds something or an order of it may still fill."""
        return bool(self.held) or not all(map(is_final, self.orders))

    @property
    def signed(self) -> Decimal:
        """Return the held quantity, negative if it is sold short."""
        return self.held if self.side is Side.BUY else -self.held

    @property
    def average(self) -> Decimal:
        """Return the average entry price; 0 before the first fill."""
        return self.entry.value / shares(self.entry) if self.entry.filled else ZERO

    @property
    def totals(self) -> Totals:
        """Return what it adds to the account now."""
        held, waiting, price = self.signed, self.waiting, self.entry.reference
        if not (held or waiting):
            return NOTHING
        return Totals(held * price, held * self.average, (abs(held) + waiting) * price)

    @property
    def waiting(self) -> Decimal:
        """Return the quantity that the entry may still fill."""
        return ZERO if is_final(self.entry) else self.entry.quantity - self.entry.filled

    def split(self, new: Decimal, old: Decimal) -> None:
        """Let `old` shares become `new` ones, at the same total price.

        What the entry has not filled is canceled: it was decided on the old scale.
        """
        cancel(self.entry)
        for order in self.orders:
            if order.filled:
                ratio = _ratio(order) * Fraction(new) / Fraction(old)
                order.new_shares, order.old_shares = map(Decimal, ratio.as_integer_ratio())
        self.entry.reference = self.entry.reference * old / new

    def see(self, prices: Prices, model: FillModel, step: Decimal) -> Iterator[Filled]:
        """Yield the fills that these prices cause; none if they were seen before."""
        if prices.time > self.entry.seen_at:
            yield from self._see(prices, model, step)
        elif prices.is_bar and prices.time > self.entry.bars_seen_at:
            yield from self._see_late(prices, model, step)
        if prices.is_bar:
            self.entry.bars_seen_at = max(self.entry.bars_seen_at, prices.time)

    def _see(self, prices: Prices, model: FillModel, step: Decimal) -> Iterator[Filled]:
        """Fill the entry first, then an exit."""
        if self.waiting:
            yield from _at_market(
                self.entry, self.waiting, prices.known_after(self.entry.placed_at), model, step
            )
        if self.held > ZERO:
            yield from self._ended(prices, model, step)
        self.entry.reference = prices.close
        self.entry.seen_at = prices.time

    def _see_late(self, prices: Prices, model: FillModel, step: Decimal) -> Iterator[Filled]:
        """Apply a bar that arrives after a newer price.

        It can only end a position that was held before the bar ended, by stop or target. Market
        orders were already filled at the newer price.
        """
        held_since, stop = self.entry.filled_at, self.legs[Leg.STOP]
        if self.held > ZERO and held_since and held_since < prices.time and not stop.is_triggered:
            yield from self._by_level(prices, model, step)
            self._tidy()

    def cancel_exits(self) -> None:
        """Cancel both exits, because nothing is left for them to close."""
        for leg in (Leg.STOP, Leg.TARGET):
            cancel(self.legs[leg])

    def _tidy(self) -> None:
        if not self.held and is_final(self.entry):
            for order in self.orders:
                cancel(order)

    def _ended(self, prices: Prices, model: FillModel, step: Decimal) -> Iterator[Filled]:
        close, stop = self.close, self.legs[Leg.STOP]
        if close is not None:
            after = prices.known_after(close.placed_at)
            rest = min(self.held, close.quantity - close.filled)
            yield from _at_market(close, rest, after, model, step)
        elif stop.is_triggered:
            yield from _at_market(stop, self.held, prices, model, step)
        else:
            yield from self._by_level(prices, model, step)
        self._tidy()

    def _by_level(self, prices: Prices, model: FillModel, step: Decimal) -> Iterator[Filled]:
        stop, target = self.legs[Leg.STOP], self.legs[Leg.TARGET]
        known = prices.known_after(self.entry.filled_at or prices.began)
        end = ended(self.side, self._level(stop, -INFINITY), self._level(target, INFINITY), known)
        if end is None:
            return
        cancel(self.entry)  # a position that ends must not grow
        quantity = fillable(self.held, prices.volume, model.volume_share, step)
        if end.by is ExitReason.STOP:
            stop.is_triggered = True
            price = model.costs.market_price(Side(stop.side), end.price)
            yield from _fill(stop, quantity, price, known.time, model)
        else:
            yield from _fill(target, quantity, end.price, known.time, model)

    def _level(self, leg: PaperOrder, beyond: Decimal) -> Decimal:
        """Return the exit's price; infinitely far away if the exit is done."""
        if is_final(leg) or leg.level is None:
            return beyond if self.side is Side.BUY else -beyond
        return leg.level


def shares(order: PaperOrder) -> Decimal:
    """Return the quantity that was filled, in the shares of today."""
    return order.filled if order.new_shares is None else times(order.filled, _ratio(order))


def _ratio(order: PaperOrder) -> Fraction:
    """Return the shares of today for one that was filled."""
    if order.new_shares is None or order.old_shares is None:
        return Fraction(1)
    return Fraction(order.new_shares) / Fraction(order.old_shares)


def is_final(order: PaperOrder) -> bool:
    """Return whether the order is done."""
    return OrderState(order.state) in FINAL


def cancel(order: PaperOrder) -> None:
    """Cancel an order, unless it is done."""
    if not is_final(order):
        order.state = OrderState.CANCELED


def _at_market(
    order: PaperOrder, quantity: Decimal, prices: Prices, model: FillModel, step: Decimal
) -> Iterator[Filled]:
    filled = fillable(quantity, prices.volume, model.volume_share, step)
    price = model.costs.market_price(Side(order.side), prices.open)
    yield from _fill(order, filled, price, prices.began, model)


def _fill(
    order: PaperOrder, quantity: Decimal, price: Decimal, time: datetime, model: FillModel
) -> Iterator[Filled]:
    if not quantity:
        return
    order.filled += quantity
    order.value += quantity * price
    order.filled_at = time
    order.state = (
        OrderState.FILLED if order.filled >= order.quantity else OrderState.PARTIALLY_FILLED
    )
    yield Filled(order, order.filled, quantity, price, model.costs.fee_of(quantity, price), time)
