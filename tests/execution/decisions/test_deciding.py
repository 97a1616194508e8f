"""A waiting signal is executed or skipped, once, and every reason is kept."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from execution.context import TradingContext
from execution.decisions import batch, engine, intents
from execution.decisions.batch import Made
from execution.decisions.queue import ClaimedDecision
from execution.models import Counterfactual, Decision, Order
from execution.risk.model import Intent, Limits
from execution.types import Reason
from signals.feed import giving_way
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_order, record_outcome
from signals.market.protocol import FeedError, Quote
from signals.models import DeadLetter, OutcomeChange, Signal
from signals.shutdown import stopping
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    TIMED_OUT,
    Died,
    Trading,
    as_stored,
    codes_of,
    decision_of,
    orders_of,
    quoted,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.mark.usefixtures("database")
def test_a_signal_that_the_rules_allow_gets_a_bracket(trading: Trading) -> None:
    signal = trading.log()
    assert trading.decide().executed == 1
    orders = orders_of(signal)
    assert {leg: (row.side, row.quantity, row.level) for leg, row in orders.items()} == {
        "entry": ("BUY", Decimal(100), Decimal(100)),
        "stop": ("SELL", Decimal(100), Decimal(95)),
        "target": ("SELL", Decimal(100), Decimal(110)),
    }
    decision = decision_of(signal)
    assert (decision.status, decision.reasons) == ("executed", [])
    assert decision.order_id == orders["entry"].client_order_id
    assert trading.decide().executed == 0


def test_the_order_is_written_back_to_the_signal_and_journaled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    order_id = orders_of(signal)["entry"].client_order_id
    assert as_stored(signal).order_id == order_id
    change = OutcomeChange.objects.get(signal=signal)
    assert (change.who, change.after["order_id"]) == ("execution", order_id)
    lines = b"".join(line.data for chunk in trading.journal.chunks() for line in chunk.lines)
    assert order_id.encode() in lines


def test_order_decision_and_signal_are_one_transaction(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = trading.log()
    monkeypatch.setattr("execution.decisions.batch.record_order", _fails)
    with pytest.raises(Died):
        trading.decide()
    assert not Order.objects.exists()
    assert decision_of(signal).status == "deciding"
    assert as_stored(signal).order_id is None


def _fails(*args: object, **kwargs: object) -> None:
    raise Died


def _journals_and_dies(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401
    record_order(*args, **kwargs)
    raise Died


@pytest.mark.parametrize("backlog", [False, True])
def test_the_order_of_a_worker_that_died_before_its_commit_is_not_the_signals(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, backlog: bool
) -> None:
    """Its line is in the journal; the signal is skipped before any flush."""
    signal = trading.log()
    with monkeypatch.context() as dying:
        dying.setattr("execution.decisions.batch.record_order", _journals_and_dies)
        with pytest.raises(Died):
            trading.decide()
    assert as_stored(signal).order_id is None
    trading.clock.pass_by(minutes=20 if backlog else 3)
    trading.market.quotes[SYMBOL] = Quote(120.0, trading.clock())
    assert trading.decide().skipped == 1
    Flusher(trading.journal).flush()
    assert as_stored(signal).order_id is None
    assert not DeadLetter.objects.exists()


def test_with_auto_execute_off_a_signal_is_skipped(trading: Trading) -> None:
    signal = trading.log()
    assert trading.changed(auto_execute=False).decide().skipped == 1
    assert codes_of(signal) == ["auto_execute_disabled"]
    assert decision_of(signal).skipped_for == "auto_execute_disabled"
    assert not Order.objects.exists()


@pytest.mark.parametrize("minutes", [16, -16])
def test_a_signal_too_old_or_in_the_future_is_stale(trading: Trading, minutes: int) -> None:
    """A signal is in the future when the clock has moved back."""
    signal = trading.log()
    trading.clock.pass_by(minutes=minutes)
    Decision.objects.update(due_at=trading.clock())
    trading.decide()
    assert codes_of(signal) == ["stale"]


def test_every_reason_is_kept_as_a_code_and_a_sentence(trading: Trading) -> None:
    limits = Limits(restricted=frozenset({SYMBOL}), max_daily_loss=Decimal(0))
    signal = trading.log(confidence=50.0)
    trading.changed(limits=limits).decide()
    assert codes_of(signal) == ["confidence", "symbol", "daily_loss"]
    decision = decision_of(signal)
    assert decision.skipped_for == "confidence symbol daily_loss"
    assert decision.reasons[0]["text"] == "confidence 50 is below 75"
    assert set(codes_of(signal)) <= set(Reason)


def test_a_skipped_signal_is_followed_as_a_counterfactual(trading: Trading) -> None:
    signal = trading.log(confidence=50.0)
    trading.decide()
    assert Counterfactual.objects.get().pk == signal.pk


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (FeedError("a price of nan is not valid"), ["session", "price"]),
        (None, ["price"]),
        (ValueError("not a number"), ["session", "price"]),
    ],
)
def test_without_a_price_nothing_is_traded(
    trading: Trading, answer: Exception | None, codes: list[str]
) -> None:
    trading.market.quotes[SYMBOL] = answer
    signal = trading.log()
    trading.decide()
    assert codes_of(signal) == codes


def test_a_nan_price_denies_even_if_the_feed_lets_it_pass(trading: Trading) -> None:
    quote = Quote(100.0, trading.clock())
    object.__setattr__(quote, "price", float("nan"))
    trading.market.quotes[SYMBOL] = quote
    signal = trading.log()
    trading.decide()
    assert {"price", "sizing"} <= set(codes_of(signal))
    assert not Order.objects.exists()


def test_a_price_an_hour_old_denies(trading: Trading) -> None:
    trading.clock.pass_by(hours=1)
    signal = trading.log()
    trading.decide()
    assert codes_of(signal) == ["price"]


def test_while_the_broker_is_down_a_decision_waits_until_it_is_stale(trading: Trading) -> None:
    signal = trading.log()
    trading.broker.before["account"] = TIMED_OUT
    assert trading.decide().postponed == 1
    assert decision_of(signal).status == "pending"
    assert trading.decide().postponed == 0  # not before RETRY_AFTER has passed
    trading.clock.pass_by(minutes=16)
    assert trading.decide().skipped == 1
    assert codes_of(signal) == ["stale"]


def test_waiting_decisions_are_made_once_the_broker_is_back(trading: Trading) -> None:
    signal = trading.log()
    trading.broker.before["account"] = TIMED_OUT
    trading.decide()
    trading.broker.before.clear()
    trading.clock.pass_by(seconds=6)
    assert trading.decide().executed == 1
    assert states_of(signal)["entry"] == "accepted"


def test_an_order_id_that_only_the_journal_has_is_removed(trading: Trading) -> None:
    """A worker died after the journal line and before the commit; a rebuild read that line."""
    signal = trading.log()
    trading.decide()
    order_id = as_stored(signal).order_id
    Order.objects.filter(signal=signal).exclude(parent=None)._raw_delete("default")
    Order.objects.filter(signal=signal)._raw_delete("default")
    Decision.objects.update(status="pending", order_id=None)
    assert order_id
    trading.clock.pass_by(hours=1)
    trading.decide()
    assert codes_of(signal) == ["stale"]
    assert as_stored(signal).order_id is None


@pytest.fixture
def batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a backlog of three signals one batch, without pauses between the batches."""
    monkeypatch.setattr(engine, "BACKLOG_BATCH_SIZE", 3)
    monkeypatch.setattr(engine, "PAUSE", 0)
    monkeypatch.setattr(giving_way, "LONGEST", 0)


