"""Maps from the raw confidence to a calibrated one, fitted on signals that have ended."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

ENOUGH_FOR_ISOTONIC = 1000
"""Outcomes from which a free shape is better than a sigmoid (Niculescu-Mizil and Caruana, 2005)."""
TINY = 1e-6

Floats = NDArray[np.float64]


class Map(Protocol):
    """Turns confidences into calibrated ones."""

    def __call__(self, confidence: Floats) -> Floats:
        """Return the calibrated confidences, of the same shape."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the map from."""
        ...


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + exp(-(slope x log odds + offset))): Platt's scaling on the log odds."""

    slope: float
    offset: float

    def __call__(self, confidence: Floats) -> Floats:
        """Return the calibrated confidences."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * _log_odds(confidence) + self.offset))))

    def as_json(self) -> dict[str, Any]:
        """Return the kind and the two numbers."""
        return {"kind": "sigmoid", "slope": self.slope, "offset": self.offset}


@dataclass(frozen=True)
class Isotonic:
    """A rising line through these points; level outside them."""

    confidence: tuple[float, ...]
    calibrated: tuple[float, ...]

    def __call__(self, confidence: Floats) -> Floats:
        """Return the calibrated confidences."""
        return np.asarray(np.interp(confidence, self.confidence, self.calibrated))

    def as_json(self) -> dict[str, Any]:
        """Return the kind and the points."""
        points = [list(pair) for pair in zip(self.confidence, self.calibrated, strict=True)]
        return {"kind": "isotonic", "points": points}


@dataclass(frozen=True)
class BaseRate:
    """The same confidence for all: the share of events so far."""

    share: float

    def __call__(self, confidence: Floats) -> Floats:
        """Return the share for each."""
        return np.full(confidence.shape, self.share)

    def as_json(self) -> dict[str, Any]:
        """Return the kind and the share."""
        return {"kind": "base_rate", "share": self.share}


def fit(confidence: Floats, event: Floats) -> Map:
    """Fit a sigmoid below 1,000 outcomes, and an isotonic map above.

    Raises ValueError if all outcomes are alike, which no sigmoid fits.
    """
    if confidence.size >= ENOUGH_FOR_ISOTONIC:
        return fit_isotonic(confidence, event)
    return fit_sigmoid(confidence, event)


def fit_sigmoid(confidence: Floats, event: Floats) -> Sigmoid:
    """Return the sigmoid of the least logarithmic loss, on Platt's smoothed targets (1999).

    Raises ValueError if all outcomes are alike.
    """
    happened = float(event.sum())
    missed = event.size - happened
    if not happened or not missed:
        raise ValueError("All outcomes are alike: there is nothing to calibrate on.")
    target = np.where(event == 1, (happened + 1) / (happened + 2), 1 / (missed + 2))
    odds = _log_odds(confidence)

    def loss(values: Floats) -> tuple[float, Floats]:
        logit = values[0] * odds + values[1]
        off = 1 / (1 + np.exp(-logit)) - target
        total = np.logaddexp(0, logit) - target * logit
        return float(total.sum()), np.array([(off * odds).sum(), off.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-8})
    return Sigmoid(float(found.x[0]), float(found.x[1]))


def fit_isotonic(confidence: Floats, event: Floats) -> Isotonic:
    """Return the rising map of the least squared error (pool adjacent violators)."""
    distinct, place, weight = np.unique(confidence, return_inverse=True, return_counts=True)
    share = np.bincount(place, event) / weight
    fitted = isotonic_regression(share, weights=weight.astype(float)).x
    kept = _corners(fitted)
    return Isotonic(tuple(distinct[kept].tolist()), tuple(fitted[kept].tolist()))


def from_json(stored: dict[str, Any]) -> Map:
    """Return the map that `as_json` described. Raises ValueError for another kind."""
    match stored:
        case {"kind": "sigmoid", "slope": slope, "offset": offset}:
            return Sigmoid(float(slope), float(offset))
        case {"kind": "isotonic", "points": points}:
            confidence, calibrated = zip(*points, strict=True)
            return Isotonic(tuple(confidence), tuple(calibrated))
        case {"kind": "base_rate", "share": share}:
            return BaseRate(float(share))
    raise ValueError(f"{stored.get('kind')!r} is no kind of calibration")


def _log_odds(confidence: Floats) -> Floats:
    kept = np.clip(confidence, TINY, 1 - TINY)
    return np.asarray(np.log(kept / (1 - kept)))


def _corners(fitted: Floats) -> NDArray[np.bool_]:
    """Return which points are needed: the first and the last of each level stretch."""
    differs = np.diff(fitted) != 0
    return np.asarray(np.concatenate([[True], differs]) | np.concatenate([differs, [True]]))
