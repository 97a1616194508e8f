"""What every source of votes is."""

from typing import Protocol

from signals.generation.votes import Vote
from signals.market.bars import Bars


class Source(Protocol):
    """A pure function of the bars up to now.

    It is handed a window whose last bar is the current one, so it cannot look ahead; it keeps no
    state, so the same window always gets the same vote. None means that it abstains, for instance
    because the bars are too few. Its cost must not grow with the length of the window.
    """

    def __call__(self, bars: Bars, /) -> Vote | None: ...
