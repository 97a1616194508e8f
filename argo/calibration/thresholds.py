"""What a calibration does to the signals that pass the least confidence."""

from typing import NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEP = 0.01
"""Of the proposed threshold, in points of 0 to 100."""


class Passing(NamedTuple):
    """How many past signals pass a least confidence, from 0 to 100.

    `proposed` is the least calibrated confidence that lets at least as many pass as the raw ones
    do now, and `proposed_passes` how many it lets pass; None if none pass now.
    """

    n: int
    least: float
    raw_passes: int
    calibrated_passes: int
    proposed: float | None
    proposed_passes: int | None


def passing(raw: Floats, calibrated: Floats, least: float) -> Passing:
    """Compare raw and calibrated confidences, both from 0 to 1, with the least confidence."""
    passes = int((raw * 100 >= least).sum())
    found = Passing(raw.size, least, passes, int((calibrated * 100 >= least).sum()), None, None)
    if not passes:
        return found
    last = np.sort(calibrated)[-passes] * 100
    proposed = round(float(np.floor(last / STEP)) * STEP, 2)
    through = int((calibrated * 100 >= proposed).sum())
    return found._replace(proposed=proposed, proposed_passes=through)


def least_confidence(strategy: str) -> float:
    """Return the strictest least confidence of the settings that holds in every regime."""
    by_strategy: float = settings.MIN_CONFIDENCE_BY_STRATEGY.get(strategy, 0.0)
    return max(settings.MIN_CONFIDENCE, settings.PROP_FIRM_MIN_CONFIDENCE, by_strategy)
