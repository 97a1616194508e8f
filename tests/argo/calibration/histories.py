"""Histories of signals that have ended, whose outcomes follow from their confidence."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from execution.models import Counterfactual
from signals.config import journal
from signals.generation.replay import ReplayClock
from signals.ledger.outcomes import record_outcome
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal
from tests.signals.analysis.forecasts import Floats, forecasts

FIRST = datetime(2024, 1, 8, 15, 0, tzinfo=UTC)
A_DAY = 10
"""Signals that are made on each day."""
HELD = timedelta(days=2)
"""From a signal to its end."""


def moment(day: float) -> datetime:
    """Return a moment; day 0 is that of the first signal."""
    return FIRST + timedelta(days=day)


def log_history(
    confidence: Floats,
    event: Floats,
    *,
    origin: str = "replay",
    strategy: str = "weighted_consensus",
    traded: Sequence[int] = (),
    raw_confidence: Floats | None = None,
) -> list[Signal]:
    """Log ten signals a day, received on their day, that each end two days later.

    They end by the bars that followed, those at the places in `traded` by a recorded outcome. With
    `raw_confidence` the other is a calibrated one, of version 1.
    """
    clock = ReplayClock(FIRST)
    tracker = SignalTracker(origin, clock, wakes_worker=False)
    for begin in range(0, confidence.size, A_DAY):
        places = range(begin, min(begin + A_DAY, confidence.size))
        clock.move_to(_made(places[-1]))
        tracker.accept(
            [
                a_signal(
                    timestamp=_made(place).isoformat(), confidence=confidence[place] * 100,
                    strategy=strategy, **_raw(raw_confidence, place),
                )
                for place in places
            ]
        )  # fmt: skip
    tracker.flush()
    signals = list(Signal.objects.filter(strategy=strategy, context__origin=origin).order_by("pk"))
    untraded = [place for place in range(len(signals)) if place not in traded]
    Counterfactual.objects.bulk_create(
        [_counterfactual(signals[place], place, event[place]) for place in untraded]
    )
    for place in traded:
        end(signals[place], event[place] == 1, _made(place) + HELD)
    return signals


def informed(n: int = 300) -> tuple[Floats, Floats]:
    """Return confidences that say much, and that a calibration makes truer."""
    return forecasts(n, slope=1.5, offset=-1.0)


def blind(n: int = 300) -> tuple[Floats, Floats]:
    """Return confidences that say less than nothing of the events: they turn round at the end."""
    confidence, event = forecasts(n, slope=2.0)
    late = np.arange(n) >= n // 2
    return confidence, np.where(late, 1 - event, event)


def end(signal: Signal, is_win: bool, at: datetime) -> None:
    """Record how a signal ended."""
    record_outcome(
        signal.signal_id,
        outcome="win" if is_win else "loss",
        exit_price=signal.target_price if is_win else signal.stop_price,
        who="tester",
        why="a test",
        now=at,
        journal=journal(),
    )


def _made(place: int) -> datetime:
    day, number = divmod(place, A_DAY)
    return FIRST + timedelta(days=day, minutes=number)


def _raw(raw_confidence: Floats | None, place: int) -> dict[str, float | int]:
    if raw_confidence is None:
        return {}
    return {"raw_confidence": float(raw_confidence[place] * 100), "calibration_version": 1}


def _counterfactual(signal: Signal, place: int, event: float) -> Counterfactual:
    made = _made(place)
    return Counterfactual(
        signal=signal, entered_at=made, expires_at=made + HELD, ended_at=made + HELD,
        outcome="win" if event else "loss", profit_loss_pct=5.0 if event else -3.0,
    )  # fmt: skip
