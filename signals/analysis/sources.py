"""How sources voted on signals or bars: with the winner or against it, and how alike they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.analysis.calibration.scores import calibration_figures
from signals.analysis.figure import Figure, figure, undefined
from signals.analysis.intervals import FEWEST

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NUMBERS = {"BUY": 1.0, "NEUTRAL": 0.0, "SELL": -1.0}
"""How a direction is counted."""
OF_PAIRS = ("vote_agreement", "vote_correlation")
CONSTANT = "one of the two always voted the same"


@dataclass(frozen=True)
class Votes:
    """The votes on signals: a row for each source, a column for each signal.

    Attributes:
        sources: their names.
        side: of each signal, 1 for BUY and -1 for SELL; shape (n,).
        direction: 1 for BUY, 0 for NEUTRAL, -1 for SELL, NaN without a vote; shape (k, n).
        confidence: of each vote, from 0 to 1; NaN without a vote; shape (k, n).
        was_asked: whether the source was asked for its vote; shape (k, n).
    """

    sources: Sequence[str]
    side: Floats
    direction: Floats
    confidence: Floats
    was_asked: Mask


class Voted(NamedTuple):
    """How often a source voted on signals; `asked` is the sum of the other four."""

    asked: int
    with_winner: int
    neutral: int
    against: int
    abstained: int


class Pair(NamedTuple):
    """How alike two sources vote."""

    first: str
    second: str
    agreement: Figure
    correlation: Figure

    def as_json(self) -> dict[str, Any]:
        """Return the pair as the API and the report give it."""
        figures = {"agreement": self.agreement, "correlation": self.correlation}
        return self._asdict() | {name: each.as_json() for name, each in figures.items()}


def voted(votes: Votes) -> dict[str, Voted]:
    """Return how often each source voted, and how."""
    found = {}
    for name, direction, asked in zip(votes.sources, votes.direction, votes.was_asked, strict=True):
        with_winner, neutral = int((direction == votes.side).sum()), int((direction == 0).sum())
        against, total = int((direction == -votes.side).sum()), int(asked.sum())
        abstained = total - with_winner - neutral - against
        found[name] = Voted(total, with_winner, neutral, against, abstained)
    return found


def pairs(sources: Sequence[str], direction: Floats) -> list[Pair]:
    """Return the agreement and the correlation of every two sources.

    `direction` has the votes on signals or on bars, as in `Votes`.
    """
    return [
        _pair(one, other, direction[first], direction[second])
        for (first, one), (second, other) in combinations(enumerate(sources), 2)
    ]


def _pair(first: str, second: str, one: Floats, other: Floats) -> Pair:
    both = ~(np.isnan(one) | np.isnan(other))
    n = int(both.sum())
    if n < FEWEST:
        return Pair(first, second, *(undefined(name, n) for name in OF_PAIRS))
    one, other = one[both], other[both]
    agreement = figure("vote_agreement", float((one == other).mean()), n)
    correlation = figure("vote_correlation", _correlation(one, other), n, because=CONSTANT)
    return Pair(first, second, agreement, correlation)


def _correlation(one: Floats, other: Floats) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def calibrations(votes: Votes, event: Floats) -> dict[str, dict[str, Figure]]:
    """Return how true the confidence of each source is, by its votes for the signals' side.

    `event` has shape (n,): 1 if the signal reached its target before its stop within the expiry,
    0 if not, NaN if it has not ended.
    """
    found = {}
    rows = zip(votes.sources, votes.direction, votes.confidence, strict=True)
    for name, direction, confidence in rows:
        counted = (direction == votes.side) & ~np.isnan(event)
        found[name] = calibration_figures(confidence[counted], event[counted])
    return found
