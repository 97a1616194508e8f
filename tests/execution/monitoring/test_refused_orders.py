"""An order that the broker has although it refused it is ours: it is adopted, its fills count."""

import pytest

from execution.brokers.protocol import BrokerError
from execution.models import Counterfactual
from execution.monitoring.reconcile import reconcile
from execution.orders.router import send_due
from execution.positions.fills import take_fills
from signals.market.protocol import Quote
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    Trading,
    figures,
    fill_of,
    halt_codes,
    holding,
    orders_of,
    position_of,
    quoted,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
REFUSED = BrokerError("422: refused", permanent=True)
UNREADABLE = BrokerError("no such status", permanent=False, unreadable=True)
AT_BROKER = {"entry": "accepted", "stop": "accepted", "target": "accepted"}


def _refused(trading: Trading) -> None:
    """From now on, orders are placed, refused, and not found when they are looked up."""
    trading.broker.after["submit"] = REFUSED
    trading.broker.instead["find"] = lambda client_order_id: None


def _appear(trading: Trading) -> None:
    """From now on, the broker has its orders."""
    trading.broker.after.clear()
    trading.broker.instead.clear()


@pytest.fixture
def signal(trading: Trading) -> Signal:
    """Return a signal whose order was refused, but placed."""
    _refused(trading)
    signal = trading.log()
    trading.decide()
    _appear(trading)
    assert states_of(signal) == {"entry": "rejected", "stop": "canceled", "target": "canceled"}
    return signal


@pytest.mark.usefixtures("database")
def test_an_open_order_is_adopted_with_its_exits(trading: Trading, signal: Signal) -> None:
    assert reconcile(trading.context) == []
    assert states_of(signal) == AT_BROKER
    assert orders_of(signal)["entry"].reason == ""
    assert not Counterfactual.objects.exists()
    trading.move(100.0)
    assert position_of(signal).quantity == 100
    trading.move(94.0)
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "stop")
    assert (halt_codes(), reconcile(trading.context)) == ([], [])


def test_an_order_that_is_filled_already_gives_a_position(trading: Trading, signal: Signal) -> None:
    trading.move(101.0)
    held = position_of(signal)
    assert figures(held.quantity, held.entry_price) == (100, 101)
    assert states_of(signal) == AT_BROKER | {"entry": "filled"}
    assert (halt_codes(), reconcile(trading.context)) == ([], [])


def test_an_order_that_has_closed_already_gives_a_closed_position(
    trading: Trading, signal: Signal
) -> None:
    """Nothing differs any more, but its profit counts."""
    for price in (101.0, 111.0):
        trading.clock.pass_by(seconds=1)
        trading.market.quotes["AAPL"] = Quote(price, trading.clock())
        trading.broker.broker.fills(trading.clock())
    assert reconcile(trading.context) == []
    assert figures(position_of(signal).exit_reason, position_of(signal).profit) == ("target", 1000)
    assert halt_codes() == []


def test_a_fill_by_hand_asks_for_no_order_of_another_symbol(
    trading: Trading, signal: Signal
) -> None:
    trading.broker.instead["fills"] = lambda since: [
        fill_of(orders_of(signal)["entry"], 5, 100, symbol="IBM", broker_id="by hand")
    ]
    trading.broker.calls.clear()
    assert take_fills(trading.context) == []
    assert "find" not in trading.broker.calls


def test_a_look_up_that_fails_hides_no_other_fill(trading: Trading, signal: Signal) -> None:
    known = quoted(trading, MSFT=100.0).log(symbol="MSFT")
    trading.decide()
    trading.broker.before["find"] = UNREADABLE
    trading.broker.instead["fills"] = lambda since: [
        fill_of(orders_of(signal)["entry"], 100, 100, broker_id="strange"),
        fill_of(orders_of(known)["entry"], 100, 100),
    ]
    assert [order.signal_id for order in take_fills(trading.context)] == [known.pk]


def test_an_order_that_a_look_up_did_not_find_in_time_is_adopted_too(trading: Trading) -> None:
    trading.broker.after["submit"] = BrokerError("no answer", permanent=False)
    trading.broker.instead["find"] = lambda client_order_id: None
    signal = trading.log()
    trading.decide()
    trading.clock.pass_by(hours=1)
    send_due(trading.context)
    assert states_of(signal)["entry"] == "denied", "it was not sent in time"
    _appear(trading)
    assert reconcile(trading.context) == []
    assert states_of(signal) == AT_BROKER


def test_a_close_that_was_placed_closes_the_position(trading: Trading) -> None:
    signal = trading.trade()
    _refused(trading)
    trading.clock.pass_by(days=31)
    trading.look()
    assert states_of(signal)["close"] == "rejected"
    _appear(trading)
    trading.wait(seconds=1)
    assert reconcile(trading.context) == []
    assert position_of(signal).status == "closed"
    assert halt_codes() == []


def test_an_order_that_is_over_without_a_fill_stays_refused(
    trading: Trading, signal: Signal
) -> None:
    trading.broker.broker.cancel(orders_of(signal)["entry"].client_order_id)
    trading.broker.instead["positions"] = lambda: holding(IBM=5)
    assert [each.code for each in reconcile(trading.context)] == ["unknown_position"]
    assert states_of(signal) == {"entry": "rejected", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "422: refused"
    assert Counterfactual.objects.get().pk == signal.pk


def test_an_order_of_long_ago_is_a_mismatch(trading: Trading, signal: Signal) -> None:
    trading.wait(days=1, seconds=1)
    assert "unknown_order" in {each.code for each in reconcile(trading.context)}
    assert states_of(signal)["entry"] == "rejected"
    assert "mismatch" in halt_codes()


def test_an_order_that_the_broker_never_had_explains_nothing(trading: Trading) -> None:
    trading.broker.before["submit"] = REFUSED
    signal = trading.log()
    trading.decide()
    trading.broker.before.clear()
    other = trading.restarted()
    other.broker.instead["positions"] = lambda: [
        each._replace(symbol="IBM") for each in other.broker.broker.positions()
    ]
    assert reconcile(other.context) == []
    assert states_of(signal)["entry"] == "rejected"


def test_a_refused_order_that_cannot_be_read_is_part_of_the_mismatch(
    trading: Trading, signal: Signal
) -> None:
    trading.broker.before["find"] = UNREADABLE
    codes = {each.code for each in reconcile(trading.context)}
    assert codes == {"unreadable", "unknown_order"}
    assert states_of(signal)["entry"] == "rejected"
