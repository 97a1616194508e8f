"""Trades every signal by itself, the signals of one symbol at a time, without a loop over them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from signals.analysis.backtest.columns import (
    NEGLIGIBLE,
    Codes,
    Ending,
    Floats,
    Mask,
    Outcome,
    Rows,
    SignalTable,
    Skipped,
    Times,
    Trades,
)
from signals.analysis.backtest.exits import Open, end_at_last_close, expiry_of, follow
from signals.analysis.backtest.history import History
from signals.analysis.backtest.levels import (
    Levels,
    are_off_scale,
    are_reached,
    entry_row,
    faults,
    rebased,
    rounded,
    scaled,
    skipped,
)
from signals.analysis.backtest.rules import Entry, Rules


def backtest(
    signals: SignalTable,
    history_of: Callable[[str], History | None],
    rules: Rules,
    last: np.datetime64,
    on_symbol: Callable[[int], object] = lambda count: None,
) -> Trades:
    """Return the trade of each signal.

    `history_of` returns the bars of a symbol, or None if it has no bars; it is called once for each
    symbol. `last` is the time of the last bar of all symbols. `on_symbol` gets the number of
    signals done.
    """
    trades = Trades.empty(len(signals))
    numbers = signals.symbol.astype(np.min_scalar_type(len(signals.symbols)))  # sorted faster
    order = np.argsort(numbers, kind="stable")
    by_symbol = signals.rows(order)
    bad = faults(by_symbol)
    ends = np.searchsorted(by_symbol.symbol, np.arange(len(signals.symbols) + 1)).tolist()
    for symbol, (start, end) in zip(signals.symbols, pairwise(ends), strict=True):
        if start < end:
            rows = slice(start, end)
            found = by_symbol.rows(rows)
            trades.put(rows, trades_of(found, bad[rows], history_of(symbol), rules, last))
            on_symbol(end - start)
    trades.outcome[:] = _outcomes(trades.ending, trades.profit_pct)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return trades.rows(place)


def trades_of(
    signals: SignalTable, bad: Codes, history: History | None, rules: Rules, last: np.datetime64
) -> Trades:
    """Return the trades of the signals of one symbol, without their outcomes; see `backtest`.

    `bad` are the `faults` of the signals.
    """
    if history is None or not len(history):
        return _none_of(np.full(len(signals), Skipped.NO_BARS, np.uint8))
    row = entry_row(history, signals, rules)
    why = skipped(history, signals, row, bad, rules)
    places = np.flatnonzero(why == Skipped.NO)
    if len(places) < len(signals):
        signals, row = signals.rows(places), row[places]
    factor = rebased(history, signals)
    levels = scaled(history, signals, row, factor)
    off, reached = are_off_scale(history, signals, factor), are_reached(history, row, levels, rules)
    enters = np.flatnonzero(reached & ~off)
    is_long = signals.side[enters] > 0
    made = _traded(history, is_long, row[enters], levels.rows(enters), rules, last)
    if len(enters) == len(why):
        return made
    why[places] = np.select([off, ~reached], [Skipped.SCALE, Skipped.NOT_REACHED])
    trades = _none_of(why)
    trades.put(places[enters], made)
    return trades


def _none_of(why: Codes) -> Trades:
    """Return the trades of signals that are not entered, for these reasons."""
    return replace(Trades.empty(len(why)), skipped=why)


def _traded(
    history: History, is_long: Mask, row: Rows, levels: Levels, rules: Rules, last: np.datetime64
) -> Trades:
    """Enter trades at these bars, follow them to their ends, and price them."""
    at_open = rules.entry is Entry.OPEN
    entry_mid = history.open[row] if at_open else levels.price
    expiry = expiry_of(history, row, rules)
    followed = Open.entered(is_long, row, expiry, entry_mid, levels.stop, levels.target)
    follow(history, followed, rules)
    if last - history.time[-1] > np.timedelta64(rules.delisted_after):
        end_at_last_close(history, followed)
    is_open = followed.ending == Ending.OPEN
    exit_row = np.where(is_open, -1, followed.row)
    shares = history.jumps.shares_at(followed.row) / history.jumps.shares_at(row)
    entry = _filled(entry_mid, is_long, rules.entry_cost)
    cost = np.where(followed.ending == Ending.TARGET, 0.0, rules.market_cost)
    exited = _filled(followed.mid, ~is_long, cost)
    percent = _profit_pct(is_long, entry, exited * shares, rules.fee)
    return Trades(
        skipped=np.zeros(len(row), np.uint8), entry_row=row, exit_row=exit_row,
        entry_time=history.began[row] if at_open else history.time[row],
        exit_time=_exit_times(history, followed),
        entry_mid=entry_mid, exit_mid=followed.mid, entry=entry, exit=exited,
        shares=np.where(is_open, np.nan, shares), ending=followed.ending,
        outcome=np.zeros(len(row), np.uint8), profit_pct=percent,
        is_ambiguous=followed.is_ambiguous, is_ordered=followed.is_ordered,
        is_rescaled=levels.is_moved,
    )  # fmt: skip


def _filled(mid: Floats, buys: Mask, cost: Floats | float) -> Floats:
    """Return the fill prices: worse than the mid by this part of it."""
    if not np.any(cost):
        return mid
    return np.where(cost == 0, mid, rounded(mid * np.where(buys, 1 + cost, 1 - cost)))


def _profit_pct(is_long: Mask, entry: Floats, exited: Floats, fee: float) -> Floats:
    """Return the profit in percent of the entry's value, after a fee in percent of each fill."""
    gain = np.where(is_long, exited - entry, entry - exited)
    return np.asarray((gain - (entry + exited) * fee / 100) / entry * 100)


def _exit_times(history: History, trades: Open) -> Times:
    row = np.minimum(trades.row, len(history) - 1)
    at_open = (trades.ending == Ending.EXPIRED) & ~trades.is_late
    times = np.where(at_open, history.began[row], history.time[row])
    times[trades.ending == Ending.OPEN] = np.datetime64("NaT")
    return times


def _outcomes(ending: Codes, percent: Floats) -> Codes:
    """Return the outcome of each trade, as `signals.ledger.outcomes.outcome_of` does."""
    return np.select(
        [
            (ending == Ending.NONE) | (ending == Ending.OPEN),
            ending == Ending.EXPIRED,
            np.abs(percent) < NEGLIGIBLE,
            percent > 0,
        ],
        [Outcome.NONE, Outcome.EXPIRED, Outcome.BREAKEVEN, Outcome.WIN],
        Outcome.LOSS,
    ).astype(np.uint8)
