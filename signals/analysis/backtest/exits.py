"""How many open trades end: at a level, at their expiry, or not at all."""

from dataclasses import dataclass

import numpy as np

from signals.analysis.backtest.columns import Codes, Ending, Floats, Mask, Rows
from signals.analysis.backtest.history import History
from signals.analysis.backtest.hits import Hits
from signals.analysis.backtest.levels import rounded
from signals.analysis.backtest.order import Doubt, first_level
from signals.analysis.backtest.rules import Entry, Rules


@dataclass(slots=True, eq=False)
class Open:
    """Trades that are open at the open of bar `row`, or within it, and what ends them.

    `first` is the entry bar, `end` the bar in which a trade expires: at its open, or at its close
    if `is_late`. Levels are on the scale
    of `first`. `ending`, `row` and `mid` are filled as the trades end; an exit has no costs yet.
    """

    is_long: Mask
    first: Rows
    end: Rows
    is_late: Mask
    price: Floats
    stop: Floats
    target: Floats
    row: Rows
    ending: Codes
    mid: Floats
    is_ambiguous: Mask
    is_ordered: Mask

    @classmethod
    def entered(
        cls, is_long: Mask, first: Rows, expiry: tuple[Rows, Mask], price: Floats, stop: Floats,
        target: Floats,
    ) -> "Open":  # fmt: skip
        """Return trades that have just been entered."""
        count = len(first)
        return cls(
            is_long, first, *expiry, price, stop, target, row=first.copy(),
            ending=np.full(count, Ending.OPEN, np.uint8), mid=np.full(count, np.nan),
            is_ambiguous=np.zeros(count, np.bool_), is_ordered=np.zeros(count, np.bool_),
        )  # fmt: skip

    def finish(self, chosen: Rows, ending: Codes, mid: Floats) -> None:
        """Write how these trades ended; `OPEN` means that they did not."""
        self.ending[chosen] = ending
        self.mid[chosen] = mid


def expiry_of(history: History, row: Rows, rules: Rules) -> tuple[Rows, Mask]:
    """Return the bar in which a trade that was entered at `row` expires, and if at its close.

    A time is up when a bar closes at or after it; the first bar that closes after that ends the
    trade: at its open, or at its close if it had begun already.
    """
    if isinstance(rules.expiry, int):
        return row + rules.expiry, np.zeros(len(row), np.bool_)
    due = history.began[row] + np.timedelta64(rules.expiry)
    clock = history.time if history.clock is None else history.clock
    noticed = np.searchsorted(clock, due, side="left")
    moment = clock[np.minimum(noticed, len(clock) - 1)]
    end = np.searchsorted(history.time, moment, side="right")
    end[noticed == len(clock)] = len(history)
    return end, history.began[np.minimum(end, len(history) - 1)] < moment


def follow(history: History, trades: Open, rules: Rules) -> None:
    """Follow the trades to their ends, in the bars of one scale after the other."""
    if rules.entry is Entry.PRICE:
        _end_within_entry_bar(history, trades)
    limit = np.minimum(trades.end, len(history))
    left = np.flatnonzero((trades.ending == Ending.OPEN) & (trades.row < limit))
    while len(left):
        until = history.jumps.next_row(trades.row[left], limit[left])
        _follow_until(history, trades, left, until)
        left = left[(trades.ending[left] == Ending.OPEN) & (trades.row[left] < limit[left])]
    _expire(history, trades)


def levels_at(history: History, trades: Open, chosen: Rows) -> tuple[Floats, Floats]:
    """Return stop and target on the scale of each trade's present bar."""
    stop, target = trades.stop[chosen], trades.target[chosen]
    if not len(history.jumps.row):
        return stop, target
    shares = history.jumps.shares_at
    factor = shares(trades.first[chosen]) / shares(trades.row[chosen])
    moved = factor != 1
    if not moved.any():
        return stop, target
    return (
        np.where(moved, rounded(stop * factor), stop),
        np.where(moved, rounded(target * factor), target),
    )


