"""A candidate: a trade that the consensus proposes, before validation."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from signals.generation.consensus import Verdict
from signals.generation.regime import Regime
from signals.generation.votes import Direction, SourceVote
from signals.ledger.records import CALIBRATED
from signals.ledger.validation import LONGEST_TEXT
from signals.timestamps import utc_text


@dataclass(frozen=True)
class Candidate:
    """A trade proposed on a bar.

    `bar_time` is when the last bar that the sources saw closed, and `made_at` is the market's time
    when the candidate was made (both UTC). Prices are in the currency of the bars: the entry as it
    was quoted, target and stop rounded to the instrument's ticks.
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
    votes: tuple[SourceVote, ...]

    @property
    def action(self) -> Direction:
        """Return BUY or SELL."""
        return self.verdict.action

    @property
    def confidence(self) -> float:
        """Return the final confidence, 0 to 100."""
        return self.verdict.confidence

    @cached_property
    def reasoning(self) -> str:
        """Return the votes as a sentence, cut to the length that a signal can hold."""
        said = "; ".join(str(vote) for vote in self.votes if vote.vote)
        sentence = (
            f"{self.action} at {self.confidence:.1f}%{self._calibrated_from()} with "
            f"{self.verdict.agreement:.0%} agreement, regime {self.regime}: {said}."
        )
        return sentence[:LONGEST_TEXT]

    def _calibrated_from(self) -> str:
        raw, version = self.verdict.raw_confidence, self.verdict.calibration_version
        return "" if raw is None else f" (raw {raw:.1f}%, calibration {version})"

    def as_signal(self) -> dict[str, object]:
        """Return the signal for the tracker, with the columns of the signal and its context."""
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
            "sources": sum(vote.vote is not None for vote in self.votes),
            "agreement": self.verdict.agreement,
            "votes": [vote.as_dict() for vote in self.votes],
        } | self._calibration()

    def _calibration(self) -> dict[str, object]:
        """Return the columns that only a calibrated signal has."""
        if self.verdict.raw_confidence is None:
            return {}
        return {name: getattr(self.verdict, name) for name in CALIBRATED}
