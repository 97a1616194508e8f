"""Decisions wait in a queue: one worker makes each, and none is forgotten."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from argo.errors import NotFound
from execution.accounts import halts
from execution.context import TradingContext
from execution.decisions import batch, intents, queue
from execution.decisions.queue import (
    DECISION_LEASE,
    AlreadyDecided,
    ClaimedDecision,
    ask_for,
    enqueue,
)
from execution.models import Counterfactual, Decision, Order
from execution.orders.router import send_due
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import Denial, HaltCode, Reason
from signals.journal import Line, Offset
from signals.ledger.records import Record
from signals.ledger.store import StoredSignal
from signals.market.protocol import Quote
from signals.timestamps import parse_utc
from tests.databases import DATABASES
from tests.execution.threads import in_threads
from tests.execution.trading_fixtures import (
    SYMBOL,
    Died,
    Trading,
    codes_of,
    decision_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.mark.usefixtures("database")
def test_live_signals_are_queued_and_past_ones_are_not(trading: Trading) -> None:
    live = trading.log()
    origins = ("import", "adopted", "replay")
    record = Record(Line(Offset(1, 0), b""), {})
    past = [StoredSignal(live.pk, live.signal_id, origin, record) for origin in origins]
    Decision.objects.all().delete()
    enqueue(past)
    assert not Decision.objects.exists()
    enqueue([StoredSignal(live.pk, live.signal_id, "python", record)] * 2)
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
def test_earlier_decisions_are_kept(trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    first = decision_of(signal)
    for who in ("ann", "bob"):
        trading.clock.pass_by(seconds=1)
        ask_for(signal.signal_id, who, trading.clock())
        # It is still pending now: there is no decision to keep.
        ask_for(signal.signal_id, who, trading.clock())
        trading.decide()
    before = decision_of(signal).earlier
    assert [each["asked_by"] for each in before] == ["", "ann"]
    assert before[0]["reasons"] == before[1]["reasons"] == first.reasons
    assert parse_utc(before[0]["decided_at"]) == first.decided_at


def test_a_past_signal_may_be_asked_for_but_is_stale(trading: Trading) -> None:
    signal = trading.log(origin="import")
    trading.clock.pass_by(days=1)
    ask_for(signal.signal_id, "ann", trading.clock())
    trading.decide()
    assert codes_of(signal) == ["stale"]


def test_an_unknown_signal_cannot_be_asked_for(trading: Trading) -> None:
    with pytest.raises(NotFound):
        ask_for("no-such-signal", "ann", trading.clock())


@pytest.mark.usefixtures("database")
def test_a_dead_workers_decision_is_made_after_its_lease(trading: Trading) -> None:
    signal = trading.log()
    assert len(queue.claim("paper", "dead", 10, trading.clock())) == 1
    assert trading.decide().executed == 0
    trading.clock.pass_by(seconds=DECISION_LEASE.total_seconds())
    trading.market.quotes[SYMBOL] = Quote(100.0, trading.clock())
    assert trading.decide().executed == 1
    assert states_of(signal)["entry"] == "accepted"


@pytest.mark.usefixtures("database")
def test_a_worker_whose_lease_is_over_changes_nothing(trading: Trading) -> None:
    signal = trading.log()
    (slow,) = queue.claim("paper", "slow", 10, trading.clock())
    trading.clock.pass_by(minutes=3)
    (fast,) = queue.claim("paper", "fast", 10, trading.clock())
    assert not queue.mark_skipped(slow, [Denial(Reason.HELD, "")], trading.clock())
    assert not queue.mark_executed(slow, "x", trading.clock())
    assert not queue.postpone(slow, trading.clock())
    assert decision_of(signal).status == "deciding"
    assert queue.mark_executed(fast, "x", trading.clock())


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
    wide = trading.changed(limits=limits, sizing=Sizing(percent=Decimal("0.1")))
    counts = in_threads(database, [wide.decide] * 3)
    assert sum(each.executed for each in counts) == 5
    assert Order.objects.filter(leg="entry").count() == 5
    assert {states_of(each)["entry"] for each in made} == {"accepted"}
    assert trading.broker.calls.count("submit") == 5


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_two_decisions_at_once_cannot_both_pass_a_limit(
    trading: Trading, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker claims one decision before either of them decides."""
    monkeypatch.setattr(batch, "size", _slowly(intents.size))
    limited = trading.changed(limits=Limits(max_positions=1))
    trading.look()  # from now on the account has a row
    trading.market.quotes["MSFT"] = trading.market.quotes[SYMBOL]
    made = [trading.log(), trading.log(symbol="MSFT")]
    now = trading.clock()
    claimed = [queue.claim("paper", who, 1, now)[0] for who in ("first", "second")]
    in_threads(database, [partial(_decide_one, limited.context, each) for each in claimed])
    assert sorted(decision_of(each).status for each in made) == ["executed", "skipped"]


