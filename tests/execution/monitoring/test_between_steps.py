"""What happens between two steps of the monitor: another process acts, a call fails, one dies."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from execution.accounts import halts
from execution.accounts.equity import Curve
from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account, Bracket, BrokerError, Close, OrderReport
from execution.decisions.engine import send_and_decide
from execution.models import Counterfactual, EquityDay, Order, Position
from execution.monitoring import monitor as monitoring
from execution.monitoring.monitor import ask_to_close, close_due, mark_equity, refresh
from execution.monitoring.reconcile import reconcile
from execution.positions.fills import take_fills
from execution.positions.positions import settle
from execution.prop_firm.rule_set import DailyLoss, RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    ACCOUNT,
    Died,
    Trading,
    decision_of,
    orders_of,
    position_of,
)

pytestmark = [
    pytest.mark.django_db(databases=DATABASES, transaction=True),
    pytest.mark.usefixtures("database"),
]
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)
FIRM = RuleSet(
    name="firm", source="test", zone="UTC", close_on_breach=True,
    daily_loss=DailyLoss(percent=Decimal("0.1"), basis="equity"),
)  # fmt: skip
"""Of 100,000: 100, which a position of 100 shares loses where they fall by 1."""


def quoted(trading: Trading, **prices: float) -> None:
    for symbol, price in prices.items():
        trading.market.quotes[symbol] = Quote(price, trading.clock())


@pytest.mark.parametrize("price", [100.0, 90.0], ids=["its close fills", "its stop fills"])
def test_what_another_process_saw_closed_is_not_closed_again(
    trading: Trading, price: float
) -> None:
    """The monitor has read the positions, and waits for the broker to take its first close."""
    quoted(trading, MSFT=100.0)
    first, second = trading.trade(symbol="AAPL"), trading.trade(symbol="MSFT")
    for signal in (first, second):
        ask_to_close(position_of(signal), "manual")
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


def test_a_close_whose_position_is_closed_is_denied_and_not_sent_again(trading: Trading) -> None:
    signal = trading.trade()
    ask_to_close(position_of(signal), "manual")
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


def test_an_entry_that_cannot_be_canceled_keeps_nothing_from_being_closed(
    trading: Trading,
) -> None:
    signal = trading.trade()
    quoted(trading, MSFT=100.0)
    waiting = trading.log(symbol="MSFT")
    trading.decide()
    del trading.market.quotes["MSFT"]
    halts.latch(ACCOUNT, "x", "a person halts", trading.clock(), by="me")
    ask_to_close(position_of(signal), "manual")
    trading.broker.before["cancel"] = TIMED_OUT
    trading.clock.pass_by(seconds=60)
    with pytest.raises(BrokerError):
        trading.look()
    assert orders_of(signal)["close"].state == "accepted"
    del trading.broker.before["cancel"]
    trading.look()
    entry = orders_of(waiting)["entry"]
    assert (entry.state, entry.reason) == ("canceled", "a person halts")


@pytest.mark.parametrize("error", [KeyError("legs"), RuntimeError("a fault of ours")])
def test_an_order_that_cannot_be_sent_keeps_no_fill_from_being_counted(
    trading: Trading, error: Exception
) -> None:
    held = trading.trade()
    quoted(trading, MSFT=100.0)
    stuck = trading.log(symbol="MSFT")

    def failing(order: Bracket | Close) -> OrderReport:
        raise error

    trading.broker.instead["submit"] = failing
    assert trading.decide().executed == 1
    assert decision_of(stuck).status == "executed"
    trading.clock.pass_by(seconds=60)
    quoted(trading, AAPL=90.0, MSFT=100.0)
    with pytest.raises(type(error)):
        trading.look()
    assert position_of(held).status == "closed"


def test_a_reason_that_no_database_holds_is_kept_without_what_it_cannot(trading: Trading) -> None:
    trading.broker.before["submit"] = BrokerError("bad\0thing", permanent=True)
    signal = trading.log()
    trading.decide()
    assert orders_of(signal)["entry"].reason == "badthing"
    trading.look()


def test_a_breach_closes_everything_though_the_process_died_and_the_price_is_back(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm_s = trading.changed(rule_set=FIRM)
    signal = firm_s.trade()

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(monitoring, "close_due", dies)
        with pytest.raises(Died):
            firm_s.move(98.0)
    assert [halt.code for halt in halts.standing(ACCOUNT)] == ["daily_loss"]
    again = firm_s.restarted()
    again.move(100.0)
    again.move(100.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "breach")


def test_no_breach_is_written_down_without_its_halt(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm_s = trading.changed(rule_set=FIRM)
    firm_s.trade()
    before = EquityDay.objects.values().get()

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(monitoring, "check_breach", dies)
        patched.setattr(monitoring, "close_due", lambda context: None)
        with pytest.raises(Died):
            firm_s.move(98.0)
    assert EquityDay.objects.values().get() == before


def test_a_position_that_fills_after_the_breach_is_closed_too(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=FIRM)
    firm_s.trade()
    quoted(firm_s, MSFT=100.0)
    late = firm_s.log(symbol="MSFT")
    firm_s.decide()
    firm_s.broker.before["cancel"] = TIMED_OUT
    firm_s.clock.pass_by(seconds=1)
    quoted(firm_s, AAPL=98.0)
    with pytest.raises(BrokerError):
        firm_s.look()
    del firm_s.broker.before["cancel"]
    for _ in range(3):
        firm_s.clock.pass_by(seconds=1)
        quoted(firm_s, AAPL=100.0, MSFT=103.0)
        firm_s.look()
    assert not Position.objects.filter(status="open").exists()
    assert position_of(late).exit_reason == "breach"


def test_money_that_was_asked_for_while_an_order_was_on_its_way_is_not_spent_twice(
    trading: Trading,
) -> None:
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


def test_two_marks_at_once_count_a_position_once(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process marks while this one waits for the account."""
    trading.log()
    trading.decide()
    trading.clock.pass_by(seconds=1)
    quoted(trading, AAPL=100.0)
    refresh(trading.context, take_fills(trading.context))
    other, read = trading.restarted(), Curve.read

    def late(*arguments: object) -> Curve:
        monkeypatch.setattr(Curve, "read", read)
        mark_equity(other.context)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Curve, "read", late)
    mark_equity(trading.context)
    assert EquityDay.objects.get().trades == 1


