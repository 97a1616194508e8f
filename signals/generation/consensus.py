"""The consensus: one direction from many votes, or no direction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from signals.calibration.calibration import Calibration
from signals.generation.regime import Regime
from signals.generation.votes import Direction, SourceVote

NAME = "weighted_consensus"


class Verdict(NamedTuple):
    """The result of the votes: BUY or SELL, agreement 0 to 1, confidence 0 to 100.

    If the confidence was calibrated, `raw_confidence` is the one before, and `calibration_version`
    says by which calibration.
    """

    action: Direction
    agreement: float
    confidence: float
    raw_confidence: float | None = None
    calibration_version: int | None = None

    def calibrated(self, calibration: Calibration) -> "Verdict":
        """Return the verdict with the calibrated confidence, and with the raw one beside it."""
        return self._replace(
            confidence=calibration(self.confidence),
            raw_confidence=self.confidence,
            calibration_version=calibration.version,
        )


@dataclass(frozen=True, slots=True)
class WeightedConsensus:
    """A weighted vote: the direction with the most weight wins.

    Sources that abstain are not counted. NEUTRAL is counted like any direction. There is no
    verdict if NEUTRAL wins, if the two heaviest directions have the same weight, or if fewer than
    `least` sources voted for the winner.

        agreement  = weight of the winning votes / weight of all votes           (0 to 1)
        certainty  = weighted mean of the winning votes' confidences             (0 to 100)
        confidence = factor of the regime x sqrt(agreement) x certainty          (0 to 100)

    The confidence rises with the agreement and with the confidence of each winning vote. Because
    of the square root, a light vote against the winner costs less than its share. `factors` are
    above 0 and at most 1; the factor is 1 for a regime without one. The certainty is Stone's
    linear opinion pool ("The Opinion Pool", Annals of Mathematical Statistics 32(4), 1961) over
    the winning votes.

    Raises `ValueError` if a factor is out of range or `least` is below 1.
    """

    least: int = 2
    factors: Mapping[Regime, float] = field(default_factory=dict)
    name: str = NAME

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError(f"least={self.least}: it must be 1 or more")
        for regime, factor in self.factors.items():
            if not 0 < factor <= 1:
                raise ValueError(f"{regime}={factor}: it must be above 0 and at most 1")

    def __call__(self, votes: Sequence[SourceVote], regime: Regime) -> Verdict | None:
        """Return the verdict on these votes in this regime; None if no direction wins."""
        cast = [(each.vote, each.weight) for each in votes if each.vote and each.weight > 0]
        weights = dict.fromkeys(Direction, 0.0)
        for vote, weight in cast:
            weights[vote.direction] += weight
        winner = _winner(weights)
        winning = [each for each in cast if each[0].direction is winner]
        if winner is None or winner is Direction.NEUTRAL or len(winning) < self.least:
            return None
        agreement = weights[winner] / sum(weights.values())
        certainty = sum(vote.confidence * weight for vote, weight in winning) / weights[winner]
        confidence = self.factors.get(regime, 1.0) * math.sqrt(agreement) * certainty
        return Verdict(winner, agreement, min(100.0, confidence))  # rounding may exceed 100


def _winner(weights: Mapping[Direction, float]) -> Direction | None:
    """Return the heaviest direction; None for a tie, rounding errors of the sums ignored."""
    second, first = sorted(weights, key=weights.__getitem__)[-2:]
    return None if math.isclose(weights[first], weights[second]) else first
