"""A candidate: what the consensus proposes, before validation."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from signals.generation.consensus import Verdict
from signals.generation.regime import Regime
from signals.generation.votes import Ballot, Direction
from signals.ledger.validation import LONGEST_TEXT
from signals.timestamps import utc_text


@dataclass(frozen=True)
class Candidate:
    """A trade proposed on a bar.

    `bar_time` is when the bar closed that the sources saw, `made_at` the market's time then (both
    UTC). Prices are in the currency of the bars: the entry as it was quoted, target and stop at
    the instrument's ticks. `verdict` is the consensus' own.
    """

    symbol: str
    asset_type: str
    strategy: str
    bar_time: datetime
    made_at: datetime
    entry: float
    target: float
    stop: float
    regime: Regime
    verdict: Verdict
    ballots: tuple[Ballot, ...]

    @property
    def action(self) -> Direction:
        """BUY or SELL."""
        return self.verdict.action

    @property
    def confidence(self) -> float:
        """The final one, 0 to 100."""
        return self.verdict.confidence

    @cached_property
    def reasoning(self) -> str:
        """A sentence made of the votes, as far as a signal can hold it."""
        said = "; ".join(str(ballot) for ballot in self.ballots if ballot.vote)
        sentence = (
            f"{self.action} at {self.confidence:.1f}% with {self.verdict.agreement:.0%} agreement, "
            f"regime {self.regime}: {said}."
        )
        return sentence[:LONGEST_TEXT]

    def as_signal(self) -> dict[str, object]:
        """The signal that the tracker takes, with the keys of the seed's table and context."""
        return {
            "symbol": self.symbol,
            "action": str(self.action),
            "entry_price": self.entry,
            "target_price": self.target,
            "stop_price": self.stop,
            "confidence": self.confidence,
            "strategy": self.strategy,
            "asset_type": self.asset_type,
            "data_source": self.strategy,
            "timestamp": utc_text(self.made_at),
            "regime": str(self.regime),
            "reasoning": self.reasoning,
            "sources": sum(ballot.vote is not None for ballot in self.ballots),
            "agreement": self.verdict.agreement,
            "votes": [ballot.as_dict() for ballot in self.ballots],
        }
