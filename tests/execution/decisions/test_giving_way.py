"""The work on a backlog stands behind the feed: what was stored has its index before it goes on."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection

from execution.decisions import engine, queue
from execution.decisions.engine import execute_due
from signals.feed import giving_way
from signals.feed.giving_way import GivingWay, lags
from signals.feed.sequence import Sequencer
from tests.databases import DATABASES
from tests.execution.trading_fixtures import WIDE, Trading, quoted

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BACKLOG_BATCH_SIZE", 2)
    monkeypatch.setattr(engine, "BATCH_SIZE", 2)
    monkeypatch.setattr(engine, "PAUSE", 0)
    monkeypatch.setattr(giving_way, "LOOK_EVERY", 0)
    giving_way._next.clear()


@pytest.fixture
def waits(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits of the decisions; a sequencer gets on during each of them."""
    found = list[float]()

    def sleep(seconds: float) -> None:
        found.append(seconds)
        next(Sequencer(trading.journal).batches(), None)

    monkeypatch.setattr(engine, "GivingWay", partial(GivingWay, sleep=sleep))
    return found


def log(trading: Trading, numbers: Sequence[int]) -> None:
    for number in numbers:
        trading.log(confidence=80 + number / 100)


def spied(act: Callable[..., Any], order: list[bool], trading: Trading) -> Callable[..., Any]:
    """Return `act` for a batch; it records if the sequence lags, and one more signal is stored."""
    numbers = count(50)

    def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        order.append(lags(trading.journal))
        found = act(*args, **named)
        if found:
            log(trading, [next(numbers)] if len(order) < 4 else [])
        return found

    return call


@pytest.mark.parametrize("batch", ["due_automatic", "claim"])
def test_each_batch_of_a_backlog_comes_after_the_index_of_what_was_stored(
    trading: Trading, waits: list[float], monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    made = quoted(trading.changed(limits=WIDE, auto_execute=batch == "claim"), AAPL=100.0)
    log(made, range(6))
    order = list[bool]()
    monkeypatch.setattr(queue, batch, spied(getattr(queue, batch), order, trading))
    counts = made.decide()
    assert counts.executed + counts.skipped == 9
    assert order[:5] == [True, False, False, False, False]
    assert len(waits) == 3, "one for each signal that came meanwhile, or before"


@pytest.mark.usefixtures("database")
def test_a_sequence_that_stands_still_delays_no_backlog_twice(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(
        engine, "GivingWay", partial(GivingWay, sleep=sleep, clock=lambda: now[0])
    )  # fmt: skip
    asleep = trading.changed(auto_execute=False)
    log(trading, range(7))
    assert asleep.decide().skipped == 7
    most = giving_way.LONGEST + giving_way.RECHECK_INTERVAL
    is_shared = connection.vendor == "postgresql"
    assert (sum(waits) == 0) if is_shared else (giving_way.LONGEST <= sum(waits) <= most)
    now[0] += giving_way.DEAD_FOR
    log(trading, range(10, 13))
    assert asleep.decide().skipped == 3
    assert is_shared or sum(waits) > giving_way.LONGEST * 1.9


def test_a_second_thread_leaves_a_backlog_to_the_first(
    trading: Trading, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would write in the pauses of the first: nobody else would get the lock of SQLite."""
    asleep = trading.changed(auto_execute=False)
    log(trading, range(3))
    is_alone = engine._backlogs[trading.context.account]
    with is_alone:
        assert execute_due(asleep.context).skipped == 0
    assert execute_due(asleep.context).skipped == 3
