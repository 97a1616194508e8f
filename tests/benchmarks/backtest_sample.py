"""Made-up bars and signals for the benchmarks of backtests."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from signals.analysis.backtest.columns import Floats, Rows, SignalTable, Trades
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.history import History
from signals.analysis.backtest.rules import Rules
from signals.market.bars import Bars, Times

SYMBOLS, BARS = 500, 2500
FIRST = np.datetime64("2010-01-01T21:00", "us")
DAY = np.timedelta64(1, "D")
Lists = tuple[list[datetime], list[float], list[float], list[float]]


@dataclass(frozen=True)
class Sample:
    """Random walks of many symbols, and signals at random bars of them."""

    bars: dict[str, Bars]
    signals: SignalTable

    @classmethod
    def of(cls, count: int) -> "Sample":
        """Return signals of all symbols at any bars."""
        chance = np.random.default_rng(1)
        bars = _walks(chance, SYMBOLS)
        symbol = chance.integers(0, SYMBOLS, count)
        row = chance.integers(20, BARS - 40, count)
        return cls(bars, _signals(chance, bars, symbol, row))

    @classmethod
    def without_overlaps(cls, symbols: int) -> "Sample":
        """Return signals of so many symbols, each long after the one before has ended."""
        chance = np.random.default_rng(2)
        bars = _walks(chance, symbols)
        waits = chance.integers(33, 50, (symbols, BARS // 33))
        rows = np.cumsum(waits, axis=1) - 13
        symbol, place = np.nonzero(rows < BARS - 40)
        return cls(bars, _signals(chance, bars, symbol, rows[symbol, place]))

    def lists(self) -> list[Lists]:
        """Return times, opens, highs and lows of each symbol in plain lists."""
        return [
            (bars.time.tolist(), bars.open.tolist(), bars.high.tolist(), bars.low.tolist())
            for bars in self.bars.values()
        ]

    def traded(self, signals: SignalTable, rules: Rules) -> Trades:
        """Backtest these signals, as prepared as bars come from a market."""
        last = FIRST + (BARS - 1) * DAY
        return backtest(signals, lambda name: History.of(self.bars[name]), rules, last)


def _walks(chance: np.random.Generator, symbols: int) -> dict[str, Bars]:
    times = FIRST + np.arange(BARS) * DAY
    return {f"S{number}": _walk(chance, f"S{number}", times) for number in range(symbols)}


def _signals(
    chance: np.random.Generator, bars: dict[str, Bars], symbol: Rows, row: Rows
) -> SignalTable:
    """Return a signal at the close of each of these bars, with a stop of 5% and a target of 10%."""
    side = chance.choice(np.array([1, -1], np.int8), len(row))
    price = np.array([each.close for each in bars.values()])[symbol, row]
    stop, target = price * (1 - side * 0.05), price * (1 + side * 0.1)
    return SignalTable(tuple(bars), symbol, FIRST + row * DAY, side, price, stop, target)


def _walk(chance: np.random.Generator, symbol: str, times: Times) -> Bars:
    close: Floats = 100 * np.cumprod(1 + chance.normal(0, 0.02, BARS), dtype=np.float64)
    opened = np.concatenate(([100.0], close[:-1])) * (1 + chance.normal(0, 0.005, BARS))
    away = np.abs(chance.normal(0, 0.005, (2, BARS)))
    high, low = np.maximum(opened, close) * (1 + away[0]), np.minimum(opened, close) * (1 - away[1])
    return Bars.checked(symbol, times, open=opened, high=high, low=low, close=close, volume=close)
