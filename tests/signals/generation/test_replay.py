"""A replay walks the past on its own clock, and always tells the same story."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from signals.generation.consensus import WeightedConsensus
from signals.generation.gate import Gate
from signals.generation.replay import (
    Period,
    Recipe,
    ReplayClock,
    ReplaySummary,
    Tally,
    replay,
)
from signals.generation.sources.trend import Trend
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.market.builders import FIRST_CLOSE, bars_of, random_walk

ALWAYS = Period(FIRST_CLOSE - timedelta(days=36500), FIRST_CLOSE + timedelta(days=36500))
TREND = Recipe([Trend()], WeightedConsensus({"trend": 1.0}), Gate(75))


def day(number: int) -> datetime:
    """The close of a test market's bar by its index."""
    return FIRST_CLOSE + timedelta(days=number)


@dataclass
class MemoryLog:
    """A log that notes what it is given, and what its clock says then."""

    clock: ReplayClock = field(default_factory=lambda: ReplayClock(ALWAYS.start))
    signals: list[dict[str, Any]] = field(default_factory=list)
    received: list[datetime] = field(default_factory=list)
    flushes: list[int] = field(default_factory=list)
    full_at: int = 10**9

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[object]:
        batch = [dict(signal) for signal in signals]
        if len(self.signals) + len(batch) > self.full_at:
            raise OSError("disk full")
        self.signals += batch
        self.received += [self.clock()] * len(batch)
        return batch

    def flush(self) -> None:
        self.flushes.append(len(self.signals))

    def run(
        self, histories: Sequence[Bars], period: Period = ALWAYS, recipe: Recipe = TREND
    ) -> ReplaySummary:
        return replay(histories, period, recipe, self, self.clock)

    def seen(self) -> list[tuple[object, object]]:
        return [(signal["symbol"], signal["timestamp"]) for signal in self.signals]


def says(directions: Sequence[Direction | None]) -> Recipe:
    """A source that votes these directions, bar by bar, and a gate that waits five bars."""

    def scripted(bars: Bars) -> Vote | None:
        direction = directions[len(bars) - 1]
        return None if direction is None else Vote("script", direction, 90.0, {})

    return Recipe([scripted], WeightedConsensus({"script": 1.0}), Gate(75, cooldown=5))


BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL


@pytest.fixture(scope="module")
def histories() -> list[Bars]:
    market = SampleMarket()
    return [market.bars(symbol) for symbol in market.symbols]


@pytest.fixture(scope="module")
def told(histories: list[Bars]) -> MemoryLog:
    """The log after all real bars; tests only read it."""
    log = MemoryLog()
    log.run(histories)
    return log


def test_the_real_bars_give_hundreds_of_signals(histories: list[Bars]) -> None:
    log = MemoryLog()
    summary = log.run(histories)
    assert summary.bars == sum(map(len, histories))
    assert 300 < summary.stored == len(log.signals) < summary.candidates < summary.bars
    assert all(tally.stored for tally in summary.by_symbol.values())


def test_the_same_bars_give_the_same_signals(histories: list[Bars], told: MemoryLog) -> None:
    again = MemoryLog()
    again.run(histories)
    assert again.signals == told.signals


