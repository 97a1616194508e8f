"""A calibration as it is applied to the confidence of a verdict."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from signals.calibration.maps import Map


@dataclass(frozen=True, slots=True)
class Calibration:
    """A stored version of a map.

    `known_until` is when the last outcome that it was fitted on was known (UTC).
    """

    version: int
    map: Map
    known_until: datetime

    def __call__(self, confidence: float) -> float:
        """Return the calibrated confidence; both are from 0 to 100."""
        return float(self.map(np.array([confidence / 100]))[0]) * 100
