"""Signals that have ended, for tests of reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

from signals.config import journal
from signals.ledger.outcomes import record_outcome
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def log(count: int, *, origin: str = "api", **fields: Any) -> list[Signal]:  # noqa: ANN401
    """Log signals a minute apart; return their rows."""
    first = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
    times = [(first + timedelta(minutes=number)).isoformat() for number in range(count)]
    tracker = SignalTracker(origin)
    ids = tracker.log_signals([a_signal(timestamp=time, **fields) for time in times])
    return list(Signal.objects.filter(signal_id__in=ids).order_by("pk"))


def close(signal: Signal, outcome: str, at: datetime = NOW) -> None:
    """Record an outcome at the signal's target, stop or entry."""
    price = {"win": signal.target_price, "loss": signal.stop_price}.get(outcome)
    record_outcome(
        signal.signal_id,
        outcome=outcome,
        exit_price=price or signal.entry_price,
        who="tester",
        why="a test",
        now=at,
        journal=journal(),
    )


def log_closed(outcomes: str, **fields: Any) -> list[Signal]:  # noqa: ANN401
    """Log a signal for each letter, and close it: w is a win, l a loss, e expired, o stays open."""
    made = log(len(outcomes), **fields)
    names = {"w": "win", "l": "loss", "e": "expired"}
    for number, (signal, letter) in enumerate(zip(made, outcomes, strict=True)):
        if letter in names:
            close(signal, names[letter], NOW + timedelta(minutes=number))
    return made
