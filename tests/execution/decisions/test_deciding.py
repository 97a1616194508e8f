"""What waits for a decision is executed or skipped, once, with every reason kept."""

from decimal import Decimal

import pytest
from django.db import connection

from execution.brokers.protocol import BrokerError
from execution.context import TradingContext
from execution.decisions import engine
from execution.decisions.queue import ClaimedDecision
from execution.models import Counterfactual, Decision, Order
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import Reason
from signals.ledger.outcomes import record_order
from signals.market.protocol import FeedError, Quote
from signals.models import OutcomeChange
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    Died,
    Trading,
    as_stored,
    codes_of,
    decision_of,
    orders_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
DOWN = BrokerError("connection refused", permanent=False)


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
    monkeypatch.setattr("execution.decisions.engine.record_order", _fails)
    with pytest.raises(Died):
        trading.decide()
    assert not Order.objects.exists()
    assert decision_of(signal).status == "deciding"
    assert as_stored(signal).order_id is None


def _fails(*args: object, **kwargs: object) -> None:
    raise Died


def test_with_auto_execute_off_a_signal_is_skipped(trading: Trading) -> None:
    signal = trading.log()
    assert trading.changed(auto_execute=False).decide().skipped == 1
    assert codes_of(signal) == ["auto_execute_disabled"]
    assert decision_of(signal).skipped_for == "auto_execute_disabled"
    assert not Order.objects.exists()


@pytest.mark.parametrize("minutes", [16, -16])
def test_a_signal_of_another_time_is_stale(trading: Trading, minutes: int) -> None:
    """Also one of the future: the clock has moved back."""
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


def test_what_is_skipped_is_followed_as_if_it_had_been_traded(trading: Trading) -> None:
    signal = trading.log(confidence=50.0)
    trading.decide()
    assert Counterfactual.objects.get().pk == signal.pk


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (FeedError("a price of nan is no price"), ["session", "price"]),
        (None, ["price"]),
        (ValueError("no number"), ["session", "price"]),
    ],
)
def test_without_a_price_nothing_is_traded(
    trading: Trading, answer: Exception | None, codes: list[str]
) -> None:
    trading.market.quotes[SYMBOL] = answer
    signal = trading.log()
    trading.decide()
    assert codes_of(signal) == codes


def test_a_price_that_is_no_number_denies_even_where_the_feed_lets_it_pass(
    trading: Trading,
) -> None:
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
    trading.broker.before["account"] = DOWN
    assert trading.decide().postponed == 1
    assert decision_of(signal).status == "pending"
    assert trading.decide().postponed == 0  # not before the broker had a moment
    trading.clock.pass_by(minutes=16)
    assert trading.decide().skipped == 1
    assert codes_of(signal) == ["stale"]


def test_a_broker_that_is_back_gets_what_waited(trading: Trading) -> None:
    signal = trading.log()
    trading.broker.before["account"] = DOWN
    trading.decide()
    trading.broker.before.clear()
    trading.clock.pass_by(seconds=6)
    assert trading.decide().executed == 1
    assert states_of(signal)["entry"] == "accepted"


def test_an_order_that_only_the_journal_has_is_taken_back(trading: Trading) -> None:
    """A worker died between the journal and the commit; a rebuild found its line."""
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


def test_the_size_is_that_of_the_desk(trading: Trading) -> None:
    signal = trading.log()
    trading.changed(sizing=Sizing(percent=Decimal("0.1"))).decide()
    assert orders_of(signal)["entry"].quantity == 20


def test_too_small_a_size_is_told(trading: Trading) -> None:
    signal = trading.log()
    trading.changed(sizing=Sizing(percent=Decimal("0.001"))).decide()
    assert codes_of(signal)[0] == "too_small"


@pytest.fixture
def three_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are skipped in one transaction, and the next ones directly after them."""
    monkeypatch.setattr(engine, "BACKLOG_BATCH_SIZE", 3)
    monkeypatch.setattr(engine, "PAUSE", 0)


@pytest.mark.usefixtures("database", "three_are_many")
def test_a_backlog_that_nobody_asked_for_is_skipped_many_at_a_time(trading: Trading) -> None:
    """But for what a person asked for, and for a signal whose order somebody had written down."""
    signals = [trading.log(confidence=80.0 + number) for number in range(9)]
    asked, ordered = signals[:2]
    Decision.objects.filter(pk=asked.pk).update(asked_by="ann")
    record_order(ordered.signal_id, "argo-x-entry", who="execution", why="executed",
                 now=trading.clock(), journal=trading.journal)  # fmt: skip
    tally = trading.changed(auto_execute=False).decide()
    assert (tally.executed, tally.skipped) == (1, 8)
    assert decision_of(asked).status == "executed"
    assert as_stored(ordered).order_id is None
    for signal in signals[1:]:
        assert codes_of(signal) == ["auto_execute_disabled"]
        assert decision_of(signal).decided_at == trading.clock()
        assert Counterfactual.objects.get(pk=signal.pk).due_at == trading.clock()
    assert not Counterfactual.objects.filter(pk=asked.pk).exists()


@pytest.mark.usefixtures("database", "three_are_many")
def test_a_backlog_that_is_too_old_is_skipped_many_at_a_time(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [trading.log(confidence=80.0 + number) for number in range(6)]
    trading.clock.pass_by(days=1)
    trading.market.quotes[SYMBOL] = Quote(100.0, trading.clock())
    fresh = trading.log()
    one_by_one = []
    decide = engine._decide

    def noted(context: TradingContext, mine: ClaimedDecision) -> Decision.Status:
        one_by_one.append(mine.decision.pk)
        return decide(context, mine)

    monkeypatch.setattr(engine, "_decide", noted)
    tally = trading.decide()
    assert (tally.executed, tally.skipped) == (1, 6)
    assert one_by_one == [fresh.pk]
    for signal in old:
        (reason,) = decision_of(signal).reasons
        assert reason["code"] == "stale"
        assert reason["text"].startswith("the signal is 86400 s old")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "text", ["9999-12-31T00:00:00Z", "0001-01-01T00:00:00+14:00", "2025-01-15T10:30:00", "now", ""]
)
def test_a_signal_of_no_time_at_all_is_in_no_other_s_way(trading: Trading, text: str) -> None:
    """Such as only another program writes."""
    odd, other = trading.log(), trading.log(confidence=99.0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE signals SET timestamp = %s WHERE id = %s", [text, odd.pk])
    assert trading.decide().executed == 1
    assert codes_of(odd) == ["stale"]
    assert decision_of(other).status == "executed"
    assert not Counterfactual.objects.filter(pk=other.pk).exists()
