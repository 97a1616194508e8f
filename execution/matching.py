"""How an exchange fills orders, bar by bar: for the paper broker and for what might have been.

Prices within a bar come in an unknown order. Where a bar reaches both stop and target, the stop is
taken to have come first: an estimate that never flatters.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from execution.risk.intent import Side

ONE, TWO, HUNDRED = Decimal(1), Decimal(2), Decimal(100)


class Exit(StrEnum):
    """Which leg of a bracket ended the trade."""

    STOP = "stop"
    TARGET = "target"


class Prices(NamedTuple):
    """A bar in Decimal; `time` is when it closed (UTC)."""

    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


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
        return price * (ONE + worse if side is Side.BUY else ONE - worse)

    def fee_of(self, quantity: Decimal, price: Decimal) -> Decimal:
        """The fee of one fill."""
        return quantity * price * self.fee / HUNDRED


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


def fillable(quantity: Decimal, volume: Decimal, share: Decimal | None) -> Decimal:
    """How much of `quantity` a bar with this volume fills, where at most `share` percent of the
    volume is ours; all of it where `share` is None."""
    return quantity if share is None else min(quantity, volume * share / HUNDRED)
