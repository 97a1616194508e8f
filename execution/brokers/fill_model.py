"""How an exchange fills orders, bar by bar: for the paper broker and for what might have been.

Prices within a bar come in an unknown order. Where a bar reaches both stop and target, the stop is
taken to have come first: an estimate that never flatters.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from execution.money import HUNDRED, ONE, TWO, as_decimal
from execution.risk.sizing import to_step
from execution.types import Side
from signals.market.bars import Bar

FINEST = Decimal("0.00000001")
"""Prices of fills and fees are rounded to this."""


class Exit(StrEnum):
    """Which leg of a bracket ended the trade."""

    STOP = "stop"
    TARGET = "target"


class Prices(NamedTuple):
    """What a symbol cost from `began` to `time` (UTC): a bar, or a quote that began as it ended.

    `volume` is None where it is not known.
    """

    began: datetime
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None

    @property
    def is_bar(self) -> bool:
        """Whether it took a while; a quote is of a moment."""
        return self.began < self.time

    @classmethod
    def quoted(cls, price: float, time: datetime) -> "Prices":
        """One price at one moment."""
        exact = as_decimal(price)
        return cls(time, time, exact, exact, exact, exact)

    @classmethod
    def of(cls, bar: Bar, began: datetime) -> "Prices":
        """A bar whose session began then."""
        prices = map(as_decimal, (bar.open, bar.high, bar.low, bar.close, bar.volume))
        return cls(began, bar.time, *prices)

    def known_after(self, moment: datetime) -> "Prices":
        """What of it surely came after `moment`: all, or where it had begun by then its close."""
        if moment <= self.began:
            return self
        return self._replace(began=self.time, open=self.close, high=self.close, low=self.close)


class Ended(NamedTuple):
    """At which price and by which leg; costs are not in the price."""

    price: Decimal
    by: Exit


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs, in percent of the price: the whole spread between bid and ask, the
    slippage of an order that takes what there is, and the fee of each fill."""

    spread: Decimal = Decimal("0.02")
    slippage: Decimal = Decimal("0.02")
    fee: Decimal = Decimal(0)

    def taken(self, side: Side, price: Decimal) -> Decimal:
        """The price at which an order that takes what there is gets filled: half the spread and
        the slippage worse than the middle."""
        worse = (self.spread / TWO + self.slippage) / HUNDRED
        return (price * (ONE + worse if side is Side.BUY else ONE - worse)).quantize(FINEST)

    def fee_of(self, quantity: Decimal, price: Decimal) -> Decimal:
        """The fee of one fill."""
        return (quantity * price * self.fee / HUNDRED).quantize(FINEST)


@dataclass(frozen=True)
class FillModel:
    """The costs of trading on paper, and the most that we take of a bar's volume.

    `volume_share` is in percent; None fills every order in full.
    """

    costs: Costs = field(default_factory=Costs)
    volume_share: Decimal | None = None


def ended(side: Side, stop: Decimal, target: Decimal, bar: Prices) -> Ended | None:
    """Whether this bar ends a trade that `side` opened before it; None where it does not.

    A bar that opens past a level fills at its open: worse than the stop, better than the target.
    """
    above = side is Side.BUY
    if (bar.open <= stop) if above else (bar.open >= stop):
        return Ended(bar.open, Exit.STOP)
    if (bar.open >= target) if above else (bar.open <= target):
        return Ended(bar.open, Exit.TARGET)
    if (bar.low <= stop) if above else (bar.high >= stop):
        return Ended(stop, Exit.STOP)
    if (bar.high >= target) if above else (bar.low <= target):
        return Ended(target, Exit.TARGET)
    return None


def fillable(
    quantity: Decimal, volume: Decimal | None, share: Decimal | None, step: Decimal
) -> Decimal:
    """How much of `quantity` a bar with this volume fills, in steps, where at most `share` percent
    of the volume is ours; all of it where `share` or the volume is None."""
    if share is None or volume is None:
        return quantity
    return min(quantity, to_step(volume * share / HUNDRED, step))
