"""Figures of closed signals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signals.analysis import intervals
from signals.analysis.figure import Figure, Interval, figure
from signals.analysis.results import MEASURES, Floats, Results, mean

Times = NDArray[np.datetime64]
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Closed:
    """Closed signals, in any order; arrays of shape (n,).

    Attributes:
        outcome: win, loss, breakeven or expired.
        profit_pct: profit or loss in percent of the entry price; NaN if it is not known.
        risk_pct: distance from entry to stop in percent of the entry price; NaN without a stop.
        opened, closed: moments in UTC; NaT if one is not known.
        mae_pct, mfe_pct: excursions in percent of the entry price; NaN if they are not known.
    """

    outcome: NDArray[np.str_]
    profit_pct: Floats
    risk_pct: Floats
    opened: Times
    closed: Times
    mae_pct: Floats
    mfe_pct: Floats

    def __post_init__(self) -> None:
        """Raise ValueError if a number is infinite: no price makes such a result."""
        for name in ("profit_pct", "risk_pct", "mae_pct", "mfe_pct"):
            if np.isinf(getattr(self, name)).any():
                raise ValueError(f"{name} has an infinite value; leave unknown values out as NaN")

    def results(self) -> Results:
        """Return the results in the order of closing; equal times keep their order."""
        order = np.argsort(self.closed, kind="stable")  # NaT comes last
        return Results(
            (self.outcome == "win").astype(float)[order],
            self.profit_pct[order],
            self.risk_pct[order],
        )


def headline_figures(closed: Closed, *, seed: int = 0) -> dict[str, Figure]:
    """Return all figures; those that resamples can judge have an interval by the bootstrap.

    At most the last 10,000 closed signals are resampled; the values count all of them.
    """
    results = closed.results()
    found = _values(results)
    if results.count >= intervals.FEWEST:
        last = results.take(np.arange(results.count)[-intervals.MOST_RESAMPLED :])
        found |= _with_intervals(found, last, seed)
    return found | _plain_figures(closed, results)


def group_figures(closed: Closed) -> dict[str, Figure]:
    """Return the figures of a group; shares and means have an interval from 30 cases on."""
    results = closed.results()
    found = _values(results)
    wins = int(results.is_win.sum())
    spans = {
        "win_rate": intervals.of_share(wins, results.count),
        "average_pct": intervals.of_mean(results.profit_pct),
        "expectancy_pct": intervals.of_mean(results.profit_pct),
        "expectancy_r": intervals.of_mean(results.r),
    }
    found |= {name: _joined(found[name], span) for name, span in spans.items()}
    return found | _plain_figures(closed, results)


def _values(results: Results) -> dict[str, Figure]:
    return {
        name: figure(name, float(compute(results)), _known(counted(results)))
        for name, (counted, compute) in MEASURES.items()
    }


def _with_intervals(found: Mapping[str, Figure], results: Results, seed: int) -> dict[str, Figure]:
    resamples = intervals.Resamples(results.profit_pct, seed=seed)
    drawn: dict[str, list[Floats]] = {name: [] for name in MEASURES}
    for indices in resamples:
        taken = results.take(indices)
        for name, (_, compute) in MEASURES.items():
            drawn[name].append(compute(taken))
    return {
        name: _joined(found[name], resamples.interval(np.concatenate(values)))
        for name, values in drawn.items()
    }


def _joined(value: Figure, span: Interval | None) -> Figure:
    if value.value is None or span is None:
        return value
    return figure(value.name, value.value, value.n, interval=span)


def _plain_figures(closed: Closed, results: Results) -> dict[str, Figure]:
    profits = results.profit_pct[~np.isnan(results.profit_pct)]
    held = _holding_days(closed)
    values = {
        "median_pct": (_median(profits), profits.size),
        "best_pct": (profits.max(initial=-np.inf) if profits.size else np.nan, profits.size),
        "worst_pct": (profits.min(initial=np.inf) if profits.size else np.nan, profits.size),
        "longest_winning_streak": (_longest_run(profits > 0), profits.size),
        "longest_losing_streak": (_longest_run(profits < 0), profits.size),
        "average_mae_pct": (float(mean(closed.mae_pct)), _known(closed.mae_pct)),
        "average_mfe_pct": (float(mean(closed.mfe_pct)), _known(closed.mfe_pct)),
        "median_holding_days": (_median(held), held.size),
    }
    return {name: figure(name, float(value), int(n)) for name, (value, n) in values.items()}


def _known(values: Floats) -> int:
    return int((~np.isnan(values)).sum())


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else np.nan


def _holding_days(closed: Closed) -> Floats:
    """Return how long signals were held; an outcome before its signal is left out."""
    days = (closed.closed - closed.opened) / DAY
    return days[days >= 0]  # NaT gives NaN, which is not


def _longest_run(is_in: NDArray[np.bool_]) -> float:
    """Return the length of the longest run of True; NaN without any value."""
    if not is_in.size:
        return np.nan
    breaks = np.flatnonzero(~np.concatenate([[False], is_in, [False]]))
    return float(np.diff(breaks).max() - 1)
