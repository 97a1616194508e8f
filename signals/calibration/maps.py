"""Maps from the raw confidence to a calibrated one; both are from 0 to 1."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(confidence) + self.offset))))

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


def log_odds(confidence: Floats) -> Floats:
    """Return ln(p / (1 - p)); 0 and 1 are taken for a millionth from the end."""
    kept = np.clip(confidence, TINY, 1 - TINY)
    return np.asarray(np.log(kept / (1 - kept)))
