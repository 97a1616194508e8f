"""What a walk through the past must know of one symbol to judge its next candidate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from signals.generation.candidate import Candidate
from signals.generation.candidates import Judged
from signals.generation.pipeline import Opinion, SignalPipeline
from signals.generation.validation import EarlierSignal, Reason, Situation
from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.market.hours import TradingHours
from signals.market.instruments import Instrument
from signals.market.protocol import Quote

SideAndBar = tuple[Direction, datetime]
"""The side of a signal, and the close of the bar that it was made on."""


@dataclass(slots=True)
class SymbolState:
    """A symbol's constants during a walk, and its newest signal of each side.

    `stored` are the ids of signals that its bars already have.
    """

    instrument: Instrument
    hours: TradingHours
    stored: Mapping[SideAndBar, str] = field(default_factory=dict)
    earlier: dict[Direction, datetime] = field(default_factory=dict)

    @classmethod
    def before(
        cls, pipeline: SignalPipeline, bars: Bars, stored: Mapping[SideAndBar, str] | None = None
    ) -> Self:
        """Return the state of the bars' symbol before the first signal."""
        wanted = pipeline.instrument(bars.symbol)
        return cls(wanted, pipeline.hours(wanted, bars), stored or {})

    def judged(self, pipeline: SignalPipeline, opinion: Opinion, bars: Bars) -> Judged | None:
        """Return the opinion's candidate at the close of the last bar, validated; None if it
        proposes nothing."""
        if opinion.verdict is None:
            return None
        now = bars.time_at(-1)
        quote = Quote(float(bars.close[-1]), now)
        candidate = pipeline.candidate(opinion, bars, quote, now, self.instrument)
        if candidate is None:
            return None
        earlier = [EarlierSignal(action, moment) for action, moment in self.earlier.items()]
        situation = Situation(candidate, bars, quote, self.hours, earlier)
        return Judged(candidate, pipeline.validation.reasons(situation))

    def made(self, candidate: Candidate) -> None:
        """Start the symbol's cooldown, because the candidate has become a signal."""
        self.earlier[candidate.action] = candidate.bar_time

    def other_signal(self, judged: Judged, signal_id: Callable[[], str]) -> Reason | None:
        """Return the reason to reject if the bar already has another signal of this side.

        That signal starts the symbol's cooldown, as this one would have. `signal_id` returns the id
        that this one would get.
        """
        candidate = judged.candidate
        existing = self.stored.get((candidate.action, candidate.bar_time))
        if existing is None or existing == signal_id():
            return None
        self.made(candidate)
        return Reason("bar", f"the bar already has a signal of this side: {existing}")
