"""How wild an instrument is now, beside how wild it usually is."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from execution.money import as_decimal
from signals.market.bars import Bars

PRESENT, USUAL = 20, 100
"""So many of the latest daily returns."""


class Volatility(NamedTuple):
    """Standard deviations of daily returns, as a share: 0.02 is 2%."""

    present: Decimal
    usual: Decimal


def volatility(bars: Bars) -> Volatility | None:
    """Of the last 20 returns, and of the last 100; None where there are fewer bars."""
    if len(bars) <= USUAL:
        return None
    closes = bars.close[-USUAL - 1 :]
    returns = closes[1:] / closes[:-1] - 1
    return Volatility(*(as_decimal(float(np.std(part))) for part in (returns[-PRESENT:], returns)))
