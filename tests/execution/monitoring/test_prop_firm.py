"""A prop firm's rules: a breach halts trading and may close everything, and so may a flat time."""

from datetime import time
from decimal import Decimal

import pytest

from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.models import EquityDay, Halt, Position
from execution.monitoring import monitor as monitoring
from execution.prop_firm.rule_set import DailyLoss, Drawdown, Flat
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    TIMED_OUT,
    Died,
    Trading,
    as_stored,
    codes_of,
    decision_of,
    halt_codes,
    position_of,
    quoted,
    rule_set,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
DAILY = DailyLoss(percent=Decimal("0.3"), basis="equity")
"""300 of 100,000: a position of 100 shares loses that when the price falls by 3."""
STATIC = rule_set(drawdown=Drawdown(percent=Decimal("0.3")))
CLOSING = rule_set(close_on_breach=True, daily_loss=DAILY)


@pytest.fixture
def firm(trading: Trading) -> Trading:
    """Return an account of a firm that closes everything on a breach of its daily loss."""
    return trading.changed(rule_set=CLOSING)


def test_a_breach_halts_and_later_signals_are_denied(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(daily_loss=DAILY))
    signal = firm.trade()
    firm.move(97.0)
    (halt,) = halts.active("paper")
    assert (halt.code, halt.latched_by) == ("daily_loss", "argo")
    assert Decimal(halt.figures["equity"]) == 99_700
    late = firm.log(symbol=SYMBOL)
    firm.decide()
    assert "halt" in codes_of(late)
    assert position_of(signal).status == "open"  # the rule set does not close on a breach


def test_a_breach_closes_everything_if_the_firm_says_so(firm: Trading) -> None:
    signal = firm.trade()
    firm.move(97.0)
    assert position_of(signal).closing_for == "breach"
    firm.move(97.0)
    assert position_of(signal).status == "closed"
    assert as_stored(signal).outcome == "loss"


@pytest.mark.usefixtures("database")
def test_a_halt_survives_a_restart_and_better_prices(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(daily_loss=DAILY))
    firm.trade()
    firm.move(97.0)
    again = firm.restarted()
    again.move(105.0)
    assert halt_codes() == ["daily_loss"]
    late = again.log()
    again.decide()
    assert decision_of(late).status == "skipped"


def test_a_breach_that_remains_halts_again(trading: Trading) -> None:
    """A static drawdown is measured from the starting balance, so the loss remains."""
    firm = trading.changed(rule_set=STATIC)
    firm.trade()
    firm.move(97.0)
    halts.lift("paper", by="ann", why="try", now=trading.clock())
    firm.move(97.0)
    assert halt_codes() == ["drawdown"]
    assert Halt.objects.count() == 2


def test_fault_23_a_breach_stores_a_halt_and_the_monitor_goes_on(firm: Trading) -> None:
    held = firm.trade()
    firm.move(97.0)
    again = firm.restarted()
    again.move(99.0)
    assert position_of(held).status == "closed"  # the monitor still follows it
    late = again.log(entry_price=99.0)
    again.decide()
    assert "halt" in codes_of(late)


def test_a_breach_denies_even_if_its_halt_is_lifted(trading: Trading) -> None:
    firm = quoted(trading.changed(rule_set=STATIC), MSFT=100.0)
    firm.trade()
    firm.move(95)
    halts.lift("paper", by="me", why="try it", now=firm.clock())
    signal = firm.log(symbol="MSFT")
    firm.market.quotes["MSFT"] = Quote(100.0, firm.clock())
    assert firm.decide().executed == 0
    assert codes_of(signal) == ["prop_firm"]


def test_a_breach_denies_before_the_monitor_has_seen_it(trading: Trading) -> None:
    firm = quoted(trading.changed(rule_set=STATIC), MSFT=100.0)
    firm.trade()
    firm.clock.pass_by(seconds=1)
    firm.market.quotes["AAPL"] = Quote(95.0, firm.clock())
    firm.broker.broker.look()
    signal = firm.log(symbol="MSFT")
    firm.market.quotes["MSFT"] = Quote(100.0, firm.clock())
    firm.decide()
    assert codes_of(signal) == ["prop_firm"]


def test_nothing_is_entered_while_the_firm_allows_no_position(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(flat=Flat(by="weekend")))
    firm.wait(days=3)  # a Saturday
    signal = firm.log()
    firm.decide()
    assert codes_of(signal) == ["flat"]


def test_everything_is_closed_before_the_firms_flat_time(trading: Trading) -> None:
    flat = Flat(by="close", minutes_before=5, at=time(16, 0))
    firm = trading.changed(rule_set=rule_set(flat=flat))
    signal = firm.trade()
    firm.clock.now = firm.clock.now.replace(hour=15, minute=54)
    firm.look()
    assert position_of(signal).closing_for == ""
    firm.clock.pass_by(minutes=1)
    firm.look()
    firm.move(101.0)
    assert position_of(signal).exit_reason == "flat"
    assert as_stored(signal).outcome == "win"


@pytest.mark.django_db(databases=DATABASES, transaction=True)
@pytest.mark.usefixtures("database")
def test_a_breach_closes_everything_even_if_the_process_died_and_the_price_is_back(
    firm: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = firm.trade()

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(monitoring, "close_due", dies)
        with pytest.raises(Died):
            firm.move(97.0)
    assert halt_codes() == ["daily_loss"]
    again = firm.restarted()
    again.move(100.0)
    again.move(100.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "breach")


@pytest.mark.django_db(databases=DATABASES, transaction=True)
@pytest.mark.usefixtures("database")
def test_no_breach_is_stored_without_its_halt(
    firm: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm.trade()
    before = EquityDay.objects.values().get()

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(monitoring, "check_breach", dies)
        patched.setattr(monitoring, "close_due", lambda context: None)
        with pytest.raises(Died):
            firm.move(97.0)
    assert EquityDay.objects.values().get() == before


@pytest.mark.django_db(databases=DATABASES, transaction=True)
@pytest.mark.usefixtures("database")
def test_a_position_that_fills_after_the_breach_is_closed_too(firm: Trading) -> None:
    firm.trade()
    quoted(firm, MSFT=100.0)
    late = firm.log(symbol="MSFT")
    firm.decide()
    firm.broker.before["cancel"] = TIMED_OUT
    firm.clock.pass_by(seconds=1)
    quoted(firm, AAPL=97.0)
    with pytest.raises(BrokerError):
        firm.look()
    del firm.broker.before["cancel"]
    for _ in range(3):
        firm.clock.pass_by(seconds=1)
        quoted(firm, AAPL=100.0, MSFT=103.0)
        firm.look()
    assert not Position.objects.filter(status="open").exists()
    assert position_of(late).exit_reason == "breach"
