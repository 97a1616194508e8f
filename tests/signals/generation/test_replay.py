"""A replay walks through the past on its own clock, and always gives the same signals."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from signals.generation import factory
from signals.generation.candidates import Judged
from signals.generation.pipeline import SignalPipeline
from signals.generation.replay import (
    KEEP_BATCH_SIZE,
    Period,
    ReplayClock,
    ReplayCounts,
    ReplaySummary,
    replay,
)
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.generation.logs import MemoryLog
from tests.signals.generation.pipelines import pipeline_of, says
from tests.signals.market.builders import FIRST_CLOSE, bars_of

ALWAYS = Period(FIRST_CLOSE - timedelta(days=10000), FIRST_CLOSE + timedelta(days=10000))
BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL


def day(number: int) -> datetime:
    """Return the close of a test market's bar by its index."""
    return FIRST_CLOSE + timedelta(days=number)


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class MemoryReplay:
    """A replay into memory: the signals that it logged, and the candidates that it kept."""

    def __init__(self, full_at: int = 10**9) -> None:
        self.clock = ReplayClock(ALWAYS.start)
        self.log = MemoryLog(self.clock, full_at=full_at)
        self.batches: list[list[Judged]] = []

    def run(
        self, histories: Sequence[Bars], pipeline: SignalPipeline, period: Period = ALWAYS
    ) -> ReplaySummary:
        return replay(
            histories, period, pipeline, self.log, self.clock,
            keep=lambda judged: self.batches.append(list(judged)),
        )  # fmt: skip

    @property
    def kept(self) -> list[Judged]:
        return [judged for batch in self.batches for judged in batch]

    @property
    def seen(self) -> list[tuple[object, object]]:
        return [(signal["symbol"], signal["timestamp"]) for signal in self.log.signals]


@pytest.fixture(scope="module")
def histories() -> list[Bars]:
    market = SampleMarket()
    return [market.bars(symbol) for symbol in ("FB", "GOOG", "IBM")]


@pytest.fixture(scope="module")
def replayed(histories: list[Bars]) -> tuple[MemoryReplay, ReplaySummary]:
    """Return a replay of real bars and its summary; tests only read it."""
    memory = MemoryReplay()
    return memory, memory.run(histories, factory.pipeline())


def test_the_real_bars_give_hundreds_of_signals(
    histories: list[Bars], replayed: tuple[MemoryReplay, ReplaySummary]
) -> None:
    memory, summary = replayed
    assert summary.total.bars == sum(map(len, histories))
    assert 200 < summary.total.stored == len(memory.log.signals) < summary.total.candidates
    assert all(counts.stored for counts in summary.by_symbol.values())


def test_the_same_bars_give_the_same_signals(
    histories: list[Bars], replayed: tuple[MemoryReplay, ReplaySummary]
) -> None:
    again = MemoryReplay()
    assert again.run(histories, factory.pipeline()) == replayed[1]
    assert again.log.signals == replayed[0].log.signals
    assert [each.candidate_id for each in again.kept] == [e.candidate_id for e in replayed[0].kept]


def test_every_candidate_is_kept_with_its_reasons_or_its_signal(
    replayed: tuple[MemoryReplay, ReplaySummary],
) -> None:
    memory, summary = replayed
    assert len(memory.kept) == summary.total.candidates
    assert len({judged.candidate_id for judged in memory.kept}) == len(memory.kept)
    assert all(bool(judged.reasons) != bool(judged.signal_id) for judged in memory.kept)
    codes = Counter(reason.code for judged in memory.kept for reason in judged.reasons)
    assert codes == summary.total.rejected
    assert max(map(len, memory.batches)) < KEEP_BATCH_SIZE + len(summary.by_symbol)


def test_symbols_and_regimes_add_up_to_the_total(
    replayed: tuple[MemoryReplay, ReplaySummary],
) -> None:
    summary = replayed[1]
    for groups in (summary.by_symbol, summary.by_regime):
        assert sum(counts.bars for counts in groups.values()) == summary.total.bars
        assert sum(counts.candidates for counts in groups.values()) == summary.total.candidates
        assert sum(counts.stored for counts in groups.values()) == summary.total.stored
        rejected = sum((counts.rejected for counts in groups.values()), Counter[str]())
        assert rejected == summary.total.rejected
    assert list(summary.by_regime) == ["BEAR", "BULL", "CHOP", "UNKNOWN"]


def test_a_source_sees_no_bar_after_the_current_one() -> None:
    seen: list[tuple[str, int, datetime]] = []
    memory = MemoryReplay()

    def spy(bars: Bars) -> None:
        seen.append((bars.symbol, len(bars), bars.time_at(-1)))
        assert bars.time_at(-1) == memory.clock()

    memory.run([bars_of([1.0, 2.0, 3.0])], pipeline_of(spy))
    assert seen == [("TEST", 1, day(0)), ("TEST", 2, day(1)), ("TEST", 3, day(2))]