def _follow_until(history: History, trades: Open, chosen: Rows, until: Rows) -> None:
    """Move these trades to the bar that reaches a level, or to the bar `until`."""
    stop, target = levels_at(history, trades, chosen)
    is_long = trades.is_long[chosen]
    lower, upper = np.where(is_long, stop, target), np.where(is_long, target, stop)
    row = history.extremes.first_touch(trades.row[chosen], until, lower, upper)
    trades.row[chosen] = row
    hit = row < until
    _end_at_level(history, trades, chosen[hit], stop[hit], target[hit])


def _end_at_level(
    history: History, trades: Open, chosen: Rows, stop: Floats, target: Floats
) -> None:
    """End trades whose bar reaches a level; a bar that opens beyond one ends them at its open."""
    row, is_long = trades.row[chosen], trades.is_long[chosen]
    hits = Hits.of(history, row, is_long, stop, target)
    at_open = hits.opens_at_stop | hits.opens_at_target
    unclear = hits.stop & hits.target & ~at_open
    by_stop = hits.opens_at_stop | (hits.stop & ~hits.opens_at_target)
    if history.finer is not None and unclear.any():
        known, is_target = _in_finer_bars(
            history, row[unclear], is_long[unclear], stop[unclear], target[unclear]
        )
        by_stop[unclear] = ~is_target
        trades.is_ordered[chosen[unclear]] = known
        unclear[unclear] = ~known
    trades.is_ambiguous[chosen] |= unclear
    mid = np.where(at_open, history.open[row], np.where(by_stop, stop, target))
    trades.finish(chosen, np.where(by_stop, Ending.STOP, Ending.TARGET).astype(np.uint8), mid)


def _in_finer_bars(
    history: History, row: Rows, is_long: Mask, stop: Floats, target: Floats
) -> tuple[Mask, Mask]:
    """Return for which bars finer ones show what came first, and where that was the target."""
    finer = history.finer
    assert finer is not None  # noqa: S101  # the caller checks
    return first_level(finer, Doubt(
        history.began[row], history.time[row], history.low[row], history.high[row], is_long, stop,
        target,
    ))  # fmt: skip


def _end_within_entry_bar(history: History, trades: Open) -> None:
    """End trades that were entered at a price within a bar and reach a level in the rest of it.

    What came before the entry is unknown, unless the bar opened on the other side of the price. In
    doubt the stop was reached after the entry, and the target before it.
    """
    row, is_long, price = trades.first, trades.is_long, trades.price
    hits = Hits.of(history, row, is_long, trades.stop, trades.target)
    opened = history.open[row]
    from_target = np.where(is_long, opened >= price, opened <= price)
    from_stop = np.where(is_long, opened <= price, opened >= price)
    by_target = hits.target & from_stop & ~hits.stop
    trades.is_ambiguous |= hits.stop & (~from_target | hits.target)
    trades.is_ambiguous |= hits.target & ~from_stop
    for ended, ending, level in (
        (hits.stop, Ending.STOP, trades.stop),
        (by_target, Ending.TARGET, trades.target),
    ):
        rows = np.flatnonzero(ended)
        trades.finish(rows, np.full(len(rows), ending, np.uint8), level[rows])
    trades.row[~(hits.stop | by_target)] += 1


def _expire(history: History, trades: Open) -> None:
    """End the trades that are still open at the bar of their expiry."""
    due = np.flatnonzero((trades.ending == Ending.OPEN) & (trades.end < len(history)))
    trades.row[due] = trades.end[due]
    ending = np.full(len(due), Ending.EXPIRED, np.uint8)
    row, late = trades.end[due], trades.is_late[due]
    trades.finish(due, ending, np.where(late, history.close[row], history.open[row]))


def end_at_last_close(history: History, trades: Open) -> None:
    """End the trades that are still open at the last close, because the symbol was delisted."""
    left = np.flatnonzero(trades.ending == Ending.OPEN)
    trades.row[left] = len(history) - 1
    ending = np.full(len(left), Ending.DELISTED, np.uint8)
    trades.finish(left, ending, np.full(len(left), history.close[-1]))
