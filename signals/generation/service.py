"""One cycle of making signals: fetch, ask, validate, store; symbol by symbol."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from asgiref.sync import async_to_sync

from argo.errors import ArgoError, Conflict, InvalidInput
from signals.clock import Clock, utc_now
from signals.generation import candidates
from signals.generation.candidate import Candidate
from signals.generation.candidates import Judged
from signals.generation.pipeline import Recipe
from signals.generation.regime import Regime
from signals.generation.validation import Reason, Situation
from signals.market.bars import Bars
from signals.market.feed import Fetch
from signals.market.protocol import FeedError, MarketData, Quote
from signals.tracker import SignalTracker

logger = logging.getLogger(__name__)

INTERRUPTED_AFTER = timedelta(minutes=2)
"""Longer than between the claim of a candidate and its signal by a maker that lives."""
TOO_LATE = Reason("interrupted", "its maker was interrupted, and its price is too old by now")


class TradingEngine(Protocol):
    """What trades; it is given signals that are durable already."""

    async def execute(self, signal: dict[str, Any], signal_id: str) -> bool:
        """Whether the signal was traded; a reason why not is the engine's to keep."""


class Snapshot(NamedTuple):
    """What the market says of one symbol."""

    bars: Bars
    quote: Quote | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one symbol in a cycle.

    No candidate: the sources proposed nothing. Reasons: it was rejected. `signal_id`: it was
    stored now; `there_already`: it was before. A candidate with none of these is being stored by
    another worker, or by the next cycle where that one died.
    """

    symbol: str
    regime: Regime | None = None
    candidate: Candidate | None = None
    reasons: Sequence[Reason] = ()
    signal_id: str | None = None
    there_already: str | None = None
    error: str | None = None


class CycleFailed(ArgoError):
    """Some symbols of a cycle failed; the others were dealt with."""

    @classmethod
    def of(cls, results: Sequence[Result]) -> "CycleFailed | None":
        """The failures among these; None where there are none."""
        failed = [f"{each.symbol}: {each.error}" for each in results if each.error is not None]
        return cls("; ".join(failed)) if failed else None


class SignalGenerationService:
    """Makes signals of what a market shows.

    `threads` fetch at once, for `seconds` at most. With `auto_execute`, `trading_engine` is given
    every signal once it is durable.
    """

    def __init__(
        self,
        market: MarketData,
        recipe: Recipe,
        tracker: SignalTracker,
        *,
        threads: int = 4,
        seconds: float = 20.0,
        auto_execute: bool = False,
        trading_engine: TradingEngine | None = None,
        wall_clock: Clock = utc_now,
    ) -> None:
        self.market = market
        self.recipe = recipe
        self.tracker = tracker
        self.auto_execute = auto_execute
        self.trading_engine = trading_engine
        self._wall_clock = wall_clock
        self._fetch = Fetch(self._snapshot, threads, seconds)

    def run_cycle(self, symbols: Sequence[str]) -> list[Result]:
        """Look at each symbol once, in any spelling; what became of it, in order.

        A symbol that fails holds up no other: it is logged at ERROR, and its result has the error.
        """
        self.tracker.flush()  # what was logged a moment ago counts as an earlier signal
        self._finish_interrupted()
        names = list(dict.fromkeys(self.recipe.instrument(symbol).symbol for symbol in symbols))
        snapshots = self._fetch.all(names)
        now = self.market.now()
        return [self._isolated(symbol, snapshots[symbol], now) for symbol in names]

    def run_and_count(self, symbols: Sequence[str]) -> int:
        """Run a cycle; how many signals it made. Raises `CycleFailed` where a symbol failed."""
        results = self.run_cycle(symbols)
        if failed := CycleFailed.of(results):
            raise failed
        return sum(result.signal_id is not None for result in results)

    def _snapshot(self, symbol: str) -> Snapshot:
        bars = self.market.bars(symbol, self.market.now())
        return Snapshot(bars, self.market.quote(symbol))

    def _isolated(self, symbol: str, snapshot: Snapshot | Exception, now: datetime) -> Result:
        try:
            if isinstance(snapshot, Exception):
                raise snapshot
            return self._generate(symbol, snapshot, now)
        except Exception as error:
            is_fault = not isinstance(error, ArgoError)
            logger.error("No signal for %s: %s", symbol, error, exc_info=is_fault)
            return Result(symbol, error=str(error) or repr(error))

    def _generate(self, symbol: str, snapshot: Snapshot, now: datetime) -> Result:
        bars, quote = snapshot
        if not len(bars):
            raise FeedError("there are no bars yet")
        opinion = self.recipe.opinion(bars)
        wanted = self.recipe.instrument(symbol)
        candidate = self.recipe.candidate(opinion, bars, quote, now, wanted)
        if candidate is None:
            return Result(symbol, opinion.regime)
        judged = Judged(candidate, self._validate(candidate, snapshot))
        if judged.reasons:
            candidates.keep([judged])
            return Result(symbol, opinion.regime, candidate, judged.reasons)
        signal = candidate.as_signal()
        self.tracker.receipt(signal)  # what the ledger would refuse is refused before the claim
        if not candidates.claim(judged):
            there = candidates.signal_of(judged.candidate_id)
            return Result(symbol, opinion.regime, candidate, there_already=there)
        signal_id = self._store(judged.candidate_id, signal)
        return Result(symbol, opinion.regime, candidate, signal_id=signal_id)

    def _validate(self, candidate: Candidate, snapshot: Snapshot) -> list[Reason]:
        hours = self.recipe.hours(self.recipe.instrument(candidate.symbol))
        earlier = candidates.earlier_signals(
            candidate.symbol, candidate.strategy, candidate.made_at
        )
        situation = Situation(candidate, snapshot.bars, snapshot.quote, hours, earlier)
        return self.recipe.validation.reasons(situation)

    def _finish_interrupted(self) -> None:
        """Store what a maker that died had decided on, unless its price is too old by now."""
        now = self._wall_clock()
        for candidate_id, kept_at, signal in candidates.interrupted(now - INTERRUPTED_AFTER):
            try:
                self._finish(candidate_id, signal, now - kept_at)
            except (InvalidInput, Conflict) as error:
                logger.error("The interrupted candidate %s is given up: %s", candidate_id, error)
                candidates.give_up(candidate_id, Reason("refused", str(error)))

    def _finish(self, candidate_id: str, signal: dict[str, Any], age: timedelta) -> None:
        is_fresh = age <= self.recipe.validation.max_age
        if is_fresh or self.tracker.is_stored(self.tracker.receipt(signal)):
            self._store(candidate_id, signal)
        else:
            candidates.give_up(candidate_id, TOO_LATE)

    def _store(self, candidate_id: str, signal: dict[str, Any]) -> str:
        process = async_to_sync(self._process_and_store_signal)
        signal_id = process(signal, str(signal["symbol"]))
        candidates.became(candidate_id, signal_id)
        return signal_id

    async def _process_and_store_signal(self, signal: dict[str, Any], symbol: str) -> str:
        """The seed's steps: store, sync, track, and where it is on, execute; the signal's id."""
        signal_id = await self.tracker.log_signal_async(signal)
        signal["signal_id"] = signal_id
        self._sync_signal_to_alpine(signal)
        self._track_signal_generated(signal, signal_id, symbol)
        if self.auto_execute and self.trading_engine:
            executed = await self._execute_trade_if_valid(self.trading_engine, signal, signal_id)
            self._track_trade_execution(signal, signal_id, executed)
        return signal_id

    def _sync_signal_to_alpine(self, signal: dict[str, Any]) -> None:
        """The delivery is queued with the signal's row (SIGNAL_STORED_HANDLERS): only so can it
        not be lost."""
        logger.debug("%s goes to Alpine once its row is stored", signal["signal_id"])

    def _track_signal_generated(self, signal: dict[str, Any], signal_id: str, symbol: str) -> None:
        logger.info("Signal %s for %s: %s", signal_id, symbol, signal["reasoning"])

    async def _execute_trade_if_valid(
        self, engine: TradingEngine, signal: dict[str, Any], signal_id: str
    ) -> bool:
        return await engine.execute(signal, signal_id)

    def _track_trade_execution(
        self, signal: dict[str, Any], signal_id: str, executed: bool
    ) -> None:
        logger.info("Signal %s for %s: %s", signal_id, signal["symbol"],
                    "executed" if executed else "not executed")  # fmt: skip
