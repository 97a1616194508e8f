"""Not every candidate is news."""

from dataclasses import replace

import pytest

from signals.generation.candidate import Candidate
from signals.generation.gate import Gate
from signals.generation.votes import Direction
from signals.market.bars import Bars
from tests.signals.market.builders import bars_of

BARS = bars_of([10.0] * 30)
GATE = Gate(min_confidence=75, cooldown=3)


def candidate(bars: Bars, action: Direction = Direction.BUY, confidence: float = 80) -> Candidate:
    bar = bars.bar(-1)
    return Candidate(
        bar.symbol, bar.time, action, 10.0, 10.5, 9.7, confidence, 1.0, None, "because", ()
    )


@pytest.mark.parametrize(("confidence", "passes"), [(74.999999, False), (75.0, True), (100, True)])
def test_the_least_confidence_is_enough(confidence: float, passes: bool) -> None:
    assert GATE.passes(candidate(BARS, confidence=confidence), None, BARS) is passes


def test_nothing_that_is_unsure_passes_however_new() -> None:
    last = candidate(BARS.upto(5), Direction.SELL)
    assert not GATE.passes(candidate(BARS, confidence=50), last, BARS)


def test_without_a_new_bar_there_is_no_new_signal() -> None:
    last = candidate(BARS)
    assert not GATE.passes(last, last, BARS)
    assert not GATE.passes(replace(last, action=Direction.SELL), last, BARS)


def test_another_action_passes_on_the_next_bar() -> None:
    last = candidate(BARS.upto(10))
    window = BARS.upto(11)
    assert GATE.passes(candidate(window, Direction.SELL), last, window)


@pytest.mark.parametrize(("since", "passes"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_same_action_waits_for_the_cooldown(since: int, passes: bool) -> None:
    last = candidate(BARS.upto(10))
    window = BARS.upto(10 + since)
    assert GATE.passes(candidate(window), last, window) is passes


def test_a_history_shorter_than_the_cooldown_has_not_cooled_down() -> None:
    last = candidate(BARS.upto(1))
    window = BARS.upto(3)
    assert not GATE.passes(candidate(window), last, window)


@pytest.mark.parametrize("confidence", [-1, 101, float("nan")])
def test_a_confidence_that_no_candidate_can_have_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        Gate(confidence)


def test_a_cooldown_of_no_bars_is_refused() -> None:
    with pytest.raises(ValueError, match="cooldown"):
        Gate(75, cooldown=0)
