"""From many votes to one candidate, or to none."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from signals.generation.candidate import Candidate
from signals.generation.sources.protocol import Source
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bar, Bars


class Consensus(Protocol):
    """A pure function of the current bar and the votes on it; None means that nothing is proposed.

    `name` is the strategy of the signals that come of it.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, bar: Bar, votes: Sequence[Vote], /) -> Candidate | None: ...


@dataclass(frozen=True, slots=True)
class WeightedConsensus:
    """The direction with the most weight behind it wins.

    `weights` gives each source's weight by its name. NEUTRAL takes part like any direction; where
    it wins, where the two heaviest weigh the same, and where nobody votes, nothing is proposed.

        agreement  = weight of the winning votes / weight of all votes            (0 to 1)
        confidence = agreement x weighted mean of the winning votes' confidences  (0 to 100)

    The confidence rises with the agreement and with the confidence of each winning vote, and never
    exceeds either 100 x agreement or the surest winning vote. Entry is the bar's close; `target`
    and `stop` are its distances as fractions of the entry, mirrored for SELL.

    Raises `ValueError` for a weight that is not finite and above 0, for distances not within 0 to
    1, and for a vote of a source without weight.
    """

    weights: Mapping[str, float]
    target: float = 0.05
    stop: float = 0.03
    name: str = "weighted_consensus"

    def __post_init__(self) -> None:
        for source, weight in self.weights.items():
            if not (math.isfinite(weight) and weight > 0):
                raise ValueError(f"the weight of {source} is {weight}, not a number above 0")
        for name, distance in (("target", self.target), ("stop", self.stop)):
            if not 0 < distance < 1:
                raise ValueError(f"{name}={distance}: it takes a fraction between 0 and 1")

    def __call__(self, bar: Bar, votes: Sequence[Vote], /) -> Candidate | None:
        winner = _winner({way: self._weight(_for(votes, way)) for way in Direction})
        if winner is None or winner is Direction.NEUTRAL:
            return None
        agreement = self._weight(_for(votes, winner)) / self._weight(votes)
        confidence = self._confidence(_for(votes, winner), self._weight(votes))
        return self._candidate(bar, winner, agreement, confidence, tuple(votes))

    def _weight(self, votes: Iterable[Vote]) -> float:
        return math.fsum(self._weight_of(vote.source) for vote in votes)

    def _weight_of(self, source: str) -> float:
        try:
            return self.weights[source]
        except KeyError:
            known = ", ".join(self.weights)
            raise ValueError(f"no weight for {source!r}; there are weights for: {known}") from None

    def _confidence(self, winning: Iterable[Vote], voting_weight: float) -> float:
        """The formula above with the winning weight cancelled out."""
        sure = math.fsum(self._weight_of(vote.source) * vote.confidence for vote in winning)
        return min(100.0, sure / voting_weight)  # float noise must not make more than 100 of it

    def _candidate(
        self,
        bar: Bar,
        action: Direction,
        agreement: float,
        confidence: float,
        votes: tuple[Vote, ...],
    ) -> Candidate:
        sign = 1 if action is Direction.BUY else -1
        return Candidate(
            symbol=bar.symbol,
            time=bar.time,
            action=action,
            entry=bar.close,
            target=bar.close * (1 + sign * self.target),
            stop=bar.close * (1 - sign * self.stop),
            confidence=confidence,
            agreement=agreement,
            regime=None,
            reasoning=_reasoning(action, agreement, confidence, votes),
            votes=votes,
        )


def propose(bars: Bars, sources: Iterable[Source], consensus: Consensus) -> Candidate | None:
    """Ask every source about the last bar of the window, and the consensus about their votes."""
    votes = [vote for source in sources if (vote := source(bars)) is not None]
    return consensus(bars.bar(-1), votes)


def _for(votes: Iterable[Vote], direction: Direction) -> list[Vote]:
    return [vote for vote in votes if vote.direction is direction]


def _winner(weights: Mapping[Direction, float]) -> Direction | None:
    """The heaviest direction; None for a tie, which float noise in the sums must not decide."""
    second, first = sorted(weights, key=weights.__getitem__)[-2:]
    return None if math.isclose(weights[first], weights[second]) else first


def _reasoning(
    action: Direction, agreement: float, confidence: float, votes: tuple[Vote, ...]
) -> str:
    voices = "; ".join(map(str, votes))
    return f"{action} at {confidence:.1f}% with {agreement:.0%} agreement: {voices}."
