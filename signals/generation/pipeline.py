"""The pipeline that makes candidates: votes, consensus, target and stop, validation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from signals.calibration.calibration import Calibration
from signals.generation.candidate import Candidate
from signals.generation.consensus import Verdict, WeightedConsensus
from signals.generation.levels import Levels
from signals.generation.regime import Regime, regime_of
from signals.generation.validation import Validation
from signals.generation.voters import Voters
from signals.generation.votes import SourceVote
from signals.market.bars import Bars
from signals.market.hours import TradingHours, hours_of
from signals.market.instruments import Instrument, instrument
from signals.market.protocol import Quote


class Opinion(NamedTuple):
    """The regime, votes and verdict at the last bar; without a verdict nothing is proposed."""

    regime: Regime
    votes: tuple[SourceVote, ...]
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class SignalPipeline:
    """Everything that decides on a signal, except the data.

    `exchange` is the calendar of stocks; `find` returns the instrument for a spelling. With a
    `calibration` the confidence of each verdict is the calibrated one, which validation compares.
    """

    voters: Voters
    consensus: WeightedConsensus
    levels: Levels
    validation: Validation
    exchange: str = "XNYS"
    find: Callable[[str], Instrument] = instrument
    calibration: Calibration | None = None

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument for `symbol` in any spelling."""
        return self.find(symbol)

    def hours(self, wanted: Instrument, market: object = None) -> TradingHours:
        """Return the instrument's trading hours; `market` may show them by its bars.

        Raises `ValueError` if the exchange is unknown.
        """
        return hours_of(wanted, self.exchange, market)

    def opinion(self, bars: Bars) -> Opinion:
        """Return regime, votes and verdict at the last bar."""
        regime = regime_of(bars)
        votes = self.voters.votes(bars, regime)
        verdict = self.consensus(votes, regime)
        if verdict is not None and self.calibration is not None:
            verdict = verdict.calibrated(self.calibration)
        return Opinion(regime, votes, verdict)

    def candidate(
        self, opinion: Opinion, bars: Bars, quote: Quote | None, now: datetime, wanted: Instrument
    ) -> Candidate | None:
        """Return what the opinion proposes at the price of `quote`; None if it proposes nothing.

        Without a quote the last close is the entry, so that the candidate can be stored;
        validation rejects it. There is no candidate without a verdict, a price, or target and
        stop.
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
            votes=opinion.votes,
        )
