"""Judges a calibration on later signals only: walk forward, with outcomes that were known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.analysis.calibration.fitting import fit
from signals.analysis.calibration.scores import brier, log_loss
from signals.calibration.maps import BaseRate

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
FOLDS = 5
FEWEST = 100
"""Outcomes before a first map is fitted."""


@dataclass(frozen=True)
class Ended:
    """Signals that have ended; arrays of shape (n,), in any order.

    Attributes:
        confidence: raw, from 0 to 1.
        event: 1.0 if the target was reached before the stop within the expiry, else 0.0.
        made: when each signal was made.
        known: when its outcome was known.
    """

    confidence: Floats
    event: Floats
    made: Times
    known: Times


class Verdict(NamedTuple):
    """The scores on later signals; lower is better. `n` counts the judged ones."""

    n: int
    folds: int
    brier: dict[str, float]
    log_loss: dict[str, float]
    won: bool
    """Whether the calibration beat both no calibration and the base rate by its Brier score."""


def known_before(ended: Ended, moment: np.datetime64, embargo: np.timedelta64) -> NDArray[np.bool_]:
    """Return which outcomes were known at least `embargo` before `moment`.

    Signals that were still open then are left out (purged), as their outcomes lie in the time that
    is judged (Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7).
    """
    return np.asarray(ended.known <= moment - embargo)


def judge(ended: Ended, *, embargo: np.timedelta64) -> Verdict | None:
    """Return how maps fitted on the past did on what came later; None if there is too little.

    The time after the first 100 outcomes is cut into five parts of as many signals. Each is judged
    by a map that was fitted on what was known when it began.
    """
    judged: dict[str, list[Floats]] = {"calibrated": [], "raw": [], "base_rate": []}
    events: list[Floats] = []
    for is_past, is_later in _folds(ended, embargo):
        past = ended.confidence[is_past], ended.event[is_past]
        later = ended.confidence[is_later]
        judged["calibrated"].append(fit(*past)(later))
        judged["raw"].append(later)
        judged["base_rate"].append(BaseRate(float(past[1].mean()))(later))
        events.append(ended.event[is_later])
    if not events:
        return None
    event = np.concatenate(events)
    together = {name: np.concatenate(parts) for name, parts in judged.items()}
    scores = {name: brier(forecast, event) for name, forecast in together.items()}
    losses = {name: log_loss(forecast, event) for name, forecast in together.items()}
    won = scores["calibrated"] < min(scores["raw"], scores["base_rate"])
    return Verdict(event.size, len(events), scores, losses, won)


def _folds(
    ended: Ended, embargo: np.timedelta64
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield what was known, and what was made later, for each part that can be judged."""
    known = np.sort(ended.known)
    if known.size < 2 * FEWEST:
        return
    later = np.sort(ended.made[ended.made >= known[FEWEST - 1] + embargo])
    if later.size < FOLDS:
        return
    starts = later[np.linspace(0, later.size, FOLDS, endpoint=False).astype(int)]
    ends = [*starts[1:], later[-1] + np.timedelta64(1, "us")]
    for start, end in zip(starts, ends, strict=True):
        is_past = known_before(ended, start, embargo)
        is_later = (ended.made >= start) & (ended.made < end)
        if is_later.any() and 0 < ended.event[is_past].sum() < is_past.sum():
            yield is_past, is_later
