"""Decisions wait in a queue: each is made by one worker, and none is left behind."""

import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from argo.errors import NotFound
from execution.brokers.protocol import BrokerError
from execution.decisions import engine, intents, queue
from execution.decisions.queue import AlreadyDecided, ask_for, enqueue
from execution.models import Decision, Order
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import Denial, Reason
from signals.ledger.store import StoredSignal
from signals.market.protocol import Quote
from signals.timestamps import parse_utc
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    Trading,
    codes_of,
    decision_of,
    in_threads,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
DOWN = BrokerError("connection refused", permanent=False)


@pytest.mark.usefixtures("database")
def test_a_live_signal_waits_for_a_decision_and_history_does_not(trading: Trading) -> None:
    live = trading.log()
    origins = ("import", "adopted", "replay")
    past = [StoredSignal(live.pk, live.signal_id, origin, {}) for origin in origins]
    Decision.objects.all().delete()
    enqueue(past)
    assert not Decision.objects.exists()
    enqueue([StoredSignal(live.pk, live.signal_id, "python", {})] * 2)
    (decision,) = Decision.objects.all()
    assert (decision.pk, decision.status, decision.account) == (live.pk, "pending", "paper")


@pytest.mark.usefixtures("database")
def test_a_person_may_ask_for_a_signal_that_was_skipped(trading: Trading) -> None:
    off = trading.changed(auto_execute=False)
    signal = off.log()
    off.decide()
    ask_for(signal.signal_id, "ann", trading.clock())
    assert off.decide().executed == 1
    assert decision_of(signal).asked_by == "ann"
    with pytest.raises(AlreadyDecided):
        ask_for(signal.signal_id, "ann", trading.clock())


@pytest.mark.usefixtures("database")
def test_what_was_decided_before_is_kept(trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    first = decision_of(signal)
    for who in ("ann", "bob"):
        trading.clock.pass_by(seconds=1)
        ask_for(signal.signal_id, who, trading.clock())
        ask_for(signal.signal_id, who, trading.clock())  # still waits: nothing to be kept
        trading.decide()
    before = decision_of(signal).earlier
    assert [each["asked_by"] for each in before] == ["", "ann"]
    assert before[0]["reasons"] == before[1]["reasons"] == first.reasons
    assert parse_utc(before[0]["decided_at"]) == first.decided_at


def test_history_may_be_asked_for_and_is_too_old(trading: Trading) -> None:
    signal = trading.log(origin="import")
    trading.clock.pass_by(days=1)
    ask_for(signal.signal_id, "ann", trading.clock())
    trading.decide()
    assert codes_of(signal) == ["stale"]


def test_what_is_not_stored_cannot_be_asked_for(trading: Trading) -> None:
    with pytest.raises(NotFound):
        ask_for("no-such-signal", "ann", trading.clock())


@pytest.mark.usefixtures("database")
def test_a_decision_of_a_dead_worker_is_made_once_its_lease_ends(trading: Trading) -> None:
    signal = trading.log()
    assert len(queue.claim("paper", "dead", 10, trading.clock())) == 1
    assert trading.decide().executed == 0
    trading.clock.pass_by(seconds=queue.LEASE.total_seconds())
    trading.market.quotes[SYMBOL] = Quote(100.0, trading.clock())
    assert trading.decide().executed == 1
    assert states_of(signal)["entry"] == "accepted"


@pytest.mark.usefixtures("database")
def test_who_lost_a_decision_to_another_worker_changes_nothing(trading: Trading) -> None:
    signal = trading.log()
    (slow,) = queue.claim("paper", "slow", 10, trading.clock())
    trading.clock.pass_by(minutes=3)
    (mine,) = queue.claim("paper", "mine", 10, trading.clock())
    assert not queue.skip(slow, [Denial(Reason.HELD, "")], trading.clock())
    assert not queue.execute(slow, "x", trading.clock())
    assert not queue.postpone(slow, trading.clock())
    assert decision_of(signal).status == "deciding"
    assert queue.execute(mine, "x", trading.clock())


def test_the_oldest_decision_comes_first(trading: Trading) -> None:
    made = []
    for _ in range(3):
        made.append(trading.log())
        trading.clock.pass_by(seconds=1)
    trading.changed(limits=Limits(max_positions=1)).decide()
    statuses = [decision_of(each).status for each in made]
    assert statuses == ["executed", "skipped", "skipped"]


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_two_workers_on_one_decision_make_one_order(trading: Trading, database: str) -> None:
    made = [trading.log() for _ in range(5)]
    limits = Limits(max_per_symbol=9, orders_a_minute=None, max_position=Decimal(100))
    context = trading.changed(limits=limits, sizing=Sizing(percent=Decimal("0.1")))
    workers = [context.decide] * 3
    tallies = in_threads(database, workers)
    assert sum(tally.executed for tally in tallies) == 5
    assert Order.objects.filter(leg="entry").count() == 5
    assert {states_of(each)["entry"] for each in made} == {"accepted"}
    assert trading.broker.calls.count("submit") == 5


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_two_decisions_at_once_cannot_both_pass_a_limit(
    trading: Trading, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker has one of them, and has read the books, before either decides."""
    monkeypatch.setattr(engine, "size", _slowly(intents.size))
    limited = trading.changed(limits=Limits(max_positions=1))
    trading.look()  # from now on the account has a row
    trading.market.quotes["MSFT"] = trading.market.quotes[SYMBOL]
    made = [trading.log(), trading.log(symbol="MSFT")]
    now = trading.clock()
    claimed = [queue.claim("paper", who, 1, now)[0] for who in ("first", "second")]
    in_threads(database, [partial(engine._decide, limited.context, each) for each in claimed])
    assert sorted(decision_of(each).status for each in made) == ["executed", "skipped"]


def _slowly(size: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*arguments: object) -> Any:  # noqa: ANN401
        time.sleep(0.3)
        return size(*arguments)

    return slow
