"""The figures of a record, with what is not shown counted against its maker."""

import math
from typing import Any

from signals.record.verifier.history import Followed, History


def track_records(history: History) -> dict[str, dict[str, Any]]:
    """Return the track record of each strategy that has a signal here, by its name."""
    names = {each.strategy: None for each in live_signals(history)}
    return {name: track_record(history, name) for name in names}


def live_signals(history: History) -> list[Followed]:
    """Return the signals that were received live."""
    return [each for each in history.signals.values() if each.kind == "signal"]


def track_record(history: History, strategy: str | None = None) -> dict[str, Any]:
    """Return counts, win rate, mean and equity of the signals that were received live.

    Each line that is not shown is a loss in the win rate, and the worst loss shown in mean and
    equity: also in those of one strategy, as nobody can tell whose line it is.
    """
    every = live_signals(history)
    live = [each for each in every if strategy in (None, each.strategy)]
    closed = _closed(live)
    hidden_signals, hidden_outcomes = history.hidden("signal"), history.hidden("outcome")
    is_open = sum(each.final_state()["outcome"] is None for each in live)
    missing = hidden_signals + hidden_outcomes
    results = [float(percent) for _, percent in closed]
    losses = [each for each in results if each < 0]
    assumed = [min(losses, default=0.0)] * missing
    counted = None if missing and not losses else results + assumed
    return {
        "shown": len(live),
        "not_shown": hidden_signals,
        "outcomes_not_shown": hidden_outcomes,
        "repeats": history.repeats,
        "open": is_open,
        "closed": len(closed),
        "counted_as_losses": missing,
        "win_rate": _share(sum(name == "win" for name, _ in closed), len(closed) + missing),
        "mean_pct": _mean(counted),
        "equity_pct": _equity(counted),
    }


def _closed(live: list[Followed]) -> list[tuple[str, float]]:
    states = [each.final_state() for each in live]
    return [
        (state["outcome"], state["profit_loss_pct"] or 0.0)
        for state in states
        if state["outcome"] is not None
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(results: list[float] | None) -> float | None:
    return math.fsum(results) / len(results) if results else None


def _equity(results: list[float] | None) -> float | None:
    """Return the profit or loss in percent if the whole equity had gone into each in turn."""
    if not results:
        return None
    total = (math.prod(1 + each / 100 for each in results) - 1) * 100
    return total if math.isfinite(total) else None
