"""Backtests of other engines: run by the Python of their own environment, never by Argo's.

`python -P foreign_engines.py ENGINE SAMPLE.npz RESULT.npz ROUNDS`. The sample has bars as rows and
symbols as columns: `open`, `high`, `low`, `close`; and of each signal `row` (its bar; the entry is
at the next open), `symbol`, `side` (1 or -1), `stop`, `target`; `expiry` in bars and `fee` in
percent of each fill. The result has of each trade `symbol`, `entry_row`, `exit_row`, `entry`,
`exit` and `percent`, and `seconds`, the processor time of the median round after the first one.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

Columns = dict[str, Any]

CASH = 1e12
NAMES = ("symbol", "entry_row", "exit_row", "entry", "exit")


def vectorbt(sample: Columns, rounds: int) -> Columns:
    """Trade all symbols at once; the first round compiles."""
    import vectorbt as vbt

    def trade() -> Any:  # noqa: ANN401  # theirs
        made = vbt.Portfolio.from_signals(
            sample["close"], open=sample["open"], high=sample["high"], low=sample["low"],
            price=sample["open"], fees=float(sample["fee"]) / 100, size=1.0, init_cash=CASH,
            stop_entry_price="fillprice", **_matrices(sample),
        )  # fmt: skip
        return made.trades.values

    return _measured(trade, rounds, _of_vectorbt)


def _matrices(sample: Columns) -> Columns:
    """Return the signals as vectorbt takes them: a cell for each bar and symbol."""
    row, symbol, shape = sample["row"] + 1, sample["symbol"], sample["open"].shape
    opened, is_long = sample["open"][row, symbol], sample["side"] > 0
    found = {
        name: np.zeros(shape, np.bool_)
        for name in ("entries", "exits", "short_entries", "short_exits")
    }
    for side, prefix in ((is_long, ""), (~is_long, "short_")):
        found[f"{prefix}entries"][row[side], symbol[side]] = True
        found[f"{prefix}exits"][row[side] + int(sample["expiry"]), symbol[side]] = True
    for name, level in (("sl_stop", "stop"), ("tp_stop", "target")):
        found[name] = np.full(shape, np.nan)
        found[name][row, symbol] = np.abs(sample[level] / opened - 1)
    return found


def _of_vectorbt(trades: Any) -> Columns:  # noqa: ANN401
    columns = ("col", "entry_idx", "exit_idx", "entry_price", "exit_price")
    found = dict(zip(NAMES, (trades[name] for name in columns), strict=False))
    return found | {"percent": trades["return"] * 100}


def backtesting(sample: Columns, rounds: int) -> Columns:
    """Trade one symbol after the other."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    columns = ("open", "high", "low", "close")
    days = pd.date_range("2010-01-01", periods=len(sample["open"]))

    class Signals(Strategy):  # type: ignore[misc]
        orders: ClassVar[dict[int, list[float]]] = {}

        def init(self) -> None:
            """Prepare nothing."""

        def next(self) -> None:
            row = len(self.data) - 1
            for trade in self.trades:
                if row + 1 - trade.entry_bar >= int(sample["expiry"]):
                    trade.close()
            if row in self.orders:
                side, stop, target = self.orders[row]
                (self.buy if side > 0 else self.sell)(size=1, sl=stop, tp=target)

    def trade() -> Any:  # noqa: ANN401  # theirs
        found = []
        for symbol in range(sample["open"].shape[1]):
            chosen = np.flatnonzero(sample["symbol"] == symbol)
            names = ("row", "side", "stop", "target")
            rows = zip(*(sample[name][chosen].tolist() for name in names), strict=True)
            Signals.orders = {row: levels for row, *levels in rows}
            bars = pd.DataFrame({n.capitalize(): sample[n][:, symbol] for n in columns}, index=days)
            fee = float(sample["fee"]) / 100
            made = Backtest(bars, Signals, cash=CASH, commission=fee).run()["_trades"]
            found.append(made.assign(symbol=symbol))
        return pd.concat(found)

    return _measured(trade, rounds, _of_backtesting)


def _of_backtesting(trades: Any) -> Columns:  # noqa: ANN401
    columns = ("symbol", "EntryBar", "ExitBar", "EntryPrice", "ExitPrice")
    found = dict(zip(NAMES, (trades[name].to_numpy() for name in columns), strict=False))
    value = trades["EntryPrice"] * trades["Size"].abs()
    return found | {"percent": (trades["PnL"] / value * 100).to_numpy()}


def _measured(trade: Callable[[], Any], rounds: int, columns: Callable[[Any], Columns]) -> Columns:
    trade()  # compiles, if the engine does
    took = []
    for _ in range(rounds):
        began = time.process_time()
        found = trade()
        took.append(time.process_time() - began)
    return columns(found) | {"seconds": statistics.median(took)}


def main() -> None:
    """Run one engine on a sample."""
    engine, sample, result, rounds = sys.argv[1:]
    warnings.simplefilter("ignore")  # theirs, about their own dependencies
    with np.load(sample) as file:
        columns = dict(file)
    np.savez(result, **ENGINES[engine](columns, int(rounds)))


ENGINES = {"vectorbt": vectorbt, "backtesting": backtesting}

if __name__ == "__main__":
    main()
