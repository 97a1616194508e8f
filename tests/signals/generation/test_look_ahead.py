"""No look-ahead: later bars change neither a vote nor a signal."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from signals.generation import factory
from signals.generation.pipeline import Opinion, SignalPipeline
from signals.generation.replay import Period, ReplayClock, replay
from signals.generation.sources import breakout, mean_reversion, momentum, trend, volume
from signals.generation.sources.protocol import Source
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.generation.logs import MemoryLog

ALWAYS = Period(datetime(1990, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
SOURCES = {
    "trend": trend.vote,
    "momentum": momentum.vote,
    "mean reversion": mean_reversion.vote,
    "breakout": breakout.vote,
    "volume": volume.vote,
}
Tamper = Callable[[Bars, int], Bars]


@pytest.fixture(scope="module")
def goog() -> Bars:
    return SampleMarket().bars("GOOG")


def cut_off(bars: Bars, end: int) -> Bars:
    """Return columns that end at `end`: what was known then, and nothing else in memory."""
    return _rebuilt(bars, end, end)


def poisoned(bars: Bars, end: int) -> Bars:
    """Return a window on columns in which every later price is different."""
    return _rebuilt(bars, len(bars), end).upto(end)


def _rebuilt(bars: Bars, length: int, end: int) -> Bars:
    def column(values: np.ndarray) -> np.ndarray:
        copy = values[:length].copy()
        copy[end:] *= 7
        return copy

    return Bars.checked(
        bars.symbol, bars.time[:length], open=column(bars.open), high=column(bars.high),
        low=column(bars.low), close=column(bars.close), volume=column(bars.volume),
    )  # fmt: skip


@pytest.mark.parametrize("tamper", [cut_off, poisoned])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_votes_the_same_with_and_without_later_bars(
    source: Source, tamper: Tamper, goog: Bars
) -> None:
    for end in range(90, len(goog), 3):
        assert source(tamper(goog, end)) == source(goog.upto(end))


@pytest.mark.parametrize("tamper", [cut_off, poisoned])
def test_regime_votes_and_verdict_are_the_same_at_every_bar(tamper: Tamper, goog: Bars) -> None:
    pipeline = factory.pipeline()
    verdicts = 0
    for end in range(1, len(goog)):
        then: Opinion = pipeline.opinion(tamper(goog, end))
        assert then == pipeline.opinion(goog.upto(end))
        verdicts += then.verdict is not None
    assert verdicts > 1000


def test_a_replay_of_truncated_bars_logs_the_first_signals_of_the_whole_replay() -> None:
    histories = [SampleMarket().bars(symbol) for symbol in ("FB", "GOOG")]
    pipeline = factory.pipeline()
    whole = _signals(histories, pipeline)
    assert len(whole) > 100
    dates = sorted({moment for bars in histories for moment in bars.time.tolist()})
    for date in dates[199::100]:
        now = date.replace(tzinfo=UTC)
        then = [cut_off(bars, bars.count_through(now)) for bars in histories]
        assert _signals(then, pipeline) == [
            each for each in whole if each["timestamp"] <= _text(now)
        ]


def test_a_replay_that_ends_at_any_bar_logs_the_same_signals_up_to_there(goog: Bars) -> None:
    pipeline, first = factory.pipeline(), goog.time_at(800)
    whole = _signals([goog], pipeline, Period(first, goog.time_at(949)))
    assert {each["timestamp"] > _text(goog.time_at(850)) for each in whole} == {True, False}
    for end in range(850, 951):
        now = goog.time_at(end - 1)
        then = _signals([cut_off(goog, end)], pipeline, Period(first, now))
        assert then == [each for each in whole if each["timestamp"] <= _text(now)]


def _signals(
    histories: list[Bars], pipeline: SignalPipeline, period: Period = ALWAYS
) -> list[dict[str, Any]]:
    log = MemoryLog()
    replay(histories, period, pipeline, log, ReplayClock(ALWAYS.start))
    return log.signals


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
