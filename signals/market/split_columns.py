"""Splits and dividends of a file of daily bars: columns that some vendors add."""

import logging
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from signals.market.actions import ActionKind, ListedAction
from signals.market.bars import Bars
from signals.market.daily import days_of
from signals.market.hours import TradingHours

logger = logging.getLogger(__name__)

SPLITS, DIVIDENDS = "stocksplits", "dividends"
COLUMNS = {
    "stocksplits": SPLITS, "stocksplit": SPLITS, "splits": SPLITS, "split": SPLITS,
    "splitratio": SPLITS, "splitcoefficient": SPLITS, "splitfactor": SPLITS,
    "dividends": DIVIDENDS, "dividend": DIVIDENDS, "dividendamount": DIVIDENDS,
    "divcash": DIVIDENDS,
}  # fmt: skip
"""Argo's name for each name of these columns that vendors use, letters only, in lower case."""
NOTHING = (0.0, 1.0)
"""Values of a split's column on a day without one."""
LONGEST = 1000
"""The largest denominator of a ratio: 0.333333 means 1:3."""


def actions_of(
    symbol: str, rows: pd.DataFrame, bars: Bars, hours: TradingHours
) -> list[ListedAction]:
    """Return the splits and dividends of these rows, oldest first; one before all bars is left out.

    `bars` are on the scale of the rows' adjusted close, or of the rows themselves. A value that is
    not a number of 0 or more is left out, with a warning: the prices are of use without it.
    """
    found = [*_splits(symbol, rows, bars, hours), *_dividends(symbol, rows, bars, hours)]
    return sorted(found, key=lambda each: each.ex_at)


def _splits(
    symbol: str, rows: pd.DataFrame, bars: Bars, hours: TradingHours
) -> Iterator[ListedAction]:
    for day, value in _values(symbol, rows, SPLITS):
        if value in NOTHING or (ex_at := _began(day, bars, hours)) is None:
            continue
        new, old = Fraction(value).limit_denominator(LONGEST).as_integer_ratio()
        yield ListedAction(ActionKind.SPLIT, ex_at, Decimal(new), Decimal(old),
                           rebased_by=old / new)  # fmt: skip


def _dividends(
    symbol: str, rows: pd.DataFrame, bars: Bars, hours: TradingHours
) -> Iterator[ListedAction]:
    is_adjusted = "adj_close" in rows.columns
    for day, value in _values(symbol, rows, DIVIDENDS):
        if not value or (ex_at := _began(day, bars, hours)) is None:
            continue
        before = float(bars.close[bars.count_before(ex_at) - 1])
        factor = before / (before + value) if is_adjusted else None
        yield ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal(repr(value)), rebased_by=factor)


def _values(symbol: str, rows: pd.DataFrame, column: str) -> Iterator[tuple[date, float]]:
    """Yield each day with its value; an empty cell is 0."""
    if column in rows.columns:
        cells = dict(zip(days_of(symbol, rows), rows[column], strict=True))
        for day, value in cells.items():
            yield day, _number(symbol, day, column, value)


def _number(symbol: str, day: object, column: str, value: Any) -> float:  # noqa: ANN401  # a cell
    text = "0" if pd.isna(value) else str(value)
    new, _, old = text.partition(":")
    try:
        found = float(new) / float(old or 1)
    except (ValueError, ZeroDivisionError):
        found = float("nan")
    if np.isfinite(found) and found >= 0:
        return found
    logger.warning("%s %s: %s is %r, not a number of 0 or more", symbol, day, column, text)
    return 0.0


def _began(day: date, bars: Bars, hours: TradingHours) -> datetime | None:
    """Return when the day's session began; None if it has none, or no bar comes before it."""
    closed_at = hours.close_of(day)
    if closed_at is None:
        return None
    began = hours.began(closed_at)
    return began if bars.count_before(began) else None


def without_jumps(bars: Bars, actions: list[ListedAction]) -> Bars:
    """Return the bars on one scale: those before a split are multiplied by its factor.

    A vendor may have done that already. Then the prices do not jump at the split, and nothing is
    changed.
    """
    factor = np.ones(len(bars))
    for each in actions:
        row = bars.count_before(each.ex_at)
        if each.kind is ActionKind.SPLIT and 0 < row < len(bars) and _jumps(bars, row, each):
            factor[:row] *= float(each.old / each.new)
    return bars if (factor == 1).all() else bars.adjusted(bars.close * factor)


def _jumps(bars: Bars, row: int, split: ListedAction) -> bool:
    """Return True if the price at the split is nearer to the new scale than to the old one."""
    gap = np.log(bars.open[row] / bars.close[row - 1])
    expected = np.log(float(split.old / split.new))
    return bool(abs(gap - expected) < abs(gap))
