"""Signals of all sample bars: without storing, with storing, and the time of TA-Lib alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import talib

from signals.generation import factory
from signals.generation.candidates import keep
from signals.generation.pipeline import SignalPipeline
from signals.generation.replay import Period, ReplayClock, replay
from signals.ledger.records import Receipt
from signals.market.bars import Bars, as_times
from signals.market.sample import SYMBOLS, SampleMarket
from signals.tracker import SignalTracker
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace

ALWAYS = Period(datetime(1990, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
INDICATORS = ("EMA", "ADX", "MACD", "RSI", "BBANDS", "ATR", "OBV", "MFI")
SHORT, LONG, WALKED = 1_000, 200_000, 2_000
Call = Callable[[], object]


class NoLog:
    """A signal log that stores nothing."""

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[Receipt]:
        return [Receipt("", "") for _ in signals]

    def receipt(self, signal: Mapping[str, object], /) -> Receipt:
        return Receipt("", "")

    def flush(self) -> None:
        pass


def run(workspace: Workspace) -> Iterator[Figure]:
    """Run each side in turns; each round stores new signals."""
    histories = [SampleMarket().bars(symbol) for symbol in SYMBOLS]
    bars = sum(map(len, histories))
    calls = _recorded(histories)
    long = _walk(workspace.size(LONG, 20_000) + WALKED)
    short = long.between(long.time_at(-SHORT - WALKED), long.time_at(-1))
    found = medians(
        workspace.size(5, 1),
        {
            "generation": lambda _: bars / seconds(lambda: _generate(histories, ALWAYS)),
            "TA-Lib's calls": lambda _: bars / seconds(lambda: [call() for call in calls]),
            "replay with storing": lambda turn: bars / seconds(lambda: _store(histories, turn)),
            "a long history": lambda _: _cost_of_the_last(long),
            "a short history": lambda _: _cost_of_the_last(short),
        },
    )
    what = f"signals made of {bars:,} sample bars"
    yield at_least(f"{what}, bars a second", found["generation"], 5_000, "/s")
    yield at_least(f"{what} and stored, bars a second", found["replay with storing"], 2_000, "/s")
    share = found["generation"] / found["TA-Lib's calls"]
    yield Figure(f"- {what}: TA-Lib's share of the time", f"{share:.0%}")
    yield at_most(
        f"cost of a bar after {workspace.size(LONG, 20_000):,} others, to one after {SHORT:,}",
        found["a long history"] / found["a short history"], 1.1, " times",
    )  # fmt: skip


def _generate(histories: Sequence[Bars], period: Period) -> None:
    replay(histories, period, factory.pipeline(), NoLog(), ReplayClock(period.start))


def _store(histories: Sequence[Bars], turn: int) -> None:
    """Replay and store as the command does it, with a different strategy in each turn."""
    clock = ReplayClock(ALWAYS.start)
    tracker = SignalTracker(origin="replay", clock=clock)
    replay(histories, ALWAYS, _named(f"turn {turn}"), tracker, clock, keep)
    tracker.close()


def _named(strategy: str) -> SignalPipeline:
    pipeline = factory.pipeline()
    return replace(pipeline, consensus=replace(pipeline.consensus, name=strategy))


def _recorded(histories: Sequence[Bars]) -> list[Call]:
    """Return the calls of TA-Lib that generation makes, so that they can be repeated alone."""
    calls: list[Call] = []

    def recorder(indicator: Callable[..., Any]) -> Callable[..., Any]:
        def record(*arguments: object) -> Any:  # noqa: ANN401
            calls.append(lambda: indicator(*arguments))
            return indicator(*arguments)

        return record

    with ExitStack() as stack:
        for name in INDICATORS:
            stack.enter_context(patch.object(talib, name, recorder(getattr(talib, name))))
        _generate(histories, ALWAYS)
    return calls


def _cost_of_the_last(bars: Bars) -> float:
    """Return the seconds for each of the last bars of this history."""
    period = Period(bars.time_at(-WALKED), bars.time_at(-1))
    return seconds(lambda: _generate([bars], period)) / WALKED


def _walk(length: int) -> Bars:
    """Return an hourly random walk."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(length).normal(0, 0.01, length)) / 4)
    ends = datetime(2010, 1, 4, 20, tzinfo=UTC)
    times = [ends - timedelta(hours=length - number) for number in range(length)]
    return Bars.checked(
        "BTC-USD", as_times(times), open=close, high=close * 1.005, low=close * 0.995,
        close=close, volume=np.full(length, 1000.0),
    )  # fmt: skip
