"""The interface of a source of votes, and what the sources share."""

from collections.abc import Mapping
from typing import Protocol

from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars


class Source(Protocol):
    """A pure function of the bars up to now.

    It gets a window whose last bar is the current one, and uses nothing else. It keeps no state,
    so the same window always gets the same vote. It returns None to abstain, for example if there
    are too few bars. Its cost must not grow with the length of the window.
    """

    def __call__(self, bars: Bars, /) -> Vote | None: ...


def graded(value: float, threshold: float, certain: float) -> float:
    """Return a confidence: 50 at `threshold`, 100 at `certain` and beyond, linear in between."""
    share = (value - threshold) / (certain - threshold)
    return 50.0 + 50.0 * min(1.0, max(0.0, share))


def agreed(first: float, second: float, confidence: float, figures: Mapping[str, float]) -> Vote:
    """Return BUY if both figures are above 0, SELL if both are below, otherwise NEUTRAL at 50."""
    if first > 0 and second > 0:
        return Vote(Direction.BUY, confidence, figures)
    if first < 0 and second < 0:
        return Vote(Direction.SELL, confidence, figures)
    return Vote(Direction.NEUTRAL, 50.0, figures)
