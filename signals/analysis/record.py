"""Figures of a track record: what is not shown counts against its maker."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.analysis.drawdowns import depths
from signals.analysis.figure import Figure, figure
from signals.analysis.intervals import of_mean, of_share

Floats = NDArray[np.float64]


class Recorded(NamedTuple):
    """Closed signals in the order of their outcomes, and how many lines are not shown.

    `profit_pct` has shape (n,), in percent of the entry price. `missing` counts the lines.
    """

    wins: int
    profit_pct: Floats
    missing: int


def record_figures(recorded: Recorded) -> dict[str, Figure]:
    """Return win rate, mean, growth and drawdown, with intervals from 30 cases on.

    Each line that is not shown is a loss, as large as the worst one that is shown.
    """
    n = recorded.profit_pct.size + recorded.missing
    share = recorded.wins / n if n else np.nan
    results = _with_assumed(recorded)
    growth = equity(results)
    return {
        "record_win_rate": figure(
            "record_win_rate", share, n, interval=of_share(recorded.wins, n) if n else None
        ),
        "record_mean_pct": figure(
            "record_mean_pct",
            float(results.mean()) if results.size else np.nan,
            n,
            interval=of_mean(results),
        ),
        "record_equity_pct": figure(
            "record_equity_pct", float(growth[-1] - 1) * 100 if results.size else np.nan, n
        ),
        "record_drawdown_pct": figure("record_drawdown_pct", _deepest(recorded, results), n),
    }


def equity(results: Floats) -> Floats:
    """Return the equity after each result, from 1 on; never below 0. Shape (n + 1,)."""
    return np.concatenate([[1.0], np.cumprod(np.maximum(1 + results / 100, 0.0))])


def _with_assumed(recorded: Recorded) -> Floats:
    """Return all results; none at all if nobody knows how large a hidden loss may be."""
    if not recorded.missing:
        return recorded.profit_pct
    worst = recorded.profit_pct.min(initial=0.0)
    if not worst < 0:
        return np.array([])
    return np.concatenate([recorded.profit_pct, np.full(recorded.missing, worst)])


def _deepest(recorded: Recorded, results: Floats) -> float:
    """Return the drawdown if every hidden loss had come at the bottom of the deepest one."""
    if not results.size:
        return np.nan
    shown = equity(recorded.profit_pct)
    kept = 1 + float(depths(np.maximum(shown, np.finfo(float).tiny)).min())
    hidden = float(np.prod(np.maximum(1 + results[recorded.profit_pct.size :] / 100, 0.0)))
    return (kept * hidden - 1) * 100