def test_the_clock_shows_the_close_of_the_bar_whose_signal_is_logged(
    replayed: tuple[MemoryReplay, ReplaySummary],
) -> None:
    log = replayed[0].log
    assert [text(moment) for moment in log.received] == [each["timestamp"] for each in log.signals]
    assert log.received == sorted(log.received)


def test_symbols_are_walked_together_in_time_order() -> None:
    early, late = bars_of([1.0] * 3, "B"), bars_of([1.0] * 3, "A", first=day(1))
    memory = MemoryReplay()
    memory.run([early, late], says([BUY, SELL, BUY], cooldown=1))
    assert memory.seen == [
        ("B", text(day(0))),
        ("B", text(day(1))),
        ("A", text(day(1))),
        ("B", text(day(2))),
        ("A", text(day(2))),
        ("A", text(day(3))),
    ]


def test_symbols_do_not_cool_each_other_down() -> None:
    memory = MemoryReplay()
    memory.run([bars_of([1.0] * 6, "A"), bars_of([1.0] * 6, "B")], says([BUY] * 6))
    assert memory.seen == [
        ("A", text(day(0))), ("B", text(day(0))), ("A", text(day(5))), ("B", text(day(5))),
    ]  # fmt: skip


def test_after_a_signal_the_symbol_cools_down() -> None:
    votes = [BUY, BUY, NEUTRAL, BUY, SELL, SELL, None, SELL, SELL, SELL, BUY]
    memory = MemoryReplay()
    summary = memory.run([bars_of([1.0] * len(votes))], says(votes))
    assert [when for _, when in memory.seen] == [text(day(0)), text(day(5)), text(day(10))]
    assert [signal["action"] for signal in memory.log.signals] == ["BUY", "SELL", "BUY"]
    counts = ReplayCounts(11, 9, Counter(cooldown=6), 3)
    assert summary == ReplaySummary(counts, {"TEST": counts}, {"UNKNOWN": counts})


def test_a_rejected_candidate_starts_no_cooldown() -> None:
    confidences = [50.0, 90.0]

    def wavering(bars: Bars) -> Vote:
        return Vote(BUY, confidences[len(bars) - 1])

    memory = MemoryReplay()
    memory.run([bars_of([1.0, 1.0])], pipeline_of(wavering))
    assert [when for _, when in memory.seen] == [text(day(1))]


def test_a_period_includes_its_ends_and_warms_up_on_earlier_bars() -> None:
    lengths: list[int] = []

    def counting(bars: Bars) -> Vote:
        lengths.append(len(bars))
        return Vote(BUY, 90.0)

    memory = MemoryReplay()
    summary = memory.run([bars_of([1.0] * 120)], pipeline_of(counting), Period(day(60), day(100)))
    assert summary.total.bars == 41
    assert (lengths[0], lengths[-1]) == (61, 101)
    assert memory.seen[0] == ("TEST", text(day(60)))


def test_a_period_counts_the_bars_it_will_walk() -> None:
    bars = bars_of([1.0] * 10)
    assert Period(day(3), day(5)).count(bars) == 3
    assert Period(day(8), day(99)).count(bars) == 2
    assert Period(day(50), day(99)).count(bars) == 0


def test_signals_are_logged_as_plain_python(replayed: tuple[MemoryReplay, ReplaySummary]) -> None:
    signals = replayed[0].log.signals
    assert {type(value) for signal in signals for value in signal.values()} == {
        str, float, int, list,
    }  # fmt: skip
    json.dumps(signals, allow_nan=False)


def test_the_database_is_filled_once_at_the_end(
    replayed: tuple[MemoryReplay, ReplaySummary],
) -> None:
    log = replayed[0].log
    assert log.flushes == [len(log.signals)]


def test_signals_accepted_before_a_failure_still_reach_the_database() -> None:
    memory = MemoryReplay(full_at=2)
    with pytest.raises(OSError, match="disk full"):
        memory.run([bars_of([1.0] * 3)], says([BUY, SELL, BUY], cooldown=1))
    assert memory.log.flushes == [2]
    assert len(memory.kept) == 2


def test_progress_is_reported_bar_by_bar() -> None:
    counts: list[int] = []
    histories = [bars_of([1.0] * 2, "A"), bars_of([1.0] * 2, "B", first=day(1))]
    clock = ReplayClock(ALWAYS.start)
    replay(histories, ALWAYS, says([None] * 2), MemoryLog(), clock, on_bars=counts.append)
    assert counts == [1, 2, 1]


def test_a_symbol_that_appears_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"appears twice: \['A', 'A'\]"):
        MemoryReplay().run([bars_of([1.0], "A"), bars_of([1.0], "A")], says([None]))


def test_the_clock_begins_at_its_start_and_never_goes_back() -> None:
    clock = ReplayClock(day(0))
    assert clock() == day(0)
    clock.move_to(day(1))
    clock.move_to(day(1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(day(0))
    assert clock() == day(1)