def test_a_position_that_was_settled_ends_no_row_of_losses(trading: Trading) -> None:
    symbols = ("AAPL", "MSFT", "AMZN")
    quoted(trading, **dict.fromkeys((*symbols, "NVDA"), 100.0))
    free = trading.changed(limits=Limits(orders_a_minute=None, max_daily_loss=None))
    for symbol in symbols:
        free.trade(symbol=symbol)
        quoted(trading, **dict.fromkeys((*symbols, "NVDA"), 100.0))
    settled = free.trade(symbol="NVDA")
    for symbol in symbols:
        free.move(94.0, symbol)
    free.clock.pass_by(seconds=5)
    with transaction.atomic():
        settle(position_of(settled), Decimal(100), free.clock())
        held = portfolio(free.context, free.context.broker.account(), free.clock())
    assert position_of(settled).status == "closed"
    assert len(held.losses) == len(symbols)


def test_an_order_that_cannot_be_sent_keeps_no_signal_from_being_decided_on(
    trading: Trading,
) -> None:
    quoted(trading, MSFT=100.0)
    held = trading.trade()
    ask_to_close(position_of(held), "manual")
    submit = trading.broker.broker.submit

    def failing(order: Bracket | Close) -> OrderReport:
        if isinstance(order, Close):
            raise KeyError("no such account")
        return submit(order)

    trading.broker.instead["submit"] = failing
    with pytest.raises(KeyError):
        trading.look()
    trading.wait(minutes=1)
    fresh = trading.log(symbol="MSFT")
    with pytest.raises(KeyError):
        send_and_decide(trading.context)
    assert decision_of(fresh).status == "executed"
    assert orders_of(held)["close"].state == "submitted"


def test_what_was_not_traded_is_followed_though_the_broker_is_down(trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    trading.day(100, 112, 99, 111)
    trading.broker.before["fills"] = TIMED_OUT
    with pytest.raises(BrokerError):
        trading.look()
    assert Counterfactual.objects.get(pk=signal.pk).outcome == "win"


def test_an_entry_that_fills_before_its_cancel_needs_no_reason(trading: Trading) -> None:
    quoted(trading, MSFT=100.0)
    signal = trading.log(symbol="MSFT")
    trading.decide()
    halts.latch(ACCOUNT, "by_hand", "the news", trading.clock(), by="me")
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
