"""A candidate: what the consensus proposes, before validation."""

from dataclasses import dataclass
from datetime import datetime

from signals.generation.votes import Direction, Vote


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trade proposed at the close of the bar at `time` (UTC).

    `action` is BUY or SELL. Prices are unrounded, in the currency of the bars. `confidence` is 0 to
    100, `agreement` 0 to 1, `regime` the market's where it is known, `reasoning` a sentence made of
    the votes.
    """

    symbol: str
    time: datetime
    action: Direction
    entry: float
    target: float
    stop: float
    confidence: float
    agreement: float
    regime: str | None
    reasoning: str
    votes: tuple[Vote, ...]

    def as_signal(self, *, strategy: str, asset_type: str) -> dict[str, object]:
        """The signal that the tracker takes, with the keys of the seed's table and context."""
        return {
            "symbol": self.symbol,
            "action": str(self.action),
            "entry_price": self.entry,
            "target_price": self.target,
            "stop_price": self.stop,
            "confidence": self.confidence,
            "strategy": strategy,
            "asset_type": asset_type,
            "data_source": strategy,
            "timestamp": self.time,
            "regime": self.regime,
            "reasoning": self.reasoning,
            "sources": len(self.votes),
            "agreement": self.agreement,
            "votes": [vote.as_dict() for vote in self.votes],
        }
