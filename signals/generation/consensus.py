"""From many votes to one direction, or to none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from signals.generation.regime import Regime
from signals.generation.votes import Direction, SourceVote

NAME = "weighted_consensus"


class Verdict(NamedTuple):
    """What the votes come to: BUY or SELL, agreement 0 to 1, confidence 0 to 100."""

    action: Direction
    agreement: float
    confidence: float


@dataclass(frozen=True, slots=True)
class WeightedConsensus:
    """The direction with the most weight behind it wins.

    Sources that abstain count for nothing. NEUTRAL takes part like any direction; where it wins,
    where the two heaviest directions weigh the same, and where fewer than `least` sources voted for
    the winner, there is no verdict.

        agreement  = weight of the winning votes / weight of all votes           (0 to 1)
        certainty  = weighted mean of the winning votes' confidences             (0 to 100)
        confidence = factor of the regime x sqrt(agreement) x certainty          (0 to 100)

    The confidence rises with the agreement and with the confidence of each winning vote. The root
    lets one light dissenter cost less than its share. `factors` are above 0 and at most 1; a regime
    without one has 1. This linear opinion pool is Stone's, "The Opinion Pool", Annals of
    Mathematical Statistics 32(4), 1961, taken over those who agree.

    Raises `ValueError` for a factor outside of that and for `least` below 1.
    """

    least: int = 2
    factors: Mapping[Regime, float] = field(default_factory=dict)
    name: str = NAME

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError(f"least={self.least}: it takes 1 source or more")
        for regime, factor in self.factors.items():
            if not 0 < factor <= 1:
                raise ValueError(f"{regime}={factor}: it takes a number above 0, at most 1")

    def __call__(self, votes: Sequence[SourceVote], regime: Regime) -> Verdict | None:
        """The verdict on these votes in this regime; None where there is none."""
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
        return Verdict(winner, agreement, min(100.0, confidence))  # but for float noise it is less


def _winner(weights: Mapping[Direction, float]) -> Direction | None:
    """The heaviest direction; None for a tie, which float noise in the sums must not decide."""
    second, first = sorted(weights, key=weights.__getitem__)[-2:]
    return None if math.isclose(weights[first], weights[second]) else first
