"""Confidences in bins, beside the share of events in each."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.analysis.figure import Interval
from signals.analysis.intervals import of_share

BINS = 10
FEWEST_IN_BIN = 30

Floats = NDArray[np.float64]


class Bin(NamedTuple):
    """A bin of confidences from `low` to `high`, both included."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean of the confidences."""
    share: float
    """Share of events."""
    interval: Interval | None


class Bins:
    """Forecasts in at most ten bins of about the same number; equal confidences stay together.

    Attributes:
        n, confidence, share: for each bin its number, mean confidence and share of events.
        number: for each forecast, in the order in which they were given, the number of its bin.
    """

    def __init__(self, confidence: Floats, event: Floats) -> None:
        _check(confidence, event)
        self._confidence, self._event = confidence, event
        self.number = _numbers(confidence)
        self.n = np.bincount(self.number).astype(float)
        self.confidence = np.bincount(self.number, confidence) / self.n
        self.share = np.bincount(self.number, event) / self.n

    def within(self) -> float:
        """Return what the spread within bins adds to the Brier score.

        The variance of the confidences less twice their covariance with the events (Stephenson,
        Coelho and Jolliffe, 2008, equation 5): 0 if each bin has one confidence.
        """
        spread = self._confidence - self.confidence[self.number]
        surprise = self._event - self.share[self.number]
        return float((spread**2 - 2 * spread * surprise).mean())

    def rows(self) -> list[Bin]:
        """Return the bins, lowest confidence first."""
        found = []
        for number in range(self.n.size):
            chosen = self._confidence[self.number == number]
            n, share = int(self.n[number]), float(self.share[number])
            found.append(
                Bin(
                    float(chosen.min()),
                    float(chosen.max()),
                    n,
                    float(self.confidence[number]),
                    share,
                    of_share(round(share * n), n),
                )
            )
        return found


def _check(confidence: Floats, event: Floats) -> None:
    if confidence.shape != event.shape or not confidence.size:
        raise ValueError("confidence and event must have the same length, one or more")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("a confidence lies between 0 and 1")
    if not np.isin(event, (0.0, 1.0)).all():
        raise ValueError("an event is 0 or 1")


def _numbers(confidence: Floats) -> NDArray[np.int64]:
    """Return the bin of each confidence: each distinct one if there are few, else quantiles."""
    distinct, place = np.unique(confidence, return_inverse=True)
    if distinct.size <= BINS:
        return place.astype(np.int64)
    bins = int(np.clip(confidence.size // FEWEST_IN_BIN, 1, BINS))
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])
    wanted = np.searchsorted(edges, confidence, side="right")
    return np.unique(wanted, return_inverse=True)[1].astype(np.int64)
