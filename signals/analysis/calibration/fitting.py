"""Fits maps from the raw confidence to a calibrated one, on signals that have ended."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

from signals.calibration.maps import Isotonic, Map, Sigmoid, log_odds

ENOUGH_FOR_ISOTONIC = 1000
"""Outcomes from which a free shape is better than a sigmoid (Niculescu-Mizil and Caruana, 2005)."""

Floats = NDArray[np.float64]


def fit(confidence: Floats, event: Floats) -> Map:
    """Fit a sigmoid below 1,000 outcomes, and an isotonic map above.

    Raises ValueError if all outcomes are alike, which no sigmoid fits.
    """
    if confidence.size >= ENOUGH_FOR_ISOTONIC:
        return _never_certain(fit_isotonic(confidence, event), confidence.size)
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
    odds = log_odds(confidence)

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


def _never_certain(fitted: Isotonic, n: int) -> Isotonic:
    """Keep the map between 1 / (n + 2) and 1 less that: n outcomes cannot show a certainty.

    That is Laplace's rule of succession for an event that never, or always, happened.
    """
    least = 1 / (n + 2)
    return replace(fitted, calibrated=tuple(np.clip(fitted.calibrated, least, 1 - least).tolist()))


def _corners(fitted: Floats) -> NDArray[np.bool_]:
    """Return which points are needed: the first and the last of each level stretch."""
    differs = np.diff(fitted) != 0
    return np.asarray(np.concatenate([[True], differs]) | np.concatenate([differs, [True]]))
