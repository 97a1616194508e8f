"""A replay walks the past on its own clock, and always tells the same story."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from signals.generation.candidates import Judged
from signals.generation.factory import recipe
from signals.generation.pipeline import Recipe
from signals.generation.replay import (
    KEPT_AT_ONCE,
    Period,
    ReplayClock,
    ReplaySummary,
    Tally,
    replay,
)
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.generation.logs import MemoryLog
from tests.signals.generation.recipes import recipe_of, says
from tests.signals.market.builders import FIRST_CLOSE, bars_of

ALWAYS = Period(FIRST_CLOSE - timedelta(days=10000), FIRST_CLOSE + timedelta(days=10000))
BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL


def day(number: int) -> datetime:
    """The close of a test market's bar by its index."""
    return FIRST_CLOSE + timedelta(days=number)


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class Story:
    """A replay into memory: what it logged, and which candidates it kept."""

    def __init__(self, full_at: int = 10**9) -> None:
        self.clock = ReplayClock(ALWAYS.start)
        self.log = MemoryLog(self.clock, full_at=full_at)
        self.batches: list[list[Judged]] = []

    def run(self, histories: Sequence[Bars], how: Recipe, period: Period = ALWAYS) -> ReplaySummary:
        return replay(
            histories, period, how, self.log, self.clock,
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
def told(histories: list[Bars]) -> tuple[Story, ReplaySummary]:
    """A replay of real bars; tests only read it."""
    story = Story()
    return story, story.run(histories, recipe())


def test_the_real_bars_give_hundreds_of_signals(
    histories: list[Bars], told: tuple[Story, ReplaySummary]
) -> None:
    story, summary = told
    assert summary.total.bars == sum(map(len, histories))
    assert 200 < summary.total.stored == len(story.log.signals) < summary.total.candidates
    assert all(tally.stored for tally in summary.by_symbol.values())


def test_the_same_bars_give_the_same_signals(
    histories: list[Bars], told: tuple[Story, ReplaySummary]
) -> None:
    again = Story()
    assert again.run(histories, recipe()) == told[1]
    assert again.log.signals == told[0].log.signals
    assert [each.candidate_id for each in again.kept] == [e.candidate_id for e in told[0].kept]


def test_every_candidate_is_kept_with_its_reasons_or_its_signal(
    told: tuple[Story, ReplaySummary],
) -> None:
    story, summary = told
    assert len(story.kept) == summary.total.candidates
    assert len({judged.candidate_id for judged in story.kept}) == len(story.kept)
    assert all(bool(judged.reasons) != bool(judged.signal_id) for judged in story.kept)
    codes = Counter(reason.code for judged in story.kept for reason in judged.reasons)
    assert codes == summary.total.rejected
    assert max(map(len, story.batches)) < KEPT_AT_ONCE + len(summary.by_symbol)


def test_symbols_and_regimes_add_up_to_the_total(told: tuple[Story, ReplaySummary]) -> None:
    summary = told[1]
    for tallies in (summary.by_symbol, summary.by_regime):
        assert sum(tally.bars for tally in tallies.values()) == summary.total.bars
        assert sum(tally.candidates for tally in tallies.values()) == summary.total.candidates
        assert sum(tally.stored for tally in tallies.values()) == summary.total.stored
        rejected = sum((tally.rejected for tally in tallies.values()), Counter[str]())
        assert rejected == summary.total.rejected
    assert list(summary.by_regime) == ["BEAR", "BULL", "CHOP", "UNKNOWN"]


def test_a_source_sees_no_bar_after_the_current_one() -> None:
    seen: list[tuple[str, int, datetime]] = []
    story = Story()

    def spy(bars: Bars) -> None:
        seen.append((bars.symbol, len(bars), bars.time_at(-1)))
        assert bars.time_at(-1) == story.clock()

    story.run([bars_of([1.0, 2.0, 3.0])], recipe_of(spy))
    assert seen == [("TEST", 1, day(0)), ("TEST", 2, day(1)), ("TEST", 3, day(2))]


def test_the_clock_stands_at_the_bar_whose_signal_is_logged(
    told: tuple[Story, ReplaySummary],
) -> None:
    log = told[0].log
    assert [text(moment) for moment in log.received] == [each["timestamp"] for each in log.signals]
    assert log.received == sorted(log.received)


def test_symbols_are_walked_together_in_time_not_one_after_the_other() -> None:
    early, late = bars_of([1.0] * 3, "B"), bars_of([1.0] * 3, "A", first=day(1))
    story = Story()
    story.run([early, late], says([BUY, SELL, BUY], cooldown=1))
    assert story.seen == [
        ("B", text(day(0))),
        ("B", text(day(1))),
        ("A", text(day(1))),
        ("B", text(day(2))),
        ("A", text(day(2))),
        ("A", text(day(3))),
    ]


def test_symbols_do_not_cool_each_other_down() -> None:
    story = Story()
    story.run([bars_of([1.0] * 6, "A"), bars_of([1.0] * 6, "B")], says([BUY] * 6))
    assert story.seen == [
        ("A", text(day(0))), ("B", text(day(0))), ("A", text(day(5))), ("B", text(day(5))),
    ]  # fmt: skip


def test_after_a_signal_the_symbol_cools_down() -> None:
    votes = [BUY, BUY, NEUTRAL, BUY, SELL, SELL, None, SELL, SELL, SELL, BUY]
    story = Story()
    summary = story.run([bars_of([1.0] * len(votes))], says(votes))
    assert [when for _, when in story.seen] == [text(day(0)), text(day(5)), text(day(10))]
    assert [signal["action"] for signal in story.log.signals] == ["BUY", "SELL", "BUY"]
    tally = Tally(11, 9, Counter(cooldown=6), 3)
    assert summary == ReplaySummary(tally, {"TEST": tally}, {"UNKNOWN": tally})


def test_a_candidate_too_unsure_to_be_logged_starts_no_cooldown() -> None:
    confidences = [50.0, 90.0]

    def wavering(bars: Bars) -> Vote:
        return Vote(BUY, confidences[len(bars) - 1])

    story = Story()
    story.run([bars_of([1.0, 1.0])], recipe_of(wavering))
    assert [when for _, when in story.seen] == [text(day(1))]


def test_a_period_includes_its_ends_and_warms_up_on_what_came_before() -> None:
    lengths: list[int] = []

    def counting(bars: Bars) -> Vote:
        lengths.append(len(bars))
        return Vote(BUY, 90.0)

    story = Story()
    summary = story.run([bars_of([1.0] * 120)], recipe_of(counting), Period(day(60), day(100)))
    assert summary.total.bars == 41
    assert (lengths[0], lengths[-1]) == (61, 101)
    assert story.seen[0] == ("TEST", text(day(60)))


def test_a_period_counts_the_bars_it_will_walk() -> None:
    bars = bars_of([1.0] * 10)
    assert Period(day(3), day(5)).count(bars) == 3
    assert Period(day(8), day(99)).count(bars) == 2
    assert Period(day(50), day(99)).count(bars) == 0


def test_what_is_logged_is_plain_python(told: tuple[Story, ReplaySummary]) -> None:
    signals = told[0].log.signals
    assert {type(value) for signal in signals for value in signal.values()} == {
        str, float, int, list,
    }  # fmt: skip
    json.dumps(signals, allow_nan=False)


def test_the_database_is_filled_once_at_the_end(told: tuple[Story, ReplaySummary]) -> None:
    log = told[0].log
    assert log.flushes == [len(log.signals)]


def test_what_was_accepted_before_a_failure_still_reaches_the_database() -> None:
    story = Story(full_at=2)
    with pytest.raises(OSError, match="disk full"):
        story.run([bars_of([1.0] * 3)], says([BUY, SELL, BUY], cooldown=1))
    assert story.log.flushes == [2]
    assert len(story.kept) == 2


def test_progress_is_told_bar_by_bar() -> None:
    counts: list[int] = []
    histories = [bars_of([1.0] * 2, "A"), bars_of([1.0] * 2, "B", first=day(1))]
    clock = ReplayClock(ALWAYS.start)
    replay(histories, ALWAYS, says([None] * 2), MemoryLog(), clock, on_bars=counts.append)
    assert counts == [1, 2, 1]


def test_a_symbol_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there twice: \['A', 'A'\]"):
        Story().run([bars_of([1.0], "A"), bars_of([1.0], "A")], says([None]))


def test_the_clock_begins_at_its_start_and_never_goes_back() -> None:
    clock = ReplayClock(day(0))
    assert clock() == day(0)
    clock.stand_at(day(1))
    clock.stand_at(day(1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.stand_at(day(0))
    assert clock() == day(1)
