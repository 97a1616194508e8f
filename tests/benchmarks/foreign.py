"""Backtests of other engines beside Argo's: trade for trade, and how fast they are.

The engines have an environment of their own, in a cache folder, because their licences do not fit:
nothing of Argo imports them.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from signals.analysis.backtest.columns import Ending, Floats, Mask, Trades
from signals.analysis.backtest.rules import Rules
from tests.benchmarks import foreign_engines
from tests.benchmarks.backtest_sample import DAY, FIRST, SYMBOLS, Sample
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import medians, processor_seconds
from tests.benchmarks.workspace import Workspace, say

PACKAGES = {"vectorbt": "vectorbt==1.2.0", "backtesting": "backtesting==0.6.6"}
BESIDE = ("numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1")
TITLES = {"vectorbt": "vectorbt 1.2.0", "backtesting": "backtesting.py 0.6.6"}
RULES = Rules(expiry=30, fee=0.05)
"""What all engines can do: vectorbt's slippage also counts for targets."""
ENTRY_BAR = "end in their entry bar, where it looks for no stop or target"
EXPIRY_BAR = "expire at an open, after which it still looks for stop and target"
UNEXPLAINED = "for no known reason"
Columns = dict[str, Any]


class Engine(NamedTuple):
    """An engine, how many symbols it trades, and which part of its speed Argo should have."""

    name: str
    symbols: int
    target: float


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Compare Argo with each engine on signals that never overlap in a symbol."""
    python = _python()
    if python is None:
        say("  The other engines cannot be installed: they are left out.")
        return
    engines = (
        Engine("vectorbt", workspace.size(SYMBOLS, 100), 0.5),
        Engine("backtesting", workspace.size(20, 5), 10),
    )
    for engine in engines:
        yield from _compared(workspace, python, engine)


def _compared(workspace: Workspace, python: Path, engine: Engine) -> Iterator[Figure]:
    sample, rounds = Sample.without_overlaps(engine.symbols), workspace.size(7, 3)
    trades = sample.traded(sample.signals, RULES)
    theirs = _traded(workspace.folder, python, engine.name, sample, rounds)
    if theirs is None:
        return
    count, title = len(sample.signals), TITLES[engine.name]

    def ours(number: int) -> float:
        return count / processor_seconds(lambda: sample.traded(sample.signals, RULES))

    what = f"{count:,} signals backtested that never overlap in a symbol, signals a second"
    rate = count / float(theirs["seconds"])
    argo = medians(rounds, {"Argo": ours})["Argo"]
    yield times_as_fast(what, argo, rate, target=engine.target, name=title)
    yield _differences(title, sample, trades, theirs)


def _python() -> Path | None:
    """Return the Python of the engines' environment, made at the first call; None without it."""
    pins = (*PACKAGES.values(), *BESIDE)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = sha256(f"{sys.version} {pins}".encode()).hexdigest()[:12]
    folder = cache / "argo-benchmarks" / f"engines-{name}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        say(f"  Installing {', '.join(pins)} in {folder}")
        made = _ran([sys.executable, "-m", "venv", "--clear", str(folder)])
        if not (made and _ran([str(python), "-m", "pip", "install", "--quiet", *pins])):
            return None
        complete.touch()
    return python


def _ran(command: list[str]) -> bool:
    """Run a command; return whether it succeeded, and print why it did not."""
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"  {getattr(error, 'stderr', None) or error}")
        return False
    return True


def _traded(folder: Path, python: Path, engine: str, sample: Sample, rounds: int) -> Columns | None:
    """Return the trades that an engine makes; None if it fails."""
    given, made = folder / f"{engine}-sample.npz", folder / f"{engine}-trades.npz"
    np.savez(given, **_columns(sample))
    script = Path(foreign_engines.__file__)
    # -P: `tests/benchmarks/logging.py` beside the script must not be imported as `logging`
    if not _ran([str(python), "-P", str(script), engine, str(given), str(made), str(rounds)]):
        return None
    with np.load(made) as file:
        found = dict(file)
    order = np.lexsort((found["entry_row"], found["symbol"]))
    return {name: each[order] if each.ndim else each for name, each in found.items()}


def _columns(sample: Sample) -> Columns:
    """Return the sample as `foreign_engines` reads it."""
    signals, bars = sample.signals, sample.bars.values()
    prices = {
        name: np.column_stack([getattr(each, name) for each in bars])
        for name in ("open", "high", "low", "close")
    }
    return prices | {
        "row": (signals.time - FIRST) // DAY, "symbol": signals.symbol, "side": signals.side,
        "stop": signals.stop, "target": signals.target, "expiry": np.array(RULES.expiry),
        "fee": np.array(RULES.fee),
    }  # fmt: skip


def _differences(title: str, sample: Sample, trades: Trades, theirs: Columns) -> Figure:
    """Count the trades that differ in entry, exit, prices or result, and say why."""
    count, why = len(trades), Counter[str]()
    symbol, row = sample.signals.symbol, trades.entry_row
    if np.array_equal(symbol, theirs["symbol"]) and np.array_equal(row, theirs["entry_row"]):
        why.update(_reasons(sample, trades, theirs))
    else:
        why[UNEXPLAINED] = count
    text = "; ".join(f"{number:,} {reason}" for reason, number in why.most_common())
    return Figure(
        f"- trades that differ from those of {title}", f"{why.total():,} of {count:,}", text,
        target="none without a reason", met=not why[UNEXPLAINED],
    )  # fmt: skip


def _reasons(sample: Sample, trades: Trades, theirs: Columns) -> Iterator[str]:
    """Yield why each trade that differs does."""
    same = _is_close(trades.entry, theirs["entry"]) & (trades.exit_row == theirs["exit_row"])
    same &= _is_close(trades.exit, theirs["exit"]) & _is_close(trades.profit_pct, theirs["percent"])
    at_level = _is_close(theirs["exit"], sample.signals.stop) | _is_close(
        theirs["exit"], sample.signals.target
    )
    in_entry_bar = trades.exit_row == trades.entry_row
    in_expiry_bar = (trades.ending == Ending.EXPIRED) & (trades.exit_row == theirs["exit_row"])
    for place in np.flatnonzero(~same):
        if in_entry_bar[place]:
            yield ENTRY_BAR
        else:
            yield EXPIRY_BAR if in_expiry_bar[place] & at_level[place] else UNEXPLAINED


def _is_close(ours: Floats, theirs: Floats) -> Mask:
    return np.isclose(ours, theirs, rtol=1e-9, atol=1e-9)
