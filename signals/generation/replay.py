"""Replay: make the signals of the past again, bar by bar, on the clock of that time."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Protocol

from signals.generation.candidate import Candidate
from signals.generation.consensus import Consensus, propose
from signals.generation.gate import Gate
from signals.generation.sources.protocol import Source
from signals.market.bars import Bars

ASSET_TYPE = "stock"


class SignalLog(Protocol):
    """The part of the signal tracker that a replay needs."""

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[object]:
        """Validate the signals and make them durable; one receipt for each, in order."""

    def flush(self) -> object:
        """Move what was accepted into the database."""


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


@dataclass(frozen=True, slots=True)
class Recipe:
    """How signals are made: who votes, who decides, and what becomes a signal."""

    sources: Sequence[Source]
    consensus: Consensus
    gate: Gate


@dataclass(frozen=True, slots=True)
class Tally:
    """How many bars were walked, candidates proposed, and signals stored."""

    bars: int
    candidates: int
    stored: int


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """What a replay did: in all, and symbol by symbol.

    `stored` counts the signals that are in the database after the replay; those which an earlier
    replay had stored already are among them.
    """

    bars: int
    candidates: int
    stored: int
    by_symbol: Mapping[str, Tally]


@dataclass(slots=True)
class _Progress:
    """One symbol's replay so far."""

    bars: int = 0
    candidates: int = 0
    stored: int = 0
    last: Candidate | None = None


@dataclass(slots=True)
class _Walk:
    recipe: Recipe
    log: SignalLog
    progress: dict[str, _Progress] = field(default_factory=dict)

    def step(self, windows: Iterable[Bars]) -> None:
        """Log what is new at one moment; `windows` are the symbols that have a bar then."""
        fresh = [candidate for bars in windows if (candidate := self._fresh(bars)) is not None]
        if fresh:
            self.log.accept([self._signal(candidate) for candidate in fresh])
        for candidate in fresh:
            progress = self.progress[candidate.symbol]
            progress.stored += 1
            progress.last = candidate

    def _fresh(self, bars: Bars) -> Candidate | None:
        progress = self.progress[bars.symbol]
        progress.bars += 1
        candidate = propose(bars, self.recipe.sources, self.recipe.consensus)
        if candidate is None:
            return None
        progress.candidates += 1
        return candidate if self.recipe.gate.passes(candidate, progress.last, bars) else None

    def _signal(self, candidate: Candidate) -> dict[str, object]:
        return candidate.as_signal(strategy=self.recipe.consensus.name, asset_type=ASSET_TYPE)


def replay(
    histories: Sequence[Bars],
    period: Period,
    recipe: Recipe,
    log: SignalLog,
    clock: ReplayClock,
    on_bars: Callable[[int], object] = lambda count: None,
) -> ReplaySummary:
    """Walk the bars of all symbols in the order of time, and log every signal they give.

    What becomes a signal is up to `recipe.gate`: at most one per symbol and bar, when the action
    changes or a cooldown has passed. At each moment `clock` stands at the close of the bars, and
    the log should read its time there; it gets the signals of one moment together, symbols in the
    order of `histories`. The database is filled once, at the end, and also when something fails
    on the way. `on_bars` is told the number of bars done at each moment.

    The same histories, period and recipe log the same signals, so a second replay adds none.
    Raises `ValueError` where two histories are of one symbol, and whatever the log raises.
    """
    walk = _Walk(recipe, log, _progress(histories))
    try:
        for moment, windows in _moments(histories, period):
            clock.stand_at(moment)
            walk.step(windows)
            on_bars(len(windows))
    finally:
        log.flush()
    return _summary(walk.progress)


def _progress(histories: Sequence[Bars]) -> dict[str, _Progress]:
    progress = {bars.symbol: _Progress() for bars in histories}
    if len(progress) < len(histories):
        raise ValueError(f"a symbol is there twice: {[bars.symbol for bars in histories]}")
    return progress


def _moments(histories: Sequence[Bars], period: Period) -> Iterator[tuple[datetime, list[Bars]]]:
    merged = heapq.merge(*map(period.windows, histories), key=_now)
    for moment, windows in groupby(merged, key=_now):
        yield moment, list(windows)


def _now(bars: Bars) -> datetime:
    return bars.time_at(-1)


def _summary(progress: Mapping[str, _Progress]) -> ReplaySummary:
    tallies = {
        symbol: Tally(done.bars, done.candidates, done.stored) for symbol, done in progress.items()
    }
    return ReplaySummary(
        bars=sum(tally.bars for tally in tallies.values()),
        candidates=sum(tally.candidates for tally in tallies.values()),
        stored=sum(tally.stored for tally in tallies.values()),
        by_symbol=tallies,
    )
