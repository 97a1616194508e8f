"""The levels of many trades, and their entry into the market."""

from dataclasses import dataclass, fields

import numpy as np

from signals.analysis.backtest.columns import Codes, Floats, Mask, Rows, SignalTable, Skipped
from signals.analysis.backtest.history import History
from signals.analysis.backtest.rules import Entry, Rules
from signals.market.bars import as_times

NEAR_WHOLE, NEAR_HALF = 0.04, 0.03
"""How near a price must be to a split's, as in `signals.market.actions.jump_of`."""
TINY, DECIMALS, DIGITS = 1e-3, 8, 9
"""Prices are rounded to decimals, tiny ones to digits, as in `execution.brokers.fill_model`."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The prices of signals on the scale of their entry bars; `is_moved` says which were moved."""

    price: Floats
    stop: Floats
    target: Floats
    is_moved: Mask

    def rows(self, chosen: Rows) -> "Levels":
        """Return these rows."""
        return Levels(*(getattr(self, each.name)[chosen] for each in fields(self)))


def faults(signals: SignalTable) -> Codes:
    """Return why each signal can be traded on no bars at all; 0 if it may be."""
    return np.select(
        [np.isnat(signals.time), _are_bad(signals), _are_crossed(signals)],
        [Skipped.TIME, Skipped.FIGURES, Skipped.LEVELS],
        Skipped.NO,
    ).astype(np.uint8)


def skipped(
    history: History, signals: SignalTable, row: Rows, faults: Codes, rules: Rules
) -> Codes:
    """Return why each signal is not entered at bar `row`; 0 if it may be."""
    why = faults.copy()
    why[(why == 0) & (row >= len(history))] = Skipped.NO_BAR_AFTER
    why[(why == 0) & _are_late(history, signals, row - rules.delay, rules)] = Skipped.LATE
    return why


def entry_row(history: History, signals: SignalTable, rules: Rules) -> Rows:
    """Return the first bar that begins at or after each signal, plus the delay."""
    return np.searchsorted(history.began, signals.time, side="left") + rules.delay


def rebased(history: History, signals: SignalTable) -> Floats:
    """Return the factor that puts each price on the scale of rebased bars; 1 if it is there.

    Nobody says whether a signal's price was rebased with the bars: the scale on which it is nearer
    to the last close decides.
    """
    factor = np.ones(len(signals))
    for each in history.splits:
        if each.is_rebased:
            factor[signals.time < as_times([each.ex_at])[0]] /= float(each.ratio)
    if (factor == 1).all():
        return factor
    off = np.log(signals.price / _last_close(history, signals))
    is_nearer = np.abs(off + np.log(factor)) < np.abs(off)
    return np.where(is_nearer, factor, 1.0)


def factor_at(history: History, signals: SignalTable, row: Rows, rebased: Floats) -> Floats:
    """Return what a price of each signal must be multiplied by at the bar `row`."""
    jumps = history.jumps
    if not len(jumps.row):
        return rebased
    return rebased * jumps.shares_when(signals.time) / jumps.shares_at(row)


def scaled(history: History, signals: SignalTable, row: Rows, rebased: Floats) -> Levels:
    """Return the levels, multiplied by `rebased`, on the scale of the bar at `row`."""
    factor = factor_at(history, signals, row, rebased)
    moved, prices = factor != 1, (signals.price, signals.stop, signals.target)
    if not moved.any():
        return Levels(*prices, moved)
    price, stop, target = (np.where(moved, rounded(each * factor), each) for each in prices)
    return Levels(price, stop, target, moved)


def are_off_scale(history: History, signals: SignalTable, rebased: Floats) -> Mask:
    """Return which prices look as if a split that nobody reports came between them and the bars."""
    price, last = signals.price * rebased, _last_close(history, signals)
    shares = np.maximum(price, last) / np.minimum(price, last)
    whole = np.rint(shares)
    near = (whole != 1) & (np.abs(whole / shares - 1) <= NEAR_WHOLE)
    return np.asarray(near | (np.abs(1.5 / shares - 1) <= NEAR_HALF))


def are_reached(history: History, row: Rows, levels: Levels, rules: Rules) -> Mask:
    """Return which signals are entered at this bar: all, or those at whose price it trades."""
    if rules.entry is Entry.OPEN:
        return np.ones(len(row), np.bool_)
    return np.asarray((history.low[row] <= levels.price) & (levels.price <= history.high[row]))


def rounded(prices: Floats) -> Floats:
    """Return prices rounded to decimals, tiny ones to significant digits."""
    tiny = (prices > 0) & (prices < TINY)
    result = np.round(prices, DECIMALS)
    if tiny.any():
        result[tiny] = [float(f"{price:.{DIGITS}g}") for price in prices[tiny]]
    return result


def _are_bad(signals: SignalTable) -> Mask:
    columns = (signals.price, signals.stop, signals.target)
    return np.asarray(~np.logical_and.reduce([np.isfinite(each) & (each > 0) for each in columns]))


def _are_crossed(signals: SignalTable) -> Mask:
    side = signals.side
    return ~(
        (side * (signals.price - signals.stop) > 0) & (side * (signals.target - signals.price) > 0)
    )


def _are_late(history: History, signals: SignalTable, row: Rows, rules: Rules) -> Mask:
    begins = history.began[np.minimum(row, len(history) - 1)]
    return np.asarray(begins - signals.time > np.timedelta64(rules.max_wait))


def _last_close(history: History, signals: SignalTable) -> Floats:
    """Return the last close at each signal; its own price if no bar has closed."""
    before = np.searchsorted(history.time, signals.time, side="right") - 1
    return np.where(before >= 0, history.close[np.maximum(before, 0)], signals.price)
