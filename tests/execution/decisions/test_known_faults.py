"""What older systems got wrong about risk: a test for each fault, by its number in the list of
known faults; those of orders and outcomes are in test_known_faults_of_orders.py."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from execution.accounts import halts
from execution.accounts.portfolio import portfolio
from execution.decisions.intents import intent_of
from execution.decisions.queue import ask_for
from execution.models import (
    EquityDay,
    Order,
    Position,
    TradingAccount,
)
from execution.money import ZERO
from execution.prop_firm.rule_set import DailyLoss, RuleSet
from execution.risk.model import Limits
from execution.risk.rules import buying_power
from tests.execution.trading_fixtures import (
    Trading,
    codes_of,
    decision_of,
    position_of,
)

pytestmark = pytest.mark.django_db
FIRM = RuleSet(name="firm", source="test", zone="UTC", close_on_breach=True,
               daily_loss=DailyLoss(percent=Decimal("0.3"), basis="equity"))  # fmt: skip


def test_fault_23_a_breach_latches_a_halt_that_is_stored_and_the_monitor_goes_on(
    trading: Trading,
) -> None:
    firm = trading.changed(rule_set=FIRM)
    held = firm.trade()
    firm.move(97.0)
    again = firm.restarted()
    again.move(99.0)
    assert position_of(held).status == "closed"  # the monitor followed it to its end
    late = again.log(entry_price=99.0)
    again.decide()
    assert "halt" in codes_of(late)


def test_fault_24_the_level_is_stored_and_read_by_the_check_that_fires(trading: Trading) -> None:
    trading.trade()
    trading.move(109.0)
    assert TradingAccount.objects.get().peak_equity == 100_900
    trading.move(99.5)
    limits = Limits(max_drawdown=Decimal("0.9"), max_daily_loss=None, max_per_symbol=2)
    again = trading.restarted().changed(limits=limits)
    late = again.log(entry_price=99.5)
    again.decide()
    assert "drawdown" in codes_of(late)


def test_fault_25_the_baseline_is_the_account_s_own_equity(trading: Trading) -> None:
    trading.trade()
    trading.move(110.0)
    trading.wait(days=1)
    trading.look()
    day = EquityDay.objects.latest("day")
    assert day.first_equity == trading.broker.account().equity == 101_000


def test_fault_26_a_restart_does_not_reset_the_day(trading: Trading) -> None:
    trading.trade()
    trading.move(97.0)
    again = trading.restarted().changed(limits=Limits(max_daily_loss=Decimal("0.3")))
    again.move(97.0)
    late = again.log(entry_price=97.0)
    again.decide()
    assert "daily_loss" in codes_of(late)


def test_fault_27_buying_power_is_asked_for_this_very_order(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    money = trading.broker.account()
    held = portfolio(trading.context, money, trading.clock())
    intent = replace(intent_of(trading.context, signal), quantity=Decimal(10))
    assert money.buying_power == 90_000  # the order that waits is taken off
    for power, denied in ((Decimal(1000), False), (Decimal("999.99"), True), (ZERO, True)):
        poor = replace(held, buying_power=power)
        denial = buying_power(intent, poor, trading.context.limits, trading.clock())
        assert bool(denial) is denied


def test_fault_28_who_asks_by_hand_meets_the_same_rules(trading: Trading) -> None:
    off = trading.changed(auto_execute=False)
    signal = off.log(confidence=20.0)
    halts.latch("paper", "by_hand", "enough", trading.clock())
    ask_for(signal.signal_id, "ann", trading.clock())
    off.decide()
    assert codes_of(signal) == ["halt", "confidence"]
    assert not Order.objects.exists()


def test_fault_29_every_reason_for_skipping_is_a_row_s(trading: Trading) -> None:
    signal = trading.log(confidence=20.0)
    trading.clock.pass_by(minutes=10)
    trading.decide()
    assert [reason["code"] for reason in decision_of(signal).reasons] == ["confidence", "price"]
    assert all(reason["text"] for reason in decision_of(signal).reasons)


@pytest.mark.parametrize("figure", ["equity", "balance", "buying_power"])
def test_fault_30_nan_switches_no_limit_off(trading: Trading, figure: str) -> None:
    money = replace(trading.broker.account(), **{figure: Decimal("NaN")})
    trading.broker.instead["account"] = lambda: money
    signal = trading.log()
    with suppress(ValueError):
        trading.decide()
    assert not Order.objects.exists()
    assert decision_of(signal).status != "executed"


def test_fault_31_a_drawdown_is_that_of_the_equity_curve(trading: Trading) -> None:
    """Losses of closed trades add up to 1.2%, while the account is 0.6% below its peak."""
    limits = Limits(max_drawdown=None, losses_in_a_row=99, max_daily_loss=None)
    context, equities = trading.changed(limits=limits), [Decimal(100_000)]
    for end in (111.0, 94.0, 111.0, 94.0):
        context.trade()
        for price in (end, 100.0):
            context.move(price)
            equities.append(context.broker.account().equity)
    lost = sum(each.profit for each in Position.objects.all() if each.profit and each.profit < 0)
    below = (max(equities) - equities[-1]) / max(equities) * 100
    assert (lost < -1200, round(below, 1)) == (True, Decimal("0.6"))
    for percent, denied in (("0.61", False), ("0.59", True)):
        late = context.log()
        context.changed(limits=replace(limits, max_drawdown=Decimal(percent))).decide()
        assert ("drawdown" in codes_of(late)) is denied
