"""Replay: make the signals of past bars, bar by bar, on the clock of that time."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from signals.generation.candidates import Judged
from signals.generation.look_ahead import check_look_ahead
from signals.generation.pipeline import SignalPipeline
from signals.generation.symbol_state import SideAndBar, SymbolState
from signals.generation.validation import Reason
from signals.ledger.records import Receipt
from signals.market.bars import Bars

KEEP_BATCH_SIZE = 500
WARM_UP = timedelta(days=400)
"""How far before its period the bars of a replay start, so that every source has enough: 200
sessions."""


class SignalLog(Protocol):
    """The part of the signal tracker that a replay needs."""

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[Receipt]:
        """Validate the signals and make them durable; return one receipt for each, in order."""

    def receipt(self, signal: Mapping[str, object], /) -> Receipt:
        """Return the id and hash that the signal would be stored with."""

    def flush(self) -> object:
        """Move the accepted signals into the database."""


class Traded(NamedTuple):
    """How the signals of a replay were traded, and what came of it.

    `parameters` are the account's rules and costs. `ended` is when each trade ended (UTC), and
    `profits` is what each made after fees, in the account's currency. `is_whole`: no signal was
    refused because the account had already traded at a later time, for an earlier replay.
    """

    parameters: dict[str, Any]
    ended: Sequence[datetime]
    profits: Sequence[float]
    is_whole: bool


class Trading(Protocol):
    """Trades the signals of a replay on its clock; `settings.REPLAY_EXECUTION` makes one."""

    def see(self, windows: Sequence[Bars], /) -> None:
        """Process the bars that have just closed: the last bar of each window."""

    def decide(self, signal_ids: Sequence[str], flush: Callable[[], object], /) -> None:
        """Decide on the signals made of these bars; they are stored once `flush` is called."""

    def finish(self) -> dict[str, Any]:
        """End the replay; return the results of the trades as plain values."""

    def traded(self) -> Traded:
        """Return what the signals of this replay made, however often it was interrupted."""

    def close(self) -> None:
        """Let another replay begin, also after an error."""


class ReplayClock:
    """A clock that shows the close of the bar being replayed, and never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        """Return the close of the current bar; the start before the first bar."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move to `moment`. Raises `ValueError` if it is before the current time."""
        if moment < self._now:
            raise ValueError(f"the clock is at {self._now} and cannot go back to {moment}")
        self._now = moment


@dataclass(frozen=True, slots=True)
class Period:
    """A period from `start` to `end`, both included."""

    start: datetime
    end: datetime

    def count(self, bars: Bars) -> int:
        """Return how many of the bars are within the period."""
        return len(self._indices(bars))

    def first(self, bars: Bars) -> datetime | None:
        """Return when the first bar within the period closed; None if it has none."""
        found = self._indices(bars)
        return bars.time_at(found[0]) if found else None

    def windows(self, bars: Bars) -> Iterator[Bars]:
        """Yield, for each bar within the period, all bars up to it; earlier ones are warm-up."""
        for index in self._indices(bars):
            yield bars.upto(index + 1)

    def _indices(self, bars: Bars) -> range:
        return range(bars.count_before(self.start), bars.count_through(self.end))


@dataclass(slots=True)
class ReplayCounts:
    """Counts of bars, candidates, rejections by reason code, and stored signals.

    A candidate may be rejected for several reasons. `stored` counts the signals that are in the
    database after the replay, including those that an earlier replay had stored.
    """

    bars: int = 0
    candidates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    stored: int = 0

    def add(self, judged: Judged | None) -> None:
        """Count a bar and its candidate, if it has one."""
        self.bars += 1
        if judged is not None:
            self.candidates += 1
            self.rejected.update(reason.code for reason in judged.reasons)
            self.stored += not judged.reasons

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {
            "bars": self.bars,
            "candidates": self.candidates,
            "rejected": dict(self.rejected),
            "stored": self.stored,
        }


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """The counts of a replay: in total, by symbol, and by regime."""

    total: ReplayCounts
    by_symbol: Mapping[str, ReplayCounts]
    by_regime: Mapping[str, ReplayCounts]

    def as_dict(self) -> dict[str, Any]:
        """Return all counts as plain values: the total, and each symbol and regime."""
        return self.total.as_dict() | {
            name: {key: counts.as_dict() for key, counts in groups.items()}
            for name, groups in (("by_symbol", self.by_symbol), ("by_regime", self.by_regime))
        }