def _decide_one(context: TradingContext, claimed: ClaimedDecision) -> list[batch.Made]:
    return list(batch.decide(context, [claimed]))


def _slowly(size: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*arguments: object) -> Any:  # noqa: ANN401
        time.sleep(0.3)
        return size(*arguments)

    return slow


def test_fault_28_a_signal_that_a_person_asks_for_meets_the_same_rules(trading: Trading) -> None:
    off = trading.changed(auto_execute=False)
    signal = off.log(confidence=20.0)
    halts.latch("paper", HaltCode.BY_HAND, "enough", trading.clock())
    ask_for(signal.signal_id, "ann", trading.clock())
    off.decide()
    assert codes_of(signal) == ["halt", "confidence"]
    assert not Order.objects.exists()


def test_fault_39_the_claims_of_a_dead_process_end(trading: Trading) -> None:
    claimed = trading.log()
    queue.claim("paper", "dead", 10, trading.clock())
    trading.broker.before["submit"] = Died()
    sent = trading.log()
    with pytest.raises(Died):
        trading.decide()
    assert (decision_of(claimed).status, states_of(sent)["entry"]) == ("deciding", "submitted")
    trading.broker.before.clear()
    trading.wait(seconds=DECISION_LEASE.total_seconds())
    again = trading.restarted().changed(limits=Limits(max_per_symbol=2, max_position=Decimal(50)))
    send_due(again.context)
    again.decide()
    assert states_of(claimed)["entry"] == states_of(sent)["entry"] == "accepted"


def test_a_signal_that_is_traded_later_has_no_counterfactual(trading: Trading) -> None:
    off = trading.changed(auto_execute=False)
    signal = off.log()
    off.decide()
    assert Counterfactual.objects.filter(pk=signal.pk).exists()
    ask_for(signal.signal_id, "me", off.clock())
    off.decide()
    assert decision_of(signal).status == "executed"
    assert not Counterfactual.objects.filter(pk=signal.pk).exists()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("status", ["pending", "deciding"])
def test_a_decision_that_a_clock_ahead_has_put_off_is_made(trading: Trading, status: str) -> None:
    signal = trading.log()
    now = trading.context.clock()
    Decision.objects.update(status=status, claim="dead", due_at=now + timedelta(hours=3))
    (claimed,) = queue.claim("paper", "me", 5, now)
    assert claimed.decision.pk == signal.pk


@pytest.mark.usefixtures("database")
def test_a_decision_that_a_clock_ahead_has_put_off_is_due_automatic(trading: Trading) -> None:
    signal = trading.log()
    now = trading.context.clock()
    Decision.objects.update(due_at=now + timedelta(hours=3))
    with transaction.atomic():
        assert [each.pk for each in queue.due_automatic(5, now)] == [signal.pk]


@pytest.mark.usefixtures("database")
def test_the_lease_of_a_worker_with_a_clock_a_little_ahead_is_respected(trading: Trading) -> None:
    trading.log()
    now = trading.context.clock()
    Decision.objects.update(status="deciding", due_at=now + DECISION_LEASE + timedelta(seconds=50))
    assert queue.claim("paper", "me", 5, now) == []


@pytest.mark.usefixtures("database")
def test_a_replays_decisions_keep_their_own_clock(trading: Trading) -> None:
    trading.log()
    now = trading.context.clock()
    Decision.objects.update(account="replay", due_at=now + timedelta(hours=3))
    assert queue.claim("replay", "me", 5, now) == []
    assert queue.claim("paper", "me", 5, now) == []
