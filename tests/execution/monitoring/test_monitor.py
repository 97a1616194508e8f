"""The monitor cancels entries, closes positions, and reports a broker that fails."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from argo.errors import Conflict, InvalidInput
from execution.accounts import halts
from execution.accounts.failures import failures
from execution.brokers.fill_model import FillModel
from execution.brokers.protocol import BrokerError, OrderReport
from execution.models import Counterfactual, EquityDay, Halt, Order, PaperOrder
from execution.monitoring.monitor import refresh_open
from execution.monitoring.reconcile import reconcile
from execution.status import status
from execution.types import HaltCode, OrderState
from signals.journal import Journal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    FREE,
    TIMED_OUT,
    Trading,
    as_stored,
    decision_of,
    orders_of,
    position_of,
    rule_set,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


def test_a_position_past_its_time_is_closed_as_expired(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=30)
    trading.look()
    trading.move(103.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "expired")
    found = as_stored(signal)
    assert (found.outcome, found.exit_price) == ("expired", 103.0)
    assert found.profit_loss_pct == pytest.approx(3.0)


def test_a_position_stays_open_until_its_time_is_over(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.now = position_of(signal).expires_at - timedelta(microseconds=1)
    trading.look()
    assert position_of(signal).closing_for == ""


def test_a_position_without_its_stop_is_closed(trading: Trading) -> None:
    """The broker canceled the stop, or somebody did so there."""
    signal = trading.trade()
    trading.broker.broker.cancel(orders_of(signal)["stop"].broker_id)
    refresh_open(trading.context)
    assert states_of(signal)["stop"] == "canceled"
    trading.look()
    trading.move(99.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "unprotected")
    assert as_stored(signal).outcome == "loss"


def test_a_position_whose_stop_the_broker_rejects_is_closed_at_once(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    find = trading.broker.broker.find

    def without_stop(client_order_id: str) -> OrderReport | None:
        PaperOrder.objects.filter(leg="stop").update(state=OrderState.REJECTED)
        return find(client_order_id)

    trading.broker.instead["find"] = without_stop
    trading.move(100.0)
    assert position_of(signal).closing_for == "unprotected"


def test_a_position_whose_stop_the_broker_never_had_is_closed(trading: Trading) -> None:
    """The broker accepted only the entry."""
    submit, find = trading.broker.broker.submit, trading.broker.broker.find
    trading.broker.instead["submit"] = lambda order: _without_exits(submit(order))
    trading.broker.instead["find"] = lambda name: _without_exits(find(name))
    signal = trading.log()
    trading.decide()
    trading.move(100.0)
    assert position_of(signal).closing_for == "unprotected"


def _without_exits(report: OrderReport | None) -> OrderReport | None:
    return None if report is None else replace(report, legs=())


def test_a_close_that_is_rejected_is_tried_again(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["submit"] = BrokerError("market closed", permanent=True)
    trading.look()
    assert states_of(signal)["close"] == "rejected"
    trading.broker.before.clear()
    trading.wait(minutes=1)
    trading.look()
    closes = Order.objects.filter(leg="close").order_by("number")
    assert [(each.number, each.state) for each in closes] == [(1, "rejected"), (2, "accepted")]
    trading.move(100.0)
    assert position_of(signal).status == "closed"


def test_a_close_that_timed_out_is_not_sent_twice(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.after["submit"] = TIMED_OUT
    trading.look()
    trading.broker.after.clear()
    for _ in range(3):
        trading.wait(seconds=31)
        trading.look()
    assert Order.objects.filter(leg="close").count() == 1
    assert PaperOrder.objects.filter(leg="close").count() == 1
    assert position_of(signal).status == "closed"
    assert position_of(signal).closed_quantity == 100


@pytest.fixture
def thin(journal: Journal, trading: Trading) -> Trading:
    """Return a market in which each bar fills at most a tenth of its volume."""
    made = Trading.begun(journal, FillModel(FREE.costs, Decimal(10)))
    trading.clock, trading.market, trading.broker = made.clock, made.market, made.broker
    trading.context = made.context
    return trading


def test_a_closed_part_ends_when_the_rest_of_the_entry_is_canceled(thin: Trading) -> None:
    signal = thin.log()
    thin.decide()
    thin.day(100, 101, 99, 100, volume=400)
    thin.look()
    assert states_of(signal)["entry"] == "partially_filled"
    thin.clock.pass_by(days=31)
    thin.look()
    for _ in range(3):
        thin.day(101, 101, 101, 101, volume=400)
        thin.look()
    assert states_of(signal)["entry"] == "canceled"
    assert Order.objects.filter(leg="close").count() == 1
    position = position_of(signal)
    assert (position.quantity, position.closed_quantity) == (Decimal(40), Decimal(40))
    assert position.status == "closed"
    assert as_stored(signal).outcome == "expired"


def test_a_stopped_part_ends_when_the_rest_of_the_entry_is_canceled(thin: Trading) -> None:
    signal = thin.log()
    thin.decide()
    thin.day(100, 101, 99, 100, volume=400)
    thin.look()
    thin.broker.cancel(orders_of(signal)["entry"].broker_id)
    thin.day(94, 95, 93, 94)
    thin.look()
    reconcile(thin.context)
    thin.look()
    assert position_of(signal).status == "closed"
    assert as_stored(signal).outcome == "loss"


@pytest.mark.usefixtures("database")
def test_only_a_person_with_a_reason_lifts_a_halt(trading: Trading) -> None:
    now = trading.clock()
    halts.latch("paper", HaltCode.DRAWDOWN, "too much lost", now)
    halts.latch("paper", HaltCode.DRAWDOWN, "still too much", now)
    with pytest.raises(InvalidInput):
        halts.lift("paper", by="ann", why=" ", now=now)
    assert halts.halt_reason("paper") == "too much lost"
    assert halts.lift("paper", by="ann", why="the firm agreed", now=now) == 1
    assert halts.halt_reason("paper") is None
    halt = Halt.objects.get()
    assert (halt.lifted_by, halt.lifted_why, halt.lifted_at) == ("ann", "the firm agreed", now)
    with pytest.raises(Conflict):
        halts.lift("paper", by="ann", why="again", now=now)


def test_a_failing_broker_is_reported_until_it_is_back(trading: Trading) -> None:
    trading.trade()
    trading.broker.before["fills"] = TIMED_OUT
    with pytest.raises(BrokerError):
        trading.look()
    (failure,) = failures("paper")
    assert str(TIMED_OUT) in failure.error
    assert failure.failed_at == trading.clock()
    trading.broker.before.clear()
    trading.look()
    assert failures("paper") == []


def test_a_halt_cancels_entries_that_wait_for_a_price(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    halts.latch("paper", HaltCode.BY_HAND, "enough", trading.clock(), by="me")
    trading.look()
    assert set(states_of(signal).values()) == {"canceled"}
    trading.move(100)
    assert set(states_of(signal).values()) == {"canceled"}
    assert Counterfactual.objects.filter(pk=signal.pk).exists()


def test_an_entry_is_canceled_after_its_timeout(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    trading.clock.pass_by(days=5)
    trading.look()
    assert states_of(signal)["entry"] == "accepted"
    trading.clock.pass_by(seconds=1)
    trading.look()
    assert states_of(signal)["entry"] == "canceled"


def test_a_missing_stop_is_noticed_even_if_the_target_has_filled_a_part(trading: Trading) -> None:
    signal = trading.trade()
    Order.objects.filter(signal=signal, leg="target").update(state="partially_filled")
    Order.objects.filter(signal=signal, leg="stop").update(state="canceled")
    trading.look()
    assert position_of(signal).closing_for == "unprotected"


def test_a_stop_canceled_at_the_broker_is_noticed_at_the_next_look(trading: Trading) -> None:
    signal = trading.trade()
    trading.broker.broker.cancel(orders_of(signal)["stop"].broker_id)
    trading.look()
    assert position_of(signal).closing_for == "unprotected"


def test_a_day_counts_each_position_opened_on_it_once(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(min_days=2))
    firm.trade()
    firm.look()
    firm.look()
    assert [day.trades for day in EquityDay.objects.all()] == [1]


def test_fault_32_a_broker_that_cannot_be_reached_is_reported(trading: Trading) -> None:
    trading.trade()
    trading.broker.before |= dict.fromkeys(("account", "fills"), BrokerError("404", permanent=True))
    late = trading.log()
    assert trading.decide().executed == 0
    with pytest.raises(BrokerError):
        trading.look()
    assert decision_of(late).status == "pending"
    assert "The broker failed: 404" in status(trading.clock())["problems"]
    with pytest.raises(BrokerError):
        reconcile(trading.context)  # every process does this first


def test_fault_34_a_position_whose_stop_fails_is_closed(trading: Trading) -> None:
    signal = trading.trade()
    PaperOrder.objects.filter(leg="stop").update(state=OrderState.REJECTED)
    assert reconcile(trading.context) == []
    trading.look()
    trading.move(100.0)
    assert (position_of(signal).status, position_of(signal).exit_reason) == (
        "closed",
        "unprotected",
    )


def test_fault_42_positions_and_counterfactuals_expire(trading: Trading) -> None:
    held = trading.trade()
    missed = trading.log(confidence=20.0)
    trading.decide()
    trading.day(100, 101, 99, 101)
    trading.wait(days=90)
    trading.look()
    trading.move(101.0)
    assert (as_stored(held).outcome, position_of(held).exit_reason) == ("expired", "expired")
    assert Counterfactual.objects.get(pk=missed.pk).outcome == "expired"