@dataclass(slots=True)
class _Walk:
    pipeline: SignalPipeline
    log: SignalLog
    keep: Callable[[Sequence[Judged]], object]
    symbols: Mapping[str, SymbolState]
    by_symbol: Mapping[str, ReplayCounts]
    total: ReplayCounts = field(default_factory=ReplayCounts)
    by_regime: dict[str, ReplayCounts] = field(default_factory=dict)
    kept: list[Judged] = field(default_factory=list)

    def step(self, now: datetime, windows: Iterable[Bars]) -> list[str]:
        """Validate the candidates of one moment; return the ids of the signals made.

        `windows` are the bars of the symbols that have a bar at `now`.
        """
        judged = [each for bars in windows if (each := self._judged(now, bars)) is not None]
        passed = [each for each in judged if not each.reasons]
        receipts: Sequence[Receipt] = ()
        if passed:
            receipts = self.log.accept([each.candidate.as_signal() for each in passed])
            for each, receipt in zip(passed, receipts, strict=True):
                self.symbols[each.candidate.symbol].made(each.candidate)
                self.kept.append(each._replace(signal_id=receipt.signal_id))
        self.kept += [each for each in judged if each.reasons]
        if len(self.kept) >= KEEP_BATCH_SIZE:
            self.write()
        return [receipt.signal_id for receipt in receipts]

    def write(self) -> None:
        """Store the candidates collected so far."""
        self.keep(self.kept)
        self.kept = []

    def summary(self) -> ReplaySummary:
        regimes = {name: self.by_regime[name] for name in sorted(self.by_regime)}
        return ReplaySummary(self.total, self.by_symbol, regimes)

    def _judged(self, now: datetime, bars: Bars) -> Judged | None:
        opinion = self.pipeline.opinion(bars)
        symbol = self.symbols[bars.symbol]
        judged = symbol.judged(self.pipeline, opinion, bars)
        if judged and not judged.reasons and (other := self._other_signal(symbol, judged)):
            judged = judged._replace(reasons=[other])
        self._count(bars.symbol, str(opinion.regime), judged)
        return judged

    def _other_signal(self, symbol: SymbolState, judged: Judged) -> Reason | None:
        signal = judged.candidate.as_signal
        return symbol.other_signal(judged, lambda: self.log.receipt(signal()).signal_id)

    def _count(self, symbol: str, regime: str, judged: Judged | None) -> None:
        by_regime = self.by_regime.setdefault(regime, ReplayCounts())
        for counts in (self.total, self.by_symbol[symbol], by_regime):
            counts.add(judged)


def replay(
    histories: Sequence[Bars],
    period: Period,
    pipeline: SignalPipeline,
    log: SignalLog,
    clock: ReplayClock,
    keep: Callable[[Sequence[Judged]], object] = lambda judged: None,
    stored: Callable[[Bars, str], Mapping[SideAndBar, str]] = lambda bars, strategy: {},
    on_bars: Callable[[int], object] = lambda count: None,
    trading: Trading | None = None,
) -> ReplaySummary:
    """Walk the bars of all symbols in time order, and log every signal that they give.

    Each bar is treated as the service would treat it at its close: the price is the close, the
    time is the clock's. At each moment `clock` shows the close of the bars; the log should take
    its time from `clock`. The log gets the signals of one moment together, symbols in the order of
    `histories`. `keep` gets every candidate, some hundreds at a time. `stored` returns the signals
    of a strategy that a symbol's bars already have: such a bar gets no other signal of that side.
    `on_bars` gets the number of bars done at each moment. The log is flushed once at the end, also
    after an error.

    The same histories, period and pipeline log the same signals, so a second replay adds none.
    Raises `ValueError` if two histories are of the same symbol, `LookAhead` if the pipeline's
    calibration was fitted on outcomes of after the first bar, and every error of the log.
    """
    check_look_ahead(pipeline.calibration, filter(None, map(period.first, histories)))
    symbols = _symbols(histories, pipeline, stored)
    walk = _Walk(pipeline, log, keep, symbols, {name: ReplayCounts() for name in symbols})
    try:
        for moment, windows in _moments(histories, period):
            clock.move_to(moment)
            if trading:
                trading.see(windows)
            made = walk.step(moment, windows)
            if trading and made:
                trading.decide(made, log.flush)
            on_bars(len(windows))
    finally:
        walk.write()
        log.flush()
    return walk.summary()


def _symbols(
    histories: Sequence[Bars],
    pipeline: SignalPipeline,
    stored: Callable[[Bars, str], Mapping[SideAndBar, str]],
) -> dict[str, SymbolState]:
    symbols: dict[str, SymbolState] = {}
    for bars in histories:
        existing = stored(bars, pipeline.consensus.name)
        symbols[bars.symbol] = SymbolState.before(pipeline, bars, existing)
    if len(symbols) < len(histories):
        raise ValueError(f"a symbol appears twice: {[bars.symbol for bars in histories]}")
    return symbols


def _moments(histories: Sequence[Bars], period: Period) -> Iterator[tuple[datetime, list[Bars]]]:
    merged = heapq.merge(*map(period.windows, histories), key=_now)
    for moment, windows in groupby(merged, key=_now):
        yield moment, list(windows)


def _now(bars: Bars) -> datetime:
    return bars.time_at(-1)
