"""One bracket on the paper broker's books, and what a price does to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.brokers.fill_model import Exit, FillModel, Prices, ended, fillable
from execution.models import PaperOrder
from execution.money import ZERO
from execution.types import FINAL, Leg, OrderState, Side

FAR = Decimal("Infinity")


class Filled(NamedTuple):
    """A fill that a price brought; `number` is what the order had filled by then."""

    order: PaperOrder
    number: Decimal
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: datetime


@dataclass(eq=False)
class PaperBracket:
    """An entry, its exits, and the orders to close it, of which at most one may still be filled."""

    entry: PaperOrder
    legs: dict[Leg, PaperOrder]
    closes: list[PaperOrder] = field(default_factory=list)

    @property
    def side(self) -> Side:
        """Of the position."""
        return Side(self.entry.side)

    @property
    def held(self) -> Decimal:
        """What was entered and not ended yet."""
        ended = (order.filled for order in (*self.legs.values(), *self.closes))
        return self.entry.filled - sum(ended, ZERO)

    @property
    def orders(self) -> tuple[PaperOrder, ...]:
        """All of it."""
        return (self.entry, *self.legs.values(), *self.closes)

    @property
    def close(self) -> PaperOrder | None:
        """The order to close it that may still be filled."""
        return next((order for order in self.closes if not is_final(order)), None)

    @property
    def is_open(self) -> bool:
        """Whether something of it is held or may still be filled."""
        return bool(self.held) or not all(map(is_final, self.orders))

    @property
    def signed(self) -> Decimal:
        """The same, below 0 where it is sold short."""
        return self.held if self.side is Side.BUY else -self.held

    @property
    def average(self) -> Decimal:
        """What was paid for one, on average."""
        return self.entry.value / self.entry.filled if self.entry.filled else ZERO

    @property
    def waiting(self) -> Decimal:
        """What the entry may still buy or sell."""
        return ZERO if is_final(self.entry) else self.entry.quantity - self.entry.filled

    def see(self, prices: Prices, terms: FillModel, step: Decimal) -> Iterator[Filled]:
        """What these prices fill; nothing where they were seen before."""
        if prices.time > self.entry.seen_at:
            yield from self._see(prices, terms, step)
        elif prices.is_bar and prices.time > self.entry.bars_seen_at:
            yield from self._see_late(prices, terms, step)
        if prices.is_bar:
            self.entry.bars_seen_at = max(self.entry.bars_seen_at, prices.time)

    def _see(self, prices: Prices, terms: FillModel, step: Decimal) -> Iterator[Filled]:
        """The entry at the first of them, then an exit."""
        if self.waiting:
            yield from _at_market(
                self.entry, self.waiting, prices.known_after(self.entry.placed_at), terms, step
            )
        if self.held > ZERO:
            yield from self._ended(prices, terms, step)
        self.entry.reference = prices.close
        self.entry.seen_at = prices.time

    def _see_late(self, prices: Prices, terms: FillModel, step: Decimal) -> Iterator[Filled]:
        """A bar that came after a newer price: it ends what was held before it ended and reached
        its stop or its target within it. Orders at the market took the newer price."""
        held_since, stop = self.entry.filled_at, self.legs[Leg.STOP]
        if self.held > ZERO and held_since and held_since < prices.time and not stop.is_triggered:
            yield from self._by_level(prices, terms, step)
            self._tidy()

    def cancel_exits(self) -> None:
        """The exits go where nothing is left for them to end."""
        for leg in (Leg.STOP, Leg.TARGET):
            _cancel(self.legs[leg])

    def _tidy(self) -> None:
        if not self.held and is_final(self.entry):
            for order in self.orders:
                _cancel(order)

    def _ended(self, prices: Prices, terms: FillModel, step: Decimal) -> Iterator[Filled]:
        close, stop = self.close, self.legs[Leg.STOP]
        if close is not None:
            after = prices.known_after(close.placed_at)
            rest = min(self.held, close.quantity - close.filled)
            yield from _at_market(close, rest, after, terms, step)
        elif stop.is_triggered:
            yield from _at_market(stop, self.held, prices, terms, step)
        else:
            yield from self._by_level(prices, terms, step)
        self._tidy()

    def _by_level(self, prices: Prices, terms: FillModel, step: Decimal) -> Iterator[Filled]:
        stop, target = self.legs[Leg.STOP], self.legs[Leg.TARGET]
        known = prices.known_after(self.entry.filled_at or prices.began)
        end = ended(self.side, self._level(stop, -FAR), self._level(target, FAR), known)
        if end is None:
            return
        _cancel(self.entry)  # what ends buys or sells no more of it
        quantity = fillable(self.held, prices.volume, terms.volume_share, step)
        if end.by is Exit.STOP:
            stop.is_triggered = True
            price = terms.costs.taken(Side(stop.side), end.price)
            yield from _fill(stop, quantity, price, known.time, terms)
        else:
            yield from _fill(target, quantity, end.price, known.time, terms)

    def _level(self, leg: PaperOrder, beyond: Decimal) -> Decimal:
        """Where it ends the position; one that is done lies `beyond` every price."""
        if is_final(leg) or leg.level is None:
            return beyond if self.side is Side.BUY else -beyond
        return leg.level


def is_final(order: PaperOrder) -> bool:
    """Whether nothing more comes of the order."""
    return OrderState(order.state) in FINAL


def _cancel(order: PaperOrder) -> None:
    if not is_final(order):
        order.state = OrderState.CANCELED


def _at_market(
    order: PaperOrder, quantity: Decimal, prices: Prices, terms: FillModel, step: Decimal
) -> Iterator[Filled]:
    filled = fillable(quantity, prices.volume, terms.volume_share, step)
    price = terms.costs.taken(Side(order.side), prices.open)
    yield from _fill(order, filled, price, prices.began, terms)


def _fill(
    order: PaperOrder, quantity: Decimal, price: Decimal, time: datetime, terms: FillModel
) -> Iterator[Filled]:
    if not quantity:
        return
    order.filled += quantity
    order.value += quantity * price
    order.filled_at = time
    order.state = (
        OrderState.FILLED if order.filled >= order.quantity else OrderState.PARTIALLY_FILLED
    )
    yield Filled(order, order.filled, quantity, price, terms.costs.fee_of(quantity, price), time)
