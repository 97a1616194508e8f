"""Makes the track record of a strategy from what the verifier found in a bundle."""

from collections import Counter
from datetime import datetime
from typing import Any

import numpy as np

from argo.reports.sections import as_json
from argo.track_record.basis import basis_of
from signals.analysis.calibration.bins import Bins
from signals.analysis.calibration.scores import calibration_figures
from signals.analysis.drawdowns import depths
from signals.analysis.figure import Figure
from signals.analysis.record import Recorded, equity, record_figures

Section = dict[str, Any]
SHOWN_OF_CONFIDENCE = ("brier_skill", "ece")
LAST = 25
"""Signals that a page lists."""
MOST_POINTS = 400
"""Points of the equity that are drawn."""


def track_record(found: Section, strategy: str) -> Section:
    """Return the track record of a strategy as JSON has it.

    `found` is the report of the verifier (`Report.as_json`) on a bundle. Each figure says if it is
    verified, and what it rests on.
    """
    live = [
        each
        for each in found.get("signals", ())
        if each["kind"] == "signal" and each["strategy"] == strategy
    ]
    closed = sorted(
        (each for each in live if each["outcome"] is not None),
        key=lambda each: (each["ended_at"] or each["received_at"], each["index"]),
    )
    counts = found.get("strategies", {}).get(strategy, _nothing(found))
    figures = _figures(closed, counts["counted_as_losses"])
    return {
        "strategy": strategy,
        "origin": found.get("origin"),
        "size": found.get("size"),
        "accepted": found["ok"],
        "faults": found["faults"],
        "remarks": found["remarks"],
        "first": min((each["received_at"] for each in live), default=None),
        "last": max((each["received_at"] for each in live), default=None),
        "counts": counts,
        "figures": {
            name: figure | basis_of(name, found) for name, figure in as_json(figures).items()
        },
        "series": _series(closed),
        "bins": _bins(closed),
        "brackets": _brackets(live),
        "witnesses": found.get("witnesses", {}),
        "ended_by": dict(Counter(each["ended_by"] or "its own line" for each in closed)),
        "signals": live[: -LAST - 1 : -1],
    }


def _nothing(found: Section) -> Section:
    """Return the counts of a strategy without signals: what is hidden may be its own."""
    whole = found.get("track_record", {"not_shown": 0, "outcomes_not_shown": 0})
    hidden = {name: whole[name] for name in ("not_shown", "outcomes_not_shown")}
    return {"shown": 0, "open": 0, "closed": 0, "counted_as_losses": sum(hidden.values())} | hidden


def _figures(closed: list[Section], missing: int) -> dict[str, Figure]:
    wins = sum(each["outcome"] == "win" for each in closed)
    confidence, event = _forecasts(closed)
    scores = calibration_figures(confidence, event)
    return record_figures(Recorded(wins, _results(closed), missing)) | {
        name: scores[name] for name in SHOWN_OF_CONFIDENCE
    }


def _results(closed: list[Section]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([each["profit_loss_pct"] or 0.0 for each in closed], float)


def _forecasts(closed: list[Section]) -> tuple[Any, Any]:
    """Return confidences from 0 to 1, and 1.0 for each that won, of those with a confidence."""
    kept = [each for each in closed if 0 <= each["confidence"] <= 100]
    confidence = np.array([each["confidence"] / 100 for each in kept], float)
    return confidence, np.array([float(each["outcome"] == "win") for each in kept], float)


def _series(closed: list[Section]) -> list[Section]:
    """Return the equity and its drawdown after each closed signal, or after every second."""
    if not closed:
        return []
    values = np.maximum(equity(_results(closed)), np.finfo(float).tiny)
    below = depths(values) * 100
    step = -(-len(closed) // MOST_POINTS)
    return [
        {
            "at": closed[place]["ended_at"] or closed[place]["received_at"],
            "equity_pct": round(float(values[place + 1] - 1) * 100, 4),
            "drawdown_pct": round(float(below[place + 1]), 4),
        }
        for place in range((len(closed) - 1) % step, len(closed), step)
    ]


def _bins(closed: list[Section]) -> list[Section]:
    confidence, event = _forecasts(closed)
    rows = Bins(confidence, event).rows() if event.size else []
    return [
        row._asdict() | {"interval": None if row.interval is None else row.interval._asdict()}
        for row in rows
    ]


def _brackets(live: list[Section]) -> Section:
    """Return how wide the brackets of the signals are, in seconds."""
    widths = sorted(
        (_moment(each["existed_by"]) - _moment(each["made_after"])).total_seconds()
        for each in live
        if each["existed_by"] and each["made_after"]
    )
    return {
        "median_seconds": widths[len(widths) // 2] if widths else None,
        "widest_seconds": widths[-1] if widths else None,
        "with_an_open_end": len(live) - len(widths),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
