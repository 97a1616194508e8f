"""Replay: make the signals of the past again, bar by bar, on the clock of that time."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

from signals.generation.candidates import Judged
from signals.generation.pipeline import Opinion, Recipe
from signals.generation.validation import Earlier, Reason, Situation
from signals.generation.votes import Direction
from signals.ledger.records import Receipt
from signals.market.bars import Bars
from signals.market.hours import TradingHours
from signals.market.instruments import Instrument
from signals.market.protocol import Quote

KEPT_AT_ONCE = 500
Stored = tuple[Direction, datetime]
"""The side of a signal, and when the bar closed that it was made on."""


class SignalLog(Protocol):
    """The part of the signal tracker that a replay needs."""

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[Receipt]:
        """Validate the signals and make them durable; one receipt for each, in order."""

    def receipt(self, signal: Mapping[str, object], /) -> Receipt:
        """The id and hash that the signal would be stored with."""

    def flush(self) -> object:
        """Move what was accepted into the database."""


class Trading(Protocol):
    """What trades the signals of a replay on its clock; `settings.REPLAY_EXECUTION` makes one."""

    def see(self, windows: Sequence[Bars], /) -> None:
        """Bars have just closed: the last of each window."""

    def decide(self, signal_ids: Sequence[str], flush: Callable[[], object], /) -> None:
        """These signals were made of them, and are stored once `flush` is called."""

    def finish(self) -> dict[str, Any]:
        """The replay is over; what became of the trades, in plain values."""


class ReplayClock:
    """A clock that stands at the close of the bar being replayed, and never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        """The time of the current bar; before the first one, the start."""
        return self._now

    def stand_at(self, moment: datetime) -> None:
        """Move to `moment`. Raises `ValueError` if that is in the past."""
        if moment < self._now:
            raise ValueError(f"the clock stands at {self._now} and cannot go back to {moment}")
        self._now = moment


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both included."""

    start: datetime
    end: datetime

    def count(self, bars: Bars) -> int:
        """How many of the bars lie within the period."""
        return len(self._indices(bars))

    def windows(self, bars: Bars) -> Iterator[Bars]:
        """For each bar within the period, all bars up to it: those before `start` warm up."""
        for index in self._indices(bars):
            yield bars.upto(index + 1)

    def _indices(self, bars: Bars) -> range:
        return range(bars.count_before(self.start), bars.count_through(self.end))


@dataclass(slots=True)
class Tally:
    """How many bars were walked, candidates proposed, rejected by reason, and stored.

    A candidate may be rejected for several reasons. `stored` counts the signals that are in the
    database after the replay; those which an earlier replay had stored are among them.
    """

    bars: int = 0
    candidates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    stored: int = 0

    def add(self, judged: Judged | None) -> None:
        """Count a bar, and what became of it."""
        self.bars += 1
        if judged is not None:
            self.candidates += 1
            self.rejected.update(reason.code for reason in judged.reasons)
            self.stored += not judged.reasons

    def as_dict(self) -> dict[str, Any]:
        """In plain values."""
        return {
            "bars": self.bars,
            "candidates": self.candidates,
            "rejected": dict(self.rejected),
            "stored": self.stored,
        }


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """What a replay did: in all, symbol by symbol, and regime by regime."""

    total: Tally
    by_symbol: Mapping[str, Tally]
    by_regime: Mapping[str, Tally]

    def as_dict(self) -> dict[str, Any]:
        """In plain values: the total's counts, and those of each symbol and regime."""
        return self.total.as_dict() | {
            name: {key: tally.as_dict() for key, tally in tallies.items()}
            for name, tallies in (("by_symbol", self.by_symbol), ("by_regime", self.by_regime))
        }


@dataclass(slots=True)
class _Symbol:
    """What stays the same for a symbol during a replay, and its newest signals."""

    instrument: Instrument
    hours: TradingHours
    stored: Mapping[Stored, str]
    earlier: dict[Direction, datetime] = field(default_factory=dict)

    def judged(self, recipe: Recipe, opinion: Opinion, bars: Bars, now: datetime) -> Judged | None:
        """The candidate of this opinion and what the rules say of it; None where it has none."""
        if opinion.verdict is None:
            return None
        quote = Quote(float(bars.close[-1]), now)
        candidate = recipe.candidate(opinion, bars, quote, now, self.instrument)
        if candidate is None:
            return None
        earlier = [Earlier(action, moment) for action, moment in self.earlier.items()]
        situation = Situation(candidate, bars, quote, self.hours, earlier)
        return Judged(candidate, recipe.validation.reasons(situation))

    def other_signal(self, judged: Judged, log: SignalLog) -> Reason | None:
        """Whether the bar has a signal of this side already that is not this one.

        It cools the symbol down as this one would have.
        """
        candidate = judged.candidate
        there = self.stored.get((candidate.action, candidate.bar_time))
        if there is None or there == log.receipt(candidate.as_signal()).signal_id:
            return None
        self.earlier[candidate.action] = candidate.bar_time
        return Reason("bar", f"the bar has a signal of this side already: {there}")


