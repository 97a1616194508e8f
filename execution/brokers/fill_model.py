"""How an exchange fills orders, bar by bar: used by the paper broker and by counterfactuals.

The order of the prices within a bar is unknown. If a bar reaches both stop and target, the stop is
assumed to come first: the estimate is never too good.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.money import HUNDRED, ONE, TWO, as_decimal
from execution.risk.sizing import to_step
from execution.types import ExitReason, Side
from signals.market.bars import Bar

DECIMALS, DIGITS = 8, 9
"""Prices and fees of fills are rounded to this many decimals; those below `TINY` to this many
significant digits, because a coin may cost a billionth."""
TINY = Decimal("0.001")


class Prices(NamedTuple):
    """The prices of a symbol from `began` to `time` (UTC): a bar, or a quote, whose `began` is its
    `time`.

    `volume` is None if it is unknown.
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
        """Return whether it covers a span of time; a quote is a single moment."""
        return self.began < self.time

    @classmethod
    def quoted(cls, price: float, time: datetime) -> "Prices":
        """Return one price at one moment."""
        exact = as_decimal(price)
        return cls(time, time, exact, exact, exact, exact)

    @classmethod
    def of(cls, bar: Bar, began: datetime) -> "Prices":
        """Return the prices of a bar whose session started at `began`."""
        prices = map(as_decimal, (bar.open, bar.high, bar.low, bar.close, bar.volume))
        return cls(began, bar.time, *prices)

    def times(self, factor: Decimal) -> "Prices":
        """Return these prices on another scale, multiplied by `factor`; the volume is divided."""
        return self._replace(
            open=self.open * factor,
            high=self.high * factor,
            low=self.low * factor,
            close=self.close * factor,
            volume=None if self.volume is None else self.volume / factor,
        )

    def known_after(self, moment: datetime) -> "Prices":
        """Return the part that is certainly later than `moment`: everything, or only the close if
        the bar had already begun."""
        if moment <= self.began:
            return self
        return self._replace(began=self.time, open=self.close, high=self.close, low=self.close)


class Ended(NamedTuple):
    """The price at which a trade ended, without costs, and the leg that ended it."""

    price: Decimal
    by: ExitReason


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of trading, in percent of the price: the full spread between bid and ask, the
    slippage of a market order, and the fee of each fill."""

    spread: Decimal = Decimal("0.02")
    slippage: Decimal = Decimal("0.02")
    fee: Decimal = Decimal(0)

    def market_price(self, side: Side, price: Decimal) -> Decimal:
        """Return the fill price of a market order: worse than the mid `price` by half the spread
        and the slippage."""
        worse = (self.spread / TWO + self.slippage) / HUNDRED
        return rounded(price * (ONE + worse if side is Side.BUY else ONE - worse))

    def fee_of(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the fee of one fill."""
        return rounded(quantity * price * self.fee / HUNDRED)


def rounded(value: Decimal) -> Decimal:
    """Return the value rounded; no value but 0 becomes 0."""
    is_tiny = 0 < value < TINY
    last = value.adjusted() - DIGITS + 1 if is_tiny else -DECIMALS
    return value.quantize(ONE.scaleb(last))


@dataclass(frozen=True)
class FillModel:
    """The costs of trading on paper, and the largest share of a bar's volume that our orders may
    fill.

    `volume_share` is in percent; None fills every order in full.
    """

    costs: Costs = field(default_factory=Costs)
    volume_share: Decimal | None = None


def ended(side: Side, stop: Decimal, target: Decimal, bar: Prices) -> Ended | None:
    """Return how this bar ends a trade that was opened before it with `side`; None if it does not.

    A bar that opens beyond a level fills at its open: worse than the stop, or better than the
    target.
    """
    above = side is Side.BUY
    if (bar.open <= stop) if above else (bar.open >= stop):
        return Ended(bar.open, ExitReason.STOP)
    if (bar.open >= target) if above else (bar.open <= target):
        return Ended(bar.open, ExitReason.TARGET)
    if (bar.low <= stop) if above else (bar.high >= stop):
        return Ended(stop, ExitReason.STOP)
    if (bar.high >= target) if above else (bar.low <= target):
        return Ended(target, ExitReason.TARGET)
    return None


def fillable(
    quantity: Decimal, volume: Decimal | None, share: Decimal | None, step: Decimal
) -> Decimal:
    """Return how much of `quantity` a bar with this volume fills, in whole steps.

    At most `share` percent of the volume is filled; everything if `share` or the volume is None.
    """
    if share is None or volume is None:
        return quantity
    return min(quantity, to_step(volume * share / HUNDRED, step))
