"""The limits on losses, drawdown and buying power use stored figures, and survive restarts."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account
from execution.decisions.intents import intent_of
from execution.models import EquityDay, Order, Position, TradingAccount
from execution.money import ZERO
from execution.positions.positions import settle_position
from execution.risk.model import Limits
from execution.risk.rules import buying_power
from execution.risk.sizing import Sizing
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    WIDE,
    Trading,
    codes_of,
    decision_of,
    orders_of,
    position_of,
    quoted,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


def test_fault_24_the_rule_of_the_drawdown_reads_the_stored_peak(trading: Trading) -> None:
    trading.trade()
    trading.move(109.0)
    assert TradingAccount.objects.get().peak_equity == 100_900
    trading.move(99.5)
    limits = Limits(max_drawdown=Decimal("0.9"), max_daily_loss=None, max_per_symbol=2)
    again = trading.restarted().changed(limits=limits)
    late = again.log(entry_price=99.5)
    again.decide()
    assert "drawdown" in codes_of(late)


def test_fault_25_a_day_begins_with_the_account_s_own_equity(trading: Trading) -> None:
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


def test_fault_27_buying_power_is_compared_with_this_order(trading: Trading) -> None:
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


@pytest.mark.parametrize("figure", ["equity", "balance", "buying_power"])
def test_fault_30_nan_turns_no_limit_off(trading: Trading, figure: str) -> None:
    money = replace(trading.broker.account(), **{figure: Decimal("NaN")})
    trading.broker.instead["account"] = lambda: money
    signal = trading.log()
    with suppress(ValueError):
        trading.decide()
    assert not Order.objects.exists()
    assert decision_of(signal).status != "executed"


def test_fault_31_the_drawdown_is_measured_on_the_equity_curve(trading: Trading) -> None:
    """The closed trades lost 1.2% in all, but the account is 0.6% below its peak."""
    limits = Limits(max_drawdown=None, losses_in_a_row=99, max_daily_loss=None)
    free, equities = trading.changed(limits=limits), [Decimal(100_000)]
    for end in (111.0, 94.0, 111.0, 94.0):
        free.trade()
        for price in (end, 100.0):
            free.move(price)
            equities.append(free.broker.account().equity)
    lost = sum(each.profit for each in Position.objects.all() if each.profit and each.profit < 0)
    below = (max(equities) - equities[-1]) / max(equities) * 100
    assert (lost < -1200, round(below, 1)) == (True, Decimal("0.6"))
    for percent, denied in (("0.61", False), ("0.59", True)):
        late = free.log()
        free.changed(limits=replace(limits, max_drawdown=Decimal(percent))).decide()
        assert ("drawdown" in codes_of(late)) is denied


def test_todays_loss_still_counts_after_the_clock_was_ahead(trading: Trading) -> None:
    limited = quoted(trading.changed(limits=Limits(max_daily_loss=Decimal("0.3"))), MSFT=100.0)
    limited.trade()
    limited.move(94)
    limited.wait(days=1)
    limited.look()
    assert EquityDay.objects.count() == 2
    limited.wait(days=-1, seconds=1)
    signal = limited.log(symbol="MSFT")
    limited.decide()
    assert codes_of(signal) == ["daily_loss"]


def test_orders_placed_after_the_broker_counted_the_money_are_subtracted(trading: Trading) -> None:
    limits = replace(WIDE, max_position=Decimal(100))
    sizing = Sizing(by_risk=False, percent=Decimal(60))
    rich = quoted(trading.changed(limits=limits, sizing=sizing), MSFT=100.0)
    first, second = rich.log(), rich.log(symbol="MSFT")
    counted: list[Account] = [rich.context.broker.account()]
    rich.decide()
    assert orders_of(first)["entry"].quantity == 600
    assert orders_of(second)["entry"].quantity == 400  # what is left, by the broker's count

    third = rich.log(symbol="MSFT", confidence=95.0)
    rich.clock.pass_by(seconds=1)
    rich.broker.instead["account"] = counted.pop  # counted before any of it was ordered
    Order.objects.filter(leg="entry").update(updated_at=rich.clock() + timedelta(seconds=1))
    rich.decide()
    assert decision_of(third).status == "skipped"
    assert "too_small" in codes_of(third)


def test_a_settled_position_does_not_end_a_series_of_losses(trading: Trading) -> None:
    symbols = ("AAPL", "MSFT", "AMZN")
    prices = dict.fromkeys((*symbols, "NVDA"), 100.0)
    quoted(trading, **prices)
    free = trading.changed(limits=Limits(orders_a_minute=None, max_daily_loss=None))
    for symbol in symbols:
        free.trade(symbol=symbol)
        quoted(trading, **prices)
    settled = free.trade(symbol="NVDA")
    for symbol in symbols:
        free.move(94.0, symbol)
    free.clock.pass_by(seconds=5)
    with transaction.atomic():
        settle_position(position_of(settled), Decimal(100), free.clock())
        held = portfolio(free.context, free.context.broker.account(), free.clock())
    assert position_of(settled).status == "closed"
    assert len(held.losses) == len(symbols)