@dataclass(slots=True)
class _Walk:
    recipe: Recipe
    log: SignalLog
    keep: Callable[[Sequence[Judged]], object]
    symbols: Mapping[str, _Symbol]
    by_symbol: Mapping[str, Tally]
    total: Tally = field(default_factory=Tally)
    by_regime: dict[str, Tally] = field(default_factory=dict)
    kept: list[Judged] = field(default_factory=list)

    def step(self, now: datetime, windows: Iterable[Bars]) -> list[str]:
        """Judge what one moment brings; `windows` are the symbols that have a bar then.

        Answers the ids of the signals that were made.
        """
        judged = [each for bars in windows if (each := self._judged(now, bars)) is not None]
        passed = [each for each in judged if not each.reasons]
        receipts: Sequence[Receipt] = ()
        if passed:
            receipts = self.log.accept([each.candidate.as_signal() for each in passed])
            for each, receipt in zip(passed, receipts, strict=True):
                self.symbols[each.candidate.symbol].earlier[each.candidate.action] = now
                self.kept.append(each._replace(signal_id=receipt.signal_id))
        self.kept += [each for each in judged if each.reasons]
        if len(self.kept) >= KEPT_AT_ONCE:
            self.write()
        return [receipt.signal_id for receipt in receipts]

    def write(self) -> None:
        """Write down the candidates that wait for it."""
        self.keep(self.kept)
        self.kept = []

    def summary(self) -> ReplaySummary:
        regimes = {name: self.by_regime[name] for name in sorted(self.by_regime)}
        return ReplaySummary(self.total, self.by_symbol, regimes)

    def _judged(self, now: datetime, bars: Bars) -> Judged | None:
        opinion = self.recipe.opinion(bars)
        symbol = self.symbols[bars.symbol]
        judged = symbol.judged(self.recipe, opinion, bars, now)
        if judged and not judged.reasons and (other := symbol.other_signal(judged, self.log)):
            judged = judged._replace(reasons=[other])
        self._count(bars.symbol, str(opinion.regime), judged)
        return judged

    def _count(self, symbol: str, regime: str, judged: Judged | None) -> None:
        by_regime = self.by_regime.setdefault(regime, Tally())
        for tally in (self.total, self.by_symbol[symbol], by_regime):
            tally.add(judged)


def replay(
    histories: Sequence[Bars],
    period: Period,
    recipe: Recipe,
    log: SignalLog,
    clock: ReplayClock,
    keep: Callable[[Sequence[Judged]], object] = lambda judged: None,
    stored: Callable[[Bars, str], Mapping[Stored, str]] = lambda bars, strategy: {},
    on_bars: Callable[[int], object] = lambda count: None,
    trading: Trading | None = None,
) -> ReplaySummary:
    """Walk the bars of all symbols in the order of time, and log every signal they give.

    Each bar is judged as the service would at its close: the price is the close, the time the
    clock's. At each moment `clock` stands at the close of the bars, and the log should read its
    time there; it gets the signals of one moment together, symbols in the order of `histories`.
    `keep` is given every candidate, some hundreds at a time. `stored` answers which signals of a
    strategy a symbol's bars have already: a bar gets no other signal of that side. The database is
    filled once, at the end, and also when something fails on the way. `on_bars` is told the number
    of bars done.

    The same histories, period and recipe log the same signals, so a second replay adds none.
    Raises `ValueError` where two histories are of one symbol, and whatever the log raises.
    """
    symbols = _symbols(histories, recipe, stored)
    walk = _Walk(recipe, log, keep, symbols, {name: Tally() for name in symbols})
    try:
        for moment, windows in _moments(histories, period):
            clock.stand_at(moment)
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
    recipe: Recipe,
    stored: Callable[[Bars, str], Mapping[Stored, str]],
) -> dict[str, _Symbol]:
    symbols: dict[str, _Symbol] = {}
    for bars in histories:
        wanted = recipe.instrument(bars.symbol)
        there = stored(bars, recipe.consensus.name)
        symbols[bars.symbol] = _Symbol(wanted, recipe.hours(wanted), there)
    if len(symbols) < len(histories):
        raise ValueError(f"a symbol is there twice: {[bars.symbol for bars in histories]}")
    return symbols


def _moments(histories: Sequence[Bars], period: Period) -> Iterator[tuple[datetime, list[Bars]]]:
    merged = heapq.merge(*map(period.windows, histories), key=_now)
    for moment, windows in groupby(merged, key=_now):
        yield moment, list(windows)


def _now(bars: Bars) -> datetime:
    return bars.time_at(-1)
