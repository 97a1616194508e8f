"""Another process, or the broker, acts between two steps of the monitor."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from execution.accounts import halts
from execution.accounts.equity import EquityCurve
from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account, Bracket, Close, OrderReport
from execution.models import EquityDay, Order
from execution.monitoring.monitor import ask_to_close, close_due, mark_equity, refresh
from execution.monitoring.reconcile import reconcile
from execution.positions.fills import take_fills
from execution.risk.sizing import Sizing
from execution.types import ExitReason, HaltCode
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    ACCOUNT,
    TIMED_OUT,
    Trading,
    orders_of,
    position_of,
    quoted,
)

pytestmark = [
    pytest.mark.django_db(databases=DATABASES, transaction=True),
    pytest.mark.usefixtures("database"),
]


@pytest.mark.parametrize("price", [100.0, 90.0], ids=["its close fills", "its stop fills"])
def test_a_position_that_another_process_saw_closed_is_not_closed_again(
    trading: Trading, price: float
) -> None:
    """Another process works while the broker has not answered this one's first close."""
    quoted(trading, MSFT=100.0)
    first, second = trading.trade(symbol="AAPL"), trading.trade(symbol="MSFT")
    for signal in (first, second):
        ask_to_close(position_of(signal), ExitReason.MANUAL)
    other, submit = trading.restarted(), trading.broker.broker.submit
    calls: list[Bracket | Close] = []

    def slow(order: Bracket | Close) -> OrderReport:
        calls.append(order)
        if len(calls) == 1:
            close_due(other.context)
            trading.clock.pass_by(seconds=1)
            quoted(trading, AAPL=100.0, MSFT=price)
            reconcile(other.context)
        return submit(order)

    trading.broker.instead["submit"] = slow
    close_due(trading.context)
    assert position_of(second).status == "closed"
    assert Order.objects.filter(signal=second, leg="close").count() <= 1
    assert all(orders_of(second)[leg].state != "rejected" for leg in orders_of(second))


def test_a_close_of_a_closed_position_is_denied_and_not_sent_again(trading: Trading) -> None:
    signal = trading.trade()
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    trading.broker.before["submit"] = TIMED_OUT
    trading.look()
    assert orders_of(signal)["close"].state == "unknown"
    trading.wait(seconds=60)
    trading.broker.broker.look()
    trading.move(90.0)  # its stop fills meanwhile
    assert position_of(signal).status == "closed"
    trading.wait(seconds=60)
    trading.look()
    close = orders_of(signal)["close"]
    assert (close.state, close.reason) == ("denied", "its position is closed already")
    assert reconcile(trading.context) == []


def test_two_marks_at_once_count_a_position_once(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process marks the equity while this one waits for the account."""
    trading.log()
    trading.decide()
    trading.clock.pass_by(seconds=1)
    quoted(trading, AAPL=100.0)
    refresh(trading.context, take_fills(trading.context))
    other, read = trading.restarted(), EquityCurve.read

    def late(*arguments: object) -> EquityCurve:
        monkeypatch.setattr(EquityCurve, "read", read)
        mark_equity(other.context)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(EquityCurve, "read", late)
    mark_equity(trading.context)
    assert EquityDay.objects.get().trades == 1


def test_money_asked_for_while_an_order_is_on_its_way_is_not_spent_twice(trading: Trading) -> None:
    limits = replace(trading.context.limits, max_position=Decimal(100))
    rich = trading.changed(limits=limits, sizing=Sizing(by_risk=False, percent=Decimal(60)))
    rich.log()
    other, submit = rich.restarted(), rich.broker.broker.submit
    asked: list[Account] = []

    def slow(order: Bracket | Close) -> OrderReport:
        rich.clock.pass_by(seconds=1)
        asked.append(replace(other.context.broker.account(), time=rich.clock()))
        rich.clock.pass_by(seconds=1)
        return submit(order)

    rich.broker.instead["submit"] = slow
    rich.decide()
    with transaction.atomic():
        held = portfolio(other.context, asked[0], rich.clock())
    assert held.buying_power == other.context.broker.account().buying_power == 40_000


def test_an_entry_that_fills_before_its_cancel_needs_no_reason(trading: Trading) -> None:
    quoted(trading, MSFT=100.0)
    signal = trading.log(symbol="MSFT")
    trading.decide()
    halts.latch(ACCOUNT, HaltCode.BY_HAND, "the news", trading.clock(), by="me")
    cancel = trading.broker.broker.cancel

    def too_late(broker_id: str) -> None:
        trading.clock.pass_by(seconds=1)
        quoted(trading, MSFT=100.0)
        trading.broker.broker.look()
        cancel(broker_id)

    trading.broker.instead["cancel"] = too_late
    del trading.market.quotes["MSFT"]
    trading.wait(seconds=1)
    trading.look()
    trading.wait(seconds=1)
    trading.look()
    entry = orders_of(signal)["entry"]
    assert (entry.state, entry.reason) == ("filled", "")


def test_the_first_reason_to_close_stays(trading: Trading) -> None:
    """Another process has marked the position since this one read it."""
    seen_before = position_of(trading.trade())
    ask_to_close(position_of(seen_before.signal), ExitReason.MANUAL)
    ask_to_close(seen_before, ExitReason.BREACH)
    assert position_of(seen_before.signal).closing_for == "manual"
