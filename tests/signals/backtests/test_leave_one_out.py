"""Signals with all sources, and without each: the same that replays make."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from signals.backtests.leave_one_out import ALL, Walked, leave_each_out
from signals.generation import factory
from signals.generation.candidate import Candidate
from signals.generation.pipeline import SignalPipeline
from signals.generation.replay import Period, ReplayClock, replay
from signals.generation.voters import Voters
from signals.generation.votes import Vote
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.generation.logs import MemoryLog

PERIOD = Period(datetime(2008, 1, 1, tzinfo=UTC), datetime(2009, 12, 31, tzinfo=UTC))
LEFT_OUT = "trend"


@pytest.fixture(scope="module")
def histories() -> list[Bars]:
    market = SampleMarket()
    return [market.bars(symbol, PERIOD.end, datetime(2007, 1, 1, tzinfo=UTC))
            for symbol in ("AAPL", "IBM")]  # fmt: skip


@pytest.fixture(scope="module")
def walked(histories: list[Bars]) -> Walked:
    return leave_each_out(histories, PERIOD, factory.pipeline())


def replayed(histories: list[Bars], pipeline: SignalPipeline) -> list[dict[str, object]]:
    clock = ReplayClock(PERIOD.start)
    log = MemoryLog(clock)
    replay(histories, PERIOD, pipeline, log, clock)
    return sorted(log.signals, key=_order)


def signals(made: Sequence[Candidate]) -> list[dict[str, object]]:
    return sorted((each.as_signal() for each in made), key=_order)


def _order(signal: dict[str, object]) -> tuple[str, str]:
    return str(signal["symbol"]), str(signal["timestamp"])


def test_with_all_sources_they_are_the_signals_of_a_replay(
    histories: list[Bars], walked: Walked
) -> None:
    expected = replayed(histories, factory.pipeline())
    assert len(expected) > 40
    assert signals(walked.made[ALL]) == expected


def test_without_a_source_they_are_those_of_a_replay_that_never_had_it(
    histories: list[Bars], walked: Walked
) -> None:
    whole = factory.pipeline()
    members = [voter for voter in whole.voters.members if voter.name != LEFT_OUT]
    expected = replayed(histories, replace(whole, voters=Voters(members)))
    found = signals(walked.made[LEFT_OUT])
    assert found == expected
    assert found != signals(walked.made[ALL])


def test_every_source_is_left_out_once_and_the_votes_of_every_bar_are_kept(
    histories: list[Bars], walked: Walked
) -> None:
    names = [voter.name for voter in factory.pipeline().voters.members]
    assert [*walked.made] == [ALL, *names]
    assert walked.votes.shape == (sum(map(PERIOD.count, histories)), len(names))
    assert set(np.unique(walked.votes[~np.isnan(walked.votes)])) == {-1.0, 0.0, 1.0}


def test_each_source_votes_once_on_each_bar(histories: list[Bars]) -> None:
    whole = factory.pipeline()
    calls: list[str] = []

    def counted(source: Callable[[Bars], Vote | None]) -> Callable[[Bars], Vote | None]:
        def vote(bars: Bars) -> Vote | None:
            calls.append(bars.symbol)
            return source(bars)

        return vote

    voters = Voters([replace(each, source=counted(each.source)) for each in whole.voters.members])
    short = Period(datetime(2009, 12, 1, tzinfo=UTC), PERIOD.end)
    bars: list[int] = []
    leave_each_out(histories, short, replace(whole, voters=voters), bars.append)
    assert len(calls) == len(voters.members) * sum(map(short.count, histories))
    assert sum(bars) == sum(map(short.count, histories))
