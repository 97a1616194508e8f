"""How good a confidence is as a probability."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from signals.analysis.calibration.bins import Bins
from signals.analysis.figure import Figure, Interval, figure, undefined
from signals.analysis.intervals import of_mean

Floats = NDArray[np.float64]
NAMES = ("brier", "brier_skill", "reliability", "resolution", "uncertainty", "log_loss", "ece")

_WHY = {
    "log_loss": "a confidence of exactly 0 or 100 was wrong, which costs without limit",
    "brier_skill": "all signals ended alike",
}
"""Why a figure is undefined although signals have ended."""


def calibration_figures(confidence: Floats, event: Floats) -> dict[str, Figure]:
    """Return all figures; undefined without a forecast.

    Brier score = reliability - resolution + uncertainty, exactly. The two scores that are means
    have a normal interval, from 30 signals on.
    """
    n = int(confidence.size)
    if n == 0:
        return {name: undefined(name, 0, "no signal has ended") for name in NAMES}
    bins = Bins(confidence, event)
    values = murphy(bins) | {
        "brier": brier(confidence, event),
        "log_loss": log_loss(confidence, event),
        "ece": calibration_error(bins),
    }
    values["brier_skill"] = _skill(values["brier"], values["uncertainty"])
    spans = {"brier": of_mean(_squares(confidence, event)), "log_loss": _of_loss(confidence, event)}
    return {
        name: figure(name, values[name], n, interval=spans.get(name), because=_WHY.get(name))
        for name in NAMES
    }


def brier(confidence: Floats, event: Floats) -> float:
    """Return the mean squared difference."""
    return float(_squares(confidence, event).mean())


def murphy(bins: Bins) -> dict[str, float]:
    """Return reliability, resolution and uncertainty."""
    weight = bins.n / bins.n.sum()
    base = float((weight * bins.share).sum())
    between = float((weight * (bins.share - base) ** 2).sum())
    return {
        "reliability": float((weight * (bins.confidence - bins.share) ** 2).sum()),
        "resolution": between - bins.within(),
        "uncertainty": base * (1 - base),
    }


def log_loss(confidence: Floats, event: Floats) -> float:
    """Return the mean logarithmic loss; NaN if something happened that was given probability 0."""
    given = _given(confidence, event)
    return float(-np.log(given).mean()) if (given > 0).all() else math.nan


def calibration_error(bins: Bins) -> float:
    """Return the mean distance between confidence and share, less what chance adds; at least 0.

    A share of n events has the standard error s = sqrt(share (1 - share) / n), so that the distance
    d of a true confidence has the mean of a folded normal distribution; the excess of that mean
    over d is taken off (Kumar, Liang and Ma, 2019, section 4.2, with its draws replaced by their
    mean).
    """
    distance = np.abs(bins.confidence - bins.share)
    error = np.sqrt(bins.share * (1 - bins.share) / bins.n)
    expected = distance.copy()
    some = error > 0
    d, s = distance[some], error[some]
    expected[some] = s * math.sqrt(2 / math.pi) * np.exp(-(d**2) / (2 * s**2)) + d * (
        1 - 2 * norm.cdf(-d / s)
    )
    weight = bins.n / bins.n.sum()
    return max(0.0, float((weight * (2 * distance - expected)).sum()))


def _squares(confidence: Floats, event: Floats) -> Floats:
    return (confidence - event) ** 2


def _given(confidence: Floats, event: Floats) -> Floats:
    """Return the probability that was given to what happened."""
    return np.where(event == 1, confidence, 1 - confidence)


def _of_loss(confidence: Floats, event: Floats) -> Interval | None:
    given = _given(confidence, event)
    return of_mean(-np.log(given)) if (given > 0).all() else None


def _skill(score: float, uncertainty: float) -> float:
    return 1 - score / uncertainty if uncertainty > 0 else math.nan