@pytest.mark.usefixtures("database", "batches_of_three")
def test_a_backlog_that_nobody_asked_for_is_skipped_in_batches(trading: Trading) -> None:
    """A signal that a person asked for, and one with an order id, are decided one by one."""
    signals = [trading.log(confidence=80.0 + number) for number in range(9)]
    asked, ordered = signals[:2]
    Decision.objects.filter(pk=asked.pk).update(asked_by="ann")
    record_order(ordered.signal_id, "argo-x-entry", who="execution", why="executed",
                 now=trading.clock(), journal=trading.journal)  # fmt: skip
    counts = trading.changed(auto_execute=False).decide()
    assert (counts.executed, counts.skipped) == (1, 8)
    assert decision_of(asked).status == "executed"
    assert as_stored(ordered).order_id is None
    for signal in signals[1:]:
        assert codes_of(signal) == ["auto_execute_disabled"]
        assert decision_of(signal).decided_at == trading.clock()
        assert Counterfactual.objects.get(pk=signal.pk).due_at == trading.clock()
    assert not Counterfactual.objects.filter(pk=asked.pk).exists()


@pytest.mark.usefixtures("database", "batches_of_three")
def test_a_worker_that_is_asked_to_stop_ends_after_a_batch(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH_SIZE", 2)
    for number in range(7):
        trading.log(confidence=80.0 + number)
    asleep = trading.changed(auto_execute=False)
    monkeypatch.setattr(stopping, "is_set", lambda: True)
    assert asleep.decide().skipped == 3 + 2
    monkeypatch.undo()
    assert asleep.decide().skipped == 2


@pytest.mark.usefixtures("database", "batches_of_three")
def test_a_backlog_that_is_too_old_is_skipped_in_batches(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [trading.log(confidence=80.0 + number) for number in range(6)]
    trading.clock.pass_by(days=1)
    trading.market.quotes[SYMBOL] = Quote(100.0, trading.clock())
    fresh = trading.log()
    one_by_one: list[int] = []
    decide = batch.decide

    def recorded(context: TradingContext, claimed: Sequence[ClaimedDecision]) -> Iterator[Made]:
        one_by_one.extend(each.decision.pk for each in claimed)
        return decide(context, claimed)

    monkeypatch.setattr(engine, "decide", recorded)
    counts = trading.decide()
    assert (counts.executed, counts.skipped) == (1, 6)
    assert one_by_one == [fresh.pk]
    for signal in old:
        (reason,) = decision_of(signal).reasons
        assert reason["code"] == "stale"
        assert reason["text"].startswith("the signal is 86400 s old")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "text", ["9999-12-31T00:00:00Z", "0001-01-01T00:00:00+14:00", "2025-01-15T10:30:00", "now", ""]
)
def test_a_signal_with_an_invalid_time_does_not_block_others(trading: Trading, text: str) -> None:
    """Only another program can have written such a time."""
    odd, other = trading.log(), trading.log(confidence=99.0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE signals SET timestamp = %s WHERE id = %s", [text, odd.pk])
    assert trading.decide().executed == 1
    assert codes_of(odd) == ["stale"]
    assert decision_of(other).status == "executed"
    assert not Counterfactual.objects.filter(pk=other.pk).exists()


def test_fault_29_every_reason_for_skipping_is_stored(trading: Trading) -> None:
    signal = trading.log(confidence=20.0)
    trading.clock.pass_by(minutes=10)
    trading.decide()
    assert [reason["code"] for reason in decision_of(signal).reasons] == ["confidence", "price"]
    assert all(reason["text"] for reason in decision_of(signal).reasons)


def test_fault_37_an_executed_decision_has_an_order_that_the_broker_has(trading: Trading) -> None:
    made = [trading.log(), trading.log(confidence=20.0)]
    trading.decide()
    executed, skipped = (decision_of(each) for each in made)
    assert executed.order_id == as_stored(made[0]).order_id
    assert trading.broker.find(executed.order_id or "") is not None
    assert (skipped.order_id, as_stored(made[1]).order_id) == (None, None)
    assert {row.account for row in Order.objects.all()} == {settings.TRADING_ACCOUNT}


def test_a_signal_that_cannot_be_decided_on_does_not_block_others(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = trading.log(), quoted(trading, MSFT=100.0).log(symbol="MSFT")
    failing = trading.changed(instrument=_fails_on(SYMBOL, trading.context.instrument))
    failing.decide()
    assert decision_of(good).status == "executed"
    assert decision_of(bad).status == "pending"
    trading.wait(minutes=16)
    failing.decide()
    assert codes_of(bad) == ["stale"]


def _fails_on(symbol: str, instrument: Any) -> Any:  # noqa: ANN401
    def made(name: str, asset_type: str = "") -> Any:  # noqa: ANN401
        if name == symbol:
            raise RuntimeError("a bug")
        return instrument(name, asset_type)

    return made


def test_a_signal_that_has_ended_is_not_traded(trading: Trading) -> None:
    signal = trading.log()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=105.0, who="me", why="seen",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    trading.decide()
    assert codes_of(signal) == ["ended"]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_traded", [True, False])
def test_a_decision_whose_claim_was_lost_meanwhile_leaves_nothing(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, is_traded: bool
) -> None:
    """Another worker takes the decision while this one asks the rules."""
    signal, intent_of = trading.log(), intents.intent_of

    def late(context: TradingContext, wanted: Signal) -> Intent:
        Decision.objects.filter(pk=signal.pk).update(claim="another")
        if not is_traded:
            raise ValueError("a figure")
        return intent_of(context, wanted)

    monkeypatch.setattr(batch, "intent_of", late)
    assert trading.decide().executed == 0
    assert not Order.objects.exists()
    assert not Counterfactual.objects.exists()
    assert as_stored(signal).order_id is None
    assert (decision_of(signal).status, decision_of(signal).claim) == ("deciding", "another")
