"""What a report draws: the equity, the months, the distribution of results, the best and worst."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from signals.analysis.drawdowns import depths
from signals.analysis.equity import Equity

Section = dict[str, Any]
MOST_POINTS = 400
"""Days that are drawn; of more, every second or third."""
BARS = 24
"""Bars of the distribution."""
EXTREMES = 10


def series_section(equity: Equity, table: pa.Table) -> Section:
    """Return the series of an account's equity and of the signals' results."""
    closed = table.filter(pc.is_valid(table["profit_loss_pct"])).sort_by("profit_loss_pct")
    worst, best = closed.slice(0, EXTREMES), closed.slice(max(0, closed.num_rows - EXTREMES))
    return {
        "equity": _points(equity),
        "months": _months(equity),
        "distribution": _distribution(closed["profit_loss_pct"].to_numpy()),
        "best": _signals(best)[::-1],
        "worst": _signals(worst),
    }


def _points(equity: Equity) -> list[Section]:
    """Return days with equity and drawdown; the last day is always among them."""
    if not equity.days.size or (equity.values <= 0).any():
        return []
    step = -(-equity.days.size // MOST_POINTS)
    depth = depths(equity.values) * 100
    chosen = range((equity.days.size - 1) % step, equity.days.size, step)
    return [
        {
            "day": str(equity.days[place]),
            "equity": round(float(equity.values[place]), 2),
            "drawdown_pct": round(float(depth[place]), 3),
        }
        for place in chosen
    ]


def _months(equity: Equity) -> list[Section]:
    """Return the return of each month, from its last day and the last day before it."""
    if equity.days.size < 2 or (equity.values <= 0).any():
        return []
    months = equity.days.astype("datetime64[M]")
    ends = np.flatnonzero(months[1:] != months[:-1])
    places = np.unique(np.concatenate([[0], ends, [equity.days.size - 1]]))
    return [
        {
            "month": str(months[end]),
            "return_pct": float(equity.values[end] / equity.values[begin] - 1) * 100,
        }
        for begin, end in pairwise(places)
    ]


def _distribution(results: np.ndarray[Any, Any]) -> list[Section]:
    if not results.size:
        return []
    numbers, edges = np.histogram(results, bins=BARS)
    return [
        {"low": float(low), "high": float(high), "n": int(n)}
        for n, (low, high) in zip(numbers, pairwise(edges), strict=True)
    ]


def _signals(table: pa.Table) -> list[Section]:
    names = ("signal_id", "instrument", "action", "timestamp", "outcome", "profit_loss_pct")
    rows = table.select(names).to_pylist()
    return [row | {"timestamp": _text(row["timestamp"])} for row in rows]


def _text(moment: Any) -> str | None:  # noqa: ANN401
    return None if moment is None else moment.isoformat()
