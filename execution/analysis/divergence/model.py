"""The trades that a backtest makes of some signals, on the scale of the signals' own prices."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from execution.analysis.divergence.trades import ModelLeg, ModelTrade
from signals.analysis.backtest.columns import (
    Ending,
    Floats,
    Rows,
    SignalTable,
    Skipped,
    Times,
    Trades,
)
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.history import History
from signals.analysis.backtest.levels import factor_at, rebased
from signals.analysis.backtest.rules import Rules

OPEN = "it is still open in the backtest"


def model_trades(
    signals: SignalTable, histories: Mapping[str, History], rules: Rules, last: np.datetime64
) -> list[ModelTrade | str]:
    """Return the trade of each signal, or why a backtest has none that has ended.

    `last` is when the last bar of all symbols closed.
    """
    trades = backtest(signals, histories.get, rules, last)
    found: list[ModelTrade | str] = [""] * len(signals)
    for number, symbol in enumerate(signals.symbols):
        rows = np.flatnonzero(signals.symbol == number)
        has_ended = np.isfinite(trades.profit_pct[rows])
        for row in rows[~has_ended].tolist():
            skipped = Skipped(trades.skipped[row])
            found[row] = skipped.meaning if skipped else OPEN
        rows = rows[has_ended]
        if rows.size:
            made = _trades(signals.rows(rows), trades.rows(rows), histories[symbol], rules)
            for row, each in zip(rows.tolist(), made, strict=True):
                found[row] = each
    return found


def _trades(
    signals: SignalTable, trades: Trades, history: History, rules: Rules
) -> list[ModelTrade]:
    """Return the trades of one symbol. All of them have ended."""
    scale = 1 / _factor(signals, trades, history)
    at_exit = scale * trades.shares
    fees = (trades.entry * scale + trades.exit * at_exit) * rules.fee / 100
    cost = rules.spread / 2 + rules.slippage
    spread_share = rules.spread / 2 / cost if cost else 0.0
    entries = _legs(history, trades.entry_row, trades.entry_time,
                    trades.entry_mid * scale, trades.entry * scale)  # fmt: skip
    exits = _legs(history, trades.exit_row, trades.exit_time,
                  trades.exit_mid * at_exit, trades.exit * at_exit)  # fmt: skip
    columns = (trades.ending.tolist(), fees.tolist(), trades.is_ambiguous.tolist())
    return [
        ModelTrade(entry, exit_, Ending(ending), paid, spread_share, is_ambiguous)
        for entry, exit_, ending, paid, is_ambiguous in zip(entries, exits, *columns, strict=True)
    ]


def _factor(signals: SignalTable, trades: Trades, history: History) -> Floats:
    """Return what each signal's prices were multiplied by, to be on the scale of the entry bar."""
    if not trades.is_rescaled.any():
        return np.ones(len(signals))
    return factor_at(history, signals, trades.entry_row, rebased(history, signals))


def _legs(
    history: History, rows: Rows, at: Times, mid: Floats, price: Floats
) -> list[ModelLeg]:  # fmt: skip
    times = map(_moments, (history.began[rows], history.time[rows], at))
    return [ModelLeg(*each) for each in zip(*times, mid.tolist(), price.tolist(), strict=True)]


def _moments(times: Times) -> list[datetime]:
    """Return times as moments in UTC."""
    plain: list[datetime] = times.astype("datetime64[us]").tolist()
    return [each.replace(tzinfo=UTC) for each in plain]
