"""The volatility of an instrument now, and its usual volatility."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from execution.money import as_decimal
from signals.market.bars import Bars, Column

PRESENT_RETURNS, USUAL_RETURNS = 20, 100
"""How many of the latest daily returns each figure uses."""


class Volatility(NamedTuple):
    """Standard deviations of daily returns, as a share: 0.02 is 2%."""

    present: Decimal
    usual: Decimal


def volatility(bars: Bars) -> Volatility | None:
    """Return the volatility of the last 20 and of the last 100 daily returns.

    None if there are fewer than 101 daily `bars`.
    """
    return volatility_of(bars.close)


def volatility_of(closes: Column) -> Volatility | None:
    """Return the same from the closes of daily bars, oldest first."""
    if len(closes) <= USUAL_RETURNS:
        return None
    closes = closes[-USUAL_RETURNS - 1 :]
    returns = closes[1:] / closes[:-1] - 1
    parts = (returns[-PRESENT_RETURNS:], returns)
    return Volatility(*(as_decimal(float(np.std(part))) for part in parts))
