"""The monitor closes what must be closed, and halts where a rule of the firm is broken."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from argo.errors import Conflict, InvalidInput
from execution.accounts import halts
from execution.accounts.failures import failures
from execution.brokers.fill_model import FillModel
from execution.brokers.protocol import BrokerError, OrderReport
from execution.models import Halt, Order, PaperOrder
from execution.monitoring.monitor import refresh_open
from execution.monitoring.reconcile import reconcile
from execution.prop_firm.rule_set import DailyLoss, Drawdown, Flat, RuleSet
from execution.types import OrderState
from signals.journal import Journal
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    FREE,
    SYMBOL,
    Trading,
    as_stored,
    codes_of,
    decision_of,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)


def firm(**rules: Any) -> RuleSet:  # noqa: ANN401
    return RuleSet(name="firm", source="test", zone="UTC", **rules)


DAILY = DailyLoss(percent=Decimal("0.3"), basis="equity")
"""Of 100,000: 300, which a position of 100 shares loses where they fall by 3."""


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


def test_a_moment_before_it_stays_open(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.now = position_of(signal).expires_at - timedelta(microseconds=1)
    trading.look()
    assert position_of(signal).closing_for == ""


def test_a_position_without_its_stop_is_closed(trading: Trading) -> None:
    """The broker took the stop away, by itself or by somebody's hand."""
    signal = trading.trade()
    trading.broker.broker.cancel(orders_of(signal)["stop"].broker_id)
    refresh_open(trading.context)
    assert states_of(signal)["stop"] == "canceled"
    trading.look()
    trading.move(99.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "unprotected")
    assert as_stored(signal).outcome == "loss"


def test_a_stop_that_the_broker_refuses_has_the_position_closed_at_once(
    trading: Trading,
) -> None:
    signal = trading.log()
    trading.decide()
    find = trading.broker.broker.find

    def without_stop(client_order_id: str) -> OrderReport | None:
        PaperOrder.objects.filter(leg="stop").update(state=OrderState.REJECTED)
        return find(client_order_id)

    trading.broker.instead["find"] = without_stop
    trading.move(100.0)
    assert position_of(signal).closing_for == "unprotected"


def test_a_stop_of_which_the_broker_knows_nothing_is_none(trading: Trading) -> None:
    """It took the entry alone."""
    submit, find = trading.broker.broker.submit, trading.broker.broker.find
    trading.broker.instead["submit"] = lambda order: _bare(submit(order))
    trading.broker.instead["find"] = lambda name: _bare(find(name))
    signal = trading.log()
    trading.decide()
    trading.move(100.0)
    assert position_of(signal).closing_for == "unprotected"


def _bare(placed: OrderReport | None) -> OrderReport | None:
    if placed is None:
        return None
    return OrderReport(placed.broker_id, placed.client_order_id, placed.leg, placed.symbol,
                  placed.side, placed.quantity, placed.filled, placed.state)  # fmt: skip


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
    """A market in which each bar fills a part: a tenth of its volume."""
    made = Trading.begun(journal, FillModel(FREE.costs, Decimal(10)))
    trading.clock, trading.market, trading.broker = made.clock, made.market, made.broker
    trading.context = made.context
    return trading


def test_a_part_that_is_closed_ends_when_the_rest_is_canceled(thin: Trading) -> None:
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


def test_a_part_that_its_stop_ended_ends_when_the_rest_is_canceled(thin: Trading) -> None:
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


def test_a_breach_halts_and_denies_what_comes(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=firm(daily_loss=DAILY))
    signal = firm_s.trade()
    firm_s.move(97.0)
    (halt,) = halts.standing("paper")
    assert (halt.code, halt.latched_by) == ("daily_loss", "argo")
    assert Decimal(halt.figures["equity"]) == 99_700
    late = firm_s.log(symbol=SYMBOL)
    firm_s.decide()
    assert "halt" in codes_of(late)
    assert position_of(signal).status == "open"  # the set does not say that it is closed


def test_a_breach_closes_everything_where_the_firm_says_so(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=firm(daily_loss=DAILY, close_on_breach=True))
    signal = firm_s.trade()
    firm_s.move(97.0)
    assert position_of(signal).closing_for == "breach"
    firm_s.move(97.0)
    assert position_of(signal).status == "closed"
    assert as_stored(signal).outcome == "loss"


@pytest.mark.usefixtures("database")
def test_a_halt_survives_a_restart_and_better_prices(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=firm(daily_loss=DAILY))
    firm_s.trade()
    firm_s.move(97.0)
    again = firm_s.restarted()
    again.move(105.0)
    assert [halt.code for halt in halts.standing("paper")] == ["daily_loss"]
    late = again.log()
    again.decide()
    assert decision_of(late).status == "skipped"


@pytest.mark.usefixtures("database")
def test_only_a_person_with_a_reason_lifts_a_halt(trading: Trading) -> None:
    now = trading.clock()
    halts.latch("paper", "drawdown", "too much lost", now)
    halts.latch("paper", "drawdown", "told again", now)
    with pytest.raises(InvalidInput):
        halts.lift("paper", by="ann", why=" ", now=now)
    assert halts.why_halted("paper") == "too much lost"
    assert halts.lift("paper", by="ann", why="the firm agreed", now=now) == 1
    assert halts.why_halted("paper") is None
    halt = Halt.objects.get()
    assert (halt.lifted_by, halt.lifted_why, halt.lifted_at) == ("ann", "the firm agreed", now)
    with pytest.raises(Conflict):
        halts.lift("paper", by="ann", why="again", now=now)


def test_a_breach_that_stands_latches_again(trading: Trading) -> None:
    """Static: what is lost since the start stays lost."""
    firm_s = trading.changed(rule_set=firm(drawdown=Drawdown(percent=Decimal("0.3"))))
    firm_s.trade()
    firm_s.move(97.0)
    halts.lift("paper", by="ann", why="try", now=trading.clock())
    firm_s.move(97.0)
    assert [halt.code for halt in halts.standing("paper")] == ["drawdown"]
    assert Halt.objects.count() == 2


def test_before_a_firm_s_time_of_day_everything_is_closed(trading: Trading) -> None:
    flat = Flat(by="close", minutes_before=5, at=time(16, 0))
    firm_s = trading.changed(rule_set=firm(flat=flat))
    signal = firm_s.trade()
    firm_s.clock.now = firm_s.clock.now.replace(hour=15, minute=54)
    firm_s.look()
    assert position_of(signal).closing_for == ""
    firm_s.clock.pass_by(minutes=1)
    firm_s.look()
    firm_s.move(101.0)
    assert position_of(signal).exit_reason == "flat"
    assert as_stored(signal).outcome == "win"


def test_a_broker_that_fails_is_told_and_forgotten_when_it_is_back(trading: Trading) -> None:
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


def test_one_symbol_without_prices_holds_up_no_other(trading: Trading) -> None:
    held = trading.trade()
    trading.market.quotes["MSFT"] = trading.market.quotes[SYMBOL]
    other = trading.trade(symbol="MSFT")
    trading.market.quotes["MSFT"] = RuntimeError("the feed is down")
    trading.move(111.0)
    assert as_stored(held).outcome == "win"
    assert position_of(other).status == "open"
    assert Signal.objects.count() == 2
