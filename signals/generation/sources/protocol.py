"""What every source of votes is."""

from collections.abc import Mapping
from typing import Protocol

from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars


class Source(Protocol):
    """A pure function of the bars up to now.

    It is handed a window whose last bar is the current one, and looks at nothing else; it keeps no
    state, so the same window always gets the same vote. None means that it abstains, for instance
    because the bars are too few. Its cost must not grow with the length of the window.
    """

    def __call__(self, bars: Bars, /) -> Vote | None: ...


def graded(value: float, threshold: float, sure: float) -> float:
    """A confidence: 50 where `value` only just meets the rule's threshold, 100 at `sure` and past
    it, in proportion between them."""
    share = (value - threshold) / (sure - threshold)
    return 50.0 + 50.0 * min(1.0, max(0.0, share))


def agreed(first: float, second: float, confidence: float, figures: Mapping[str, float]) -> Vote:
    """BUY where both figures are above 0, SELL where both are below, and else NEUTRAL with the
    confidence 50."""
    if first > 0 and second > 0:
        return Vote(Direction.BUY, confidence, figures)
    if first < 0 and second < 0:
        return Vote(Direction.SELL, confidence, figures)
    return Vote(Direction.NEUTRAL, 50.0, figures)
