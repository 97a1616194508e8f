"""Forecasts whose events follow from them in a known way."""

import numpy as np
from numpy.typing import NDArray

from signals.calibration.maps import Sigmoid

Floats = NDArray[np.float64]


def forecasts(
    n: int, *, slope: float = 1.0, offset: float = 0.0, seed: int = 3
) -> tuple[Floats, Floats]:
    """Return confidences and events; the events' log odds are slope x the confidences' + offset."""
    chance = np.random.default_rng(seed)
    confidence = chance.uniform(0.05, 0.95, n)
    truth = Sigmoid(slope, offset)(confidence)
    return confidence, (chance.uniform(size=n) < truth).astype(float)
