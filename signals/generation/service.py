"""A cycle of signal generation: fetch, vote, validate and store, symbol by symbol."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from asgiref.sync import async_to_sync

from argo.errors import ArgoError, Conflict, InvalidInput
from signals import metrics
from signals.clock import Clock, utc_now
from signals.dialect import WHOLE_DATABASE
from signals.generation import candidates
from signals.generation.candidate import Candidate
from signals.generation.candidates import Judged
from signals.generation.pipeline import SignalPipeline
from signals.generation.regime import Regime
from signals.generation.validation import Reason, Situation
from signals.log_context import about_signal
from signals.market.bars import Bars
from signals.market.feed import Fetch
from signals.market.protocol import FeedError, MarketData, Quote
from signals.tracker import SignalTracker

logger = logging.getLogger(__name__)

INTERRUPTED_AFTER = timedelta(minutes=2)
"""Longer than a running process takes from the claim of a candidate to its signal."""
TOO_LATE = Reason("interrupted", "the process was interrupted, and the price is too old by now")


class TradingEngine(Protocol):
    """Trades signals that are already durable."""

    async def execute(self, signal: dict[str, Any], signal_id: str) -> bool:
        """Return True if the signal was traded; the engine itself keeps the reason if not."""


class Snapshot(NamedTuple):
    """The market data of one symbol."""

    bars: Bars
    quote: Quote | None


@dataclass(frozen=True, slots=True)
class SymbolResult:
    """The result of a cycle for one symbol.

    Without `candidate` the sources proposed nothing. With `reasons` it was rejected. `signal_id`
    is the id of the signal stored now, `there_already` the id of one that was stored before. A
    candidate with none of these is being stored by another worker; if that worker died, a later
    cycle stores it. `error` is set if the symbol failed.
    """

    symbol: str
    regime: Regime | None = None
    candidate: Candidate | None = None
    reasons: Sequence[Reason] = ()
    signal_id: str | None = None
    there_already: str | None = None
    error: str | None = None


class CycleFailed(ArgoError):
    """Some symbols of a cycle failed; the others are done."""

    @classmethod
    def of(cls, results: Sequence[SymbolResult]) -> "CycleFailed | None":
        """Return an error that names every failure; None if there are no failures."""
        failed = [f"{each.symbol}: {each.error}" for each in results if each.error is not None]
        return cls("; ".join(failed)) if failed else None


class SignalGenerationService:
    """Makes signals from a market's data.

    Market data is fetched on `threads` threads, for at most `seconds` seconds. With `auto_execute`,
    `trading_engine` gets every signal once it is durable.
    """

    def __init__(
        self,
        market: MarketData,
        pipeline: SignalPipeline,
        tracker: SignalTracker,
        *,
        threads: int = 4,
        seconds: float = 20.0,
        auto_execute: bool = False,
        trading_engine: TradingEngine | None = None,
        wall_clock: Clock = utc_now,
    ) -> None:
        self.market = market
        self.pipeline = pipeline
        self.tracker = tracker
        self.auto_execute = auto_execute
        self.trading_engine = trading_engine
        self._wall_clock = wall_clock
        self._fetch = Fetch(self._snapshot, threads, seconds)

    def run_cycle(self, symbols: Sequence[str]) -> list[SymbolResult]:
        """Look at each symbol once, in any spelling; return one result for each, in order.

        A symbol that fails does not affect the others: it is logged at ERROR, and its result has
        the error. A database that fails as a whole is raised at once.
        """
        self.tracker.flush()  # a signal logged a moment ago counts as an earlier signal
        self._finish_interrupted()
        names = list(dict.fromkeys(self.pipeline.instrument(symbol).symbol for symbol in symbols))
        snapshots = self._fetch.all(names)
        now = self.market.now()
        return [self._isolated(symbol, snapshots[symbol], now) for symbol in names]

    def run_and_count(self, symbols: Sequence[str]) -> int:
        """Run a cycle; return how many signals it made. Raises `CycleFailed` if a symbol failed."""
        results = self.run_cycle(symbols)
        if failed := CycleFailed.of(results):
            raise failed
        return sum(result.signal_id is not None for result in results)

    def _snapshot(self, symbol: str) -> Snapshot:
        bars = self.market.bars(symbol, self.market.now())
        return Snapshot(bars, self.market.quote(symbol))

    def _isolated(self, symbol: str, snapshot: Snapshot | Exception, now: datetime) -> SymbolResult:
        try:
            if isinstance(snapshot, Exception):
                raise snapshot
            return self._generate(symbol, snapshot, now)
        except WHOLE_DATABASE:
            raise
        except Exception as error:
            is_fault = not isinstance(error, ArgoError)
            logger.error("No signal for %s: %s", symbol, error, exc_info=is_fault)
            return SymbolResult(symbol, error=str(error) or repr(error))

    def _generate(self, symbol: str, snapshot: Snapshot, now: datetime) -> SymbolResult:
        bars, quote = snapshot
        if not len(bars):
            raise FeedError("there are no bars yet")
        opinion = self.pipeline.opinion(bars)
        wanted = self.pipeline.instrument(symbol)
        candidate = self.pipeline.candidate(opinion, bars, quote, now, wanted)
        if candidate is None:
            return SymbolResult(symbol, opinion.regime)
        judged = Judged(candidate, self._validate(candidate, snapshot))
        if judged.reasons:
            candidates.keep([judged])
            metrics.rejected(reason.code for reason in judged.reasons)
            return SymbolResult(symbol, opinion.regime, candidate, judged.reasons)
        signal = candidate.as_signal()
        self.tracker.receipt(signal)  # an invalid signal raises here, before the claim
        if not candidates.claim(judged):
            existing = candidates.signal_of(judged.candidate_id)
            return SymbolResult(symbol, opinion.regime, candidate, there_already=existing)
        signal_id = self._store(judged.candidate_id, signal)
        return SymbolResult(symbol, opinion.regime, candidate, signal_id=signal_id)

    def _validate(self, candidate: Candidate, snapshot: Snapshot) -> list[Reason]:
        hours = self.pipeline.hours(self.pipeline.instrument(candidate.symbol), self.market)
        earlier = candidates.earlier_signals(
            candidate.symbol, candidate.strategy, candidate.made_at
        )
        situation = Situation(candidate, snapshot.bars, snapshot.quote, hours, earlier)
        return self.pipeline.validation.reasons(situation)

    def _finish_interrupted(self) -> None:
        """Store the signals of a process that died after its claim, unless their price is old."""
        now = self._wall_clock()
        for candidate_id, kept_at, signal in candidates.interrupted(now - INTERRUPTED_AFTER):
            try:
                self._finish(candidate_id, signal, now - kept_at)
            except (InvalidInput, Conflict) as error:
                logger.error("The interrupted candidate %s is rejected: %s", candidate_id, error)
                candidates.give_up(candidate_id, Reason("refused", str(error)))

    def _finish(self, candidate_id: str, signal: dict[str, Any], age: timedelta) -> None:
        is_fresh = age <= self.pipeline.validation.max_age
        if is_fresh or self.tracker.is_stored(self.tracker.receipt(signal)):
            self._store(candidate_id, signal)
        else:
            candidates.give_up(candidate_id, TOO_LATE)

    def _store(self, candidate_id: str, signal: dict[str, Any]) -> str:
        process = async_to_sync(self._process_and_store_signal)
        signal_id = process(signal, str(signal["symbol"]))
        candidates.set_signal(candidate_id, signal_id)
        return signal_id

    async def _process_and_store_signal(self, signal: dict[str, Any], symbol: str) -> str:
        """Store, sync, track and, if that is on, execute the signal; return its id."""
        signal_id = await self.tracker.log_signal_async(signal)
        metrics.GENERATED.inc()
        signal["signal_id"] = signal_id
        with about_signal(signal_id):
            self._sync_signal_to_alpine(signal)
            self._track_signal_generated(signal, signal_id, symbol)
            if self.auto_execute and self.trading_engine:
                engine = self.trading_engine
                executed = await self._execute_trade_if_valid(engine, signal, signal_id)
                self._track_trade_execution(signal, signal_id, executed)
        return signal_id

    def _sync_signal_to_alpine(self, signal: dict[str, Any]) -> None:
        """Log only: the delivery is queued with the signal's row, so that it cannot be lost.

        SIGNAL_STORED_HANDLERS does that in the transaction that stores the row.
        """
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
