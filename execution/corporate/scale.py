"""Brings a market's bars to the scale of another time."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import numpy as np

from execution.models import CorporateAction
from signals.market.actions import ActionKind
from signals.market.bars import Bars


def as_traded(bars: Bars, actions: Iterable[CorporateAction]) -> Bars:
    """Return the bars with the prices that were paid on each day.

    A market's history before an action is multiplied by `rebased_by`; this undoes it.
    """
    factor = np.ones(len(bars))
    for each in actions:
        if each.rebased_by is not None:
            factor[: bars.count_through(each.after)] /= each.rebased_by
    return bars.times(factor)


def on_scale_at(
    bars: Bars, actions: Iterable[CorporateAction], moment: datetime, price: Decimal | float
) -> Bars:
    """Return bars as traded on the scale of `moment`, when `price` was one of that scale.

    Only splits put prices on another scale: a dividend is money that leaves the price.
    """
    factor = np.ones(len(bars))
    for each in actions:
        if each.kind == ActionKind.SPLIT:
            row, ratio = bars.count_through(each.after), float(each.ratio)
            if each.comes_after(moment, price):
                factor[row:] *= ratio
            else:
                factor[:row] /= ratio
    return bars.times(factor)
