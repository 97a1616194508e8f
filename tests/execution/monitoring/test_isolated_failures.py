"""A step of the monitor that fails does not keep the other steps from being done."""

import pytest

from execution.accounts import halts
from execution.brokers.protocol import Bracket, BrokerError, Close, OrderReport
from execution.decisions.engine import send_and_decide
from execution.models import Counterfactual
from execution.monitoring.monitor import ask_to_close
from execution.types import ExitReason, HaltCode
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    ACCOUNT,
    TIMED_OUT,
    Trading,
    as_stored,
    decision_of,
    orders_of,
    position_of,
    quoted,
)

pytestmark = [
    pytest.mark.django_db(databases=DATABASES, transaction=True),
    pytest.mark.usefixtures("database"),
]


def test_an_entry_that_cannot_be_canceled_blocks_no_close(trading: Trading) -> None:
    signal = trading.trade()
    quoted(trading, MSFT=100.0)
    waiting = trading.log(symbol="MSFT")
    trading.decide()
    del trading.market.quotes["MSFT"]
    halts.latch(ACCOUNT, HaltCode.BY_HAND, "a person halts", trading.clock(), by="me")
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    trading.broker.before["cancel"] = TIMED_OUT
    trading.clock.pass_by(seconds=60)
    with pytest.raises(BrokerError):
        trading.look()
    assert orders_of(signal)["close"].state == "accepted"
    del trading.broker.before["cancel"]
    trading.look()
    entry = orders_of(waiting)["entry"]
    assert (entry.state, entry.reason) == ("canceled", "a person halts")


@pytest.mark.parametrize("error", [KeyError("legs"), RuntimeError("a bug")])
def test_an_order_that_cannot_be_sent_blocks_no_fill(trading: Trading, error: Exception) -> None:
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


def test_an_order_that_cannot_be_sent_blocks_no_decision(trading: Trading) -> None:
    quoted(trading, MSFT=100.0)
    held = trading.trade()
    ask_to_close(position_of(held), ExitReason.MANUAL)
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


def test_counterfactuals_are_followed_while_the_broker_is_down(trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    trading.day(100, 112, 99, 111)
    trading.broker.before["fills"] = TIMED_OUT
    with pytest.raises(BrokerError):
        trading.look()
    assert Counterfactual.objects.get(pk=signal.pk).outcome == "win"


def test_positions_are_closed_even_if_the_account_cannot_be_measured(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["account"] = RuntimeError("no account")
    with pytest.raises(RuntimeError, match="no account"):
        trading.look()
    assert position_of(signal).closing_for == "expired"


def test_a_symbol_without_prices_blocks_no_other(trading: Trading) -> None:
    held = trading.trade()
    quoted(trading, MSFT=100.0)
    other = trading.trade(symbol="MSFT")
    trading.market.quotes["MSFT"] = RuntimeError("the feed is down")
    trading.move(111.0)
    assert as_stored(held).outcome == "win"
    assert position_of(other).status == "open"
    assert Signal.objects.count() == 2
