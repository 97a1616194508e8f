"""Which candidates become signals."""

from dataclasses import dataclass

from signals.generation.candidate import Candidate
from signals.market.bars import Bars


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets a candidate pass that is sure enough and says something new.

    Sure enough: its final confidence is at least `min_confidence` (0 to 100). New: there is a bar
    after the symbol's last signal, and either the action is another one, or `cooldown` bars have
    passed. The cooldown of ten bars is how long the fixed-length rule of Brock, Lakonishok and
    LeBaron (1992) ignores further signals after one.

    Raises `ValueError` for a confidence that is not within 0 to 100 or a cooldown below 1.
    """

    min_confidence: float
    cooldown: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 100:
            raise ValueError(f"min_confidence={self.min_confidence} is not within 0 to 100")
        if self.cooldown < 1:
            raise ValueError(f"cooldown={self.cooldown}: it takes 1 bar or more")

    def passes(self, candidate: Candidate, last: Candidate | None, bars: Bars) -> bool:
        """Whether `candidate`, made of `bars`, becomes a signal after the signal `last`."""
        if candidate.confidence < self.min_confidence:
            return False
        return last is None or self._is_new(candidate, last, bars)

    def _is_new(self, candidate: Candidate, last: Candidate, bars: Bars) -> bool:
        if candidate.time <= last.time:
            return False
        return candidate.action != last.action or self._cooled_down(last, bars)

    def _cooled_down(self, last: Candidate, bars: Bars) -> bool:
        if len(bars) <= self.cooldown:
            return False
        return bars.time_at(-1 - self.cooldown) >= last.time