def test_what_comes_later_changes_nothing_before(histories: list[Bars], told: MemoryLog) -> None:
    half = MemoryLog()
    half.run([bars.upto(len(bars) // 2) for bars in histories])
    ends = {bars.symbol: bars.time_at(len(bars) // 2 - 1) for bars in histories}
    before = [signal for signal in told.signals if signal["timestamp"] <= ends[signal["symbol"]]]
    assert len(half.signals) > 100
    assert half.signals == before


def test_a_source_sees_no_bar_after_the_current_one() -> None:
    seen: list[tuple[str, int, datetime]] = []
    clock = ReplayClock(ALWAYS.start)

    def spy(bars: Bars) -> None:
        seen.append((bars.symbol, len(bars), bars.time_at(-1)))
        assert bars.time_at(-1) == clock()

    recipe = Recipe([spy], WeightedConsensus({}), Gate(75))
    replay([bars_of([1.0, 2.0, 3.0])], ALWAYS, recipe, MemoryLog(), clock)
    assert seen == [("TEST", 1, day(0)), ("TEST", 2, day(1)), ("TEST", 3, day(2))]


def test_the_clock_stands_at_the_bar_whose_signal_is_logged(told: MemoryLog) -> None:
    assert told.received == [signal["timestamp"] for signal in told.signals]
    assert told.received == sorted(told.received)


def test_symbols_are_walked_together_in_time_not_one_after_the_other() -> None:
    early = bars_of([1.0] * 3, "B")
    late = bars_of([1.0] * 3, "A", first=day(1))
    flip = says([BUY, SELL, BUY])
    log = MemoryLog()
    log.run([early, late], recipe=flip)
    assert log.seen() == [
        ("B", day(0)),
        ("B", day(1)),
        ("A", day(1)),
        ("B", day(2)),
        ("A", day(2)),
        ("A", day(3)),
    ]


def test_symbols_do_not_cool_each_other_down() -> None:
    log = MemoryLog()
    log.run([bars_of([1.0] * 6, "A"), bars_of([1.0] * 6, "B")], recipe=says([BUY] * 6))
    assert log.seen() == [("A", day(0)), ("B", day(0)), ("A", day(5)), ("B", day(5))]


def test_a_signal_needs_a_change_or_a_cooldown() -> None:
    votes = [BUY, BUY, NEUTRAL, BUY, SELL, SELL, None, SELL, SELL, SELL, BUY]
    log = MemoryLog()
    summary = log.run([bars_of([1.0] * len(votes))], recipe=says(votes))
    assert [when for _, when in log.seen()] == [day(0), day(4), day(9), day(10)]
    assert [signal["action"] for signal in log.signals] == ["BUY", "SELL", "SELL", "BUY"]
    assert summary == ReplaySummary(11, 9, 4, {"TEST": Tally(11, 9, 4)})


def test_a_candidate_too_unsure_to_be_logged_starts_no_cooldown() -> None:
    confidences = [50.0, 90.0]

    def wavering(bars: Bars) -> Vote:
        return Vote("script", BUY, confidences[len(bars) - 1], {})

    log = MemoryLog()
    recipe = Recipe([wavering], WeightedConsensus({"script": 1.0}), Gate(75))
    log.run([bars_of([1.0, 1.0])], recipe=recipe)
    assert [when for _, when in log.seen()] == [day(1)]


def test_a_period_includes_its_ends_and_warms_up_on_what_came_before() -> None:
    closes = random_walk(120, seed=1, drift=0.02)
    log = MemoryLog()
    summary = log.run([bars_of(closes)], Period(day(60), day(100)))
    assert summary.bars == 41
    assert log.signals[0]["timestamp"] == day(60), "50 bars of history were there already"
    assert log.seen()[-1] == ("TEST", day(100))


def test_a_period_counts_the_bars_it_will_walk() -> None:
    bars = bars_of([1.0] * 10)
    assert Period(day(3), day(5)).count(bars) == 3
    assert Period(day(8), day(99)).count(bars) == 2
    assert Period(day(50), day(99)).count(bars) == 0


def test_what_is_logged_is_plain_python(told: MemoryLog) -> None:
    kinds = {type(value) for signal in told.signals for value in signal.values()}
    assert kinds == {str, float, int, list, datetime, type(None)}
    json.dumps([{**signal, "timestamp": ""} for signal in told.signals], allow_nan=False)


def test_the_database_is_filled_once_at_the_end(told: MemoryLog) -> None:
    assert told.flushes == [len(told.signals)]


def test_what_was_accepted_before_a_failure_still_reaches_the_database() -> None:
    log = MemoryLog(full_at=2)
    with pytest.raises(OSError, match="disk full"):
        log.run([bars_of([1.0] * 3)], recipe=says([BUY, SELL, BUY]))
    assert log.flushes == [2]


def test_progress_is_told_bar_by_bar() -> None:
    counts: list[int] = []
    log = MemoryLog()
    histories = [bars_of([1.0] * 2, "A"), bars_of([1.0] * 2, "B", first=day(1))]
    replay(histories, ALWAYS, TREND, log, log.clock, on_bars=counts.append)
    assert counts == [1, 2, 1]


def test_a_symbol_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there twice: \['A', 'A'\]"):
        MemoryLog().run([bars_of([1.0], "A"), bars_of([1.0], "A")])


def test_the_clock_begins_at_its_start_and_never_goes_back() -> None:
    clock = ReplayClock(day(0))
    assert clock() == day(0)
    clock.stand_at(day(1))
    clock.stand_at(day(1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.stand_at(day(0))
    assert clock() == day(1)
