"""How candidates are made: who votes, who decides, where target and stop are, what passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from signals.generation.candidate import Candidate
from signals.generation.consensus import Verdict, WeightedConsensus
from signals.generation.levels import Levels
from signals.generation.panel import Panel
from signals.generation.regime import Regime, regime_of
from signals.generation.validation import Validation
from signals.generation.votes import Ballot
from signals.market.bars import Bars
from signals.market.hours import TradingHours, hours_of
from signals.market.instruments import Instrument, instrument
from signals.market.protocol import Quote


class Opinion(NamedTuple):
    """What the sources make of the last bar; without a verdict nothing is proposed."""

    regime: Regime
    ballots: tuple[Ballot, ...]
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides on a signal, but the data. `ticks` are those set by hand."""

    panel: Panel
    consensus: WeightedConsensus
    levels: Levels
    validation: Validation
    exchange: str = "XNYS"
    ticks: Mapping[str, Decimal] = field(default_factory=dict)

    def instrument(self, symbol: str) -> Instrument:
        """What `symbol` names."""
        return instrument(symbol, self.ticks)

    def hours(self, wanted: Instrument) -> TradingHours:
        """When it trades."""
        return hours_of(wanted, self.exchange)

    def opinion(self, bars: Bars) -> Opinion:
        """Regime, votes and verdict at the last bar."""
        regime = regime_of(bars)
        ballots = self.panel.ballots(bars, regime)
        return Opinion(regime, ballots, self.consensus(ballots, regime))

    def candidate(
        self, opinion: Opinion, bars: Bars, quote: Quote | None, now: datetime, wanted: Instrument
    ) -> Candidate | None:
        """What the opinion proposes at the price of `quote`.

        Without a quote the last close stands for it, so that the candidate can be kept; it will be
        rejected. None where there is no verdict.
        """
        if opinion.verdict is None:
            return None
        price = quote or Quote.last_close(bars)
        levels = price and self.levels.around(price.price, opinion.verdict.action, bars, wanted)
        if not (price and levels):
            return None
        return Candidate(
            symbol=wanted.symbol,
            asset_type=wanted.asset_type,
            strategy=self.consensus.name,
            bar_time=bars.time_at(-1),
            made_at=now,
            entry=price.price,
            target=levels[0],
            stop=levels[1],
            regime=opinion.regime,
            verdict=opinion.verdict,
            ballots=opinion.ballots,
        )
