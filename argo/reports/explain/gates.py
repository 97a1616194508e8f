"""The gates of generation: what a signal of Argo's own consensus had to pass.

The pipeline is imported on demand, because it loads pandas.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argo.errors import ArgoError
from argo.reports.explain.schemas import Check
from signals.generation.candidate import Candidate
from signals.generation.candidates import earlier_signals
from signals.generation.consensus import Verdict
from signals.generation.regime import Regime
from signals.generation.validation import Gate, Situation
from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.market.instruments import Instrument
from signals.market.protocol import MarketData
from signals.models import Signal, SignalContext

logger = logging.getLogger(__name__)
OWN_ORIGINS = ("generator", "replay")
PRICE = "price"
NOT_STORED = "the age of the price was not stored"
TODAY = (
    "The signal passed every gate when it was made. The numbers are computed now, from today's "
    "bars and against the limits of today's settings: a gate that fails had another limit then."
)


@dataclass(frozen=True)
class Maker:
    """The signal, its context, and what is known of its instrument and market."""

    signal: Signal
    context: SignalContext | None
    made_at: datetime | None
    about: Instrument | None
    market: MarketData | None


def gates_of(maker: Maker, bars: Bars | None) -> tuple[list[Check], list[str]]:
    """Return each gate with the numbers on both sides, and notes on what they mean."""
    origin = maker.context.origin if maker.context else None
    if origin not in OWN_ORIGINS:
        return [], ["No gate of generation was asked: the signal came from outside."]
    if maker.made_at is None or maker.about is None or not bars:
        return [], ["The gates are not known: there are no bars to compute them from."]
    try:
        return _gates(maker, maker.made_at, maker.about, bars), [TODAY]
    except (ArgoError, ValueError, ArithmeticError) as error:
        return [], [f"The gates cannot be computed: {error}"]
    except Exception:
        logger.exception("The gates of %s cannot be computed", maker.signal.signal_id)
        return [], ["The gates cannot be computed; the log has the reason."]


def _gates(maker: Maker, made_at: datetime, about: Instrument, bars: Bars) -> list[Check]:
    from signals.generation.factory import pipeline

    made_by = pipeline(calibrated=False)  # the stored confidence is the final one
    candidate = _candidate(maker.signal, maker.context, made_at, bars)
    # A second earlier, because the newest signal until now would be the signal itself.
    earlier = earlier_signals(candidate.symbol, candidate.strategy, made_at - timedelta(seconds=1))
    hours = made_by.hours(about, maker.market)
    found = made_by.validation.gates(Situation(candidate, bars, None, hours, earlier))
    return [*_consensus(maker, made_by.consensus.least), *map(_check, found)]


def _candidate(
    signal: Signal, context: SignalContext | None, made_at: datetime, bars: Bars
) -> Candidate:
    """Return the candidate that the signal was."""
    regime = context.regime if context else None
    agreement = context.agreement if context else None
    return Candidate(
        symbol=signal.symbol,
        asset_type=signal.asset_type,
        strategy=signal.strategy,
        bar_time=bars.time_at(-1),
        made_at=made_at,
        entry=signal.entry_price,
        target=signal.target_price,
        stop=signal.stop_price,
        regime=Regime(regime) if regime in set(Regime) else Regime.UNKNOWN,
        verdict=Verdict(Direction(signal.action), agreement or 0.0, signal.confidence),
        votes=(),
    )


def _check(gate: Gate) -> Check:
    if gate.code == PRICE:
        return Check(code=PRICE, value=NOT_STORED, limit=gate.limit, passed=None, basis="today")
    passed = gate.rejects is None
    return Check(code=gate.code, value=gate.value, limit=gate.limit, passed=passed, basis="today")


def _consensus(maker: Maker, least: int) -> list[Check]:
    """Return the consensus's own gate: how many sources voted for the winner."""
    votes = maker.context and maker.context.votes
    if not isinstance(votes, list):
        return []
    number = sum(_is_for(vote, maker.signal.action) for vote in votes)
    return [
        Check(
            code="sources",
            value=f"{number} sources voted {maker.signal.action}",
            limit=f"at least {least}",
            passed=number >= least,
            basis="today",
        )
    ]


def _is_for(vote: Any, action: str) -> bool:  # noqa: ANN401  # JSON
    """Return True if this vote counted for the side; one without weight did not."""
    if not isinstance(vote, dict) or vote.get("direction") != action:
        return False
    weight = vote.get("weight")
    return isinstance(weight, int | float) and weight > 0
