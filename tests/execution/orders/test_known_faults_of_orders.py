"""What older systems got wrong about orders and outcomes: a test for each fault, by its number in
the list of known faults."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.decisions.queue import LEASE, claim
from execution.models import (
    Counterfactual,
    Decision,
    Fill,
    Order,
    PaperOrder,
    Position,
)
from execution.monitoring.reconcile import reconcile
from execution.orders.router import send_due
from execution.orders.states import TRANSITIONS
from execution.positions.fills import record
from execution.risk.model import Limits
from execution.status import status
from execution.types import OrderState
from signals.ledger.outcomes import record_outcome
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import (
    Died,
    Trading,
    as_stored,
    codes_of,
    decision_of,
    fill_of,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)


def later(trading: Trading) -> None:
    trading.wait(seconds=LEASE.total_seconds())


def test_fault_32_a_broker_that_is_not_there_is_told(trading: Trading) -> None:
    trading.trade()
    trading.broker.before |= dict.fromkeys(("account", "fills"), BrokerError("404", permanent=True))
    late = trading.log()
    assert trading.decide().executed == 0
    with pytest.raises(BrokerError):
        trading.look()
    assert decision_of(late).status == "pending"
    assert "The broker failed: 404" in status(trading.clock())["problems"]
    with pytest.raises(BrokerError):
        reconcile(trading.context)  # what every process does first


def test_fault_33_an_order_that_timed_out_is_looked_up_before_it_is_sent(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = trading.log()
    trading.decide()
    trading.broker.after.clear()
    for _ in range(3):
        later(trading)
        send_due(trading.context)
        trading.look()
    assert trading.broker.calls.count("submit") == 1
    assert PaperOrder.objects.filter(leg="entry").count() == 1
    assert position_of(signal).quantity == 100


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_fault_34_a_bracket_has_sides_and_one_exit_cancels_the_other(
    trading: Trading, action: str
) -> None:
    signal = trading.trade(action=action)
    sides = {leg: order.side for leg, order in orders_of(signal).items()}
    other = "SELL" if action == "BUY" else "BUY"
    assert sides == {"entry": action, "stop": other, "target": other}
    trading.move(89.0)
    trading.move(111.0)
    ended = {"BUY": "stop", "SELL": "target"}[action]
    canceled = {"stop": "target", "target": "stop"}[ended]
    assert states_of(signal) == {"entry": "filled", ended: "filled", canceled: "canceled"}
    assert list(trading.broker.positions()) == []


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


def test_fault_35_a_status_has_one_spelling(trading: Trading) -> None:
    """What the rows hold are the values that the code compares with."""
    signal = trading.trade()
    trading.move(111.0)
    assert set(states_of(signal).values()) == {"filled", "canceled"}
    assert {OrderState(row.state) for row in Order.objects.all()} <= TRANSITIONS.keys()
    choices = {value for value, _ in Order._meta.get_field("state").choices or ()}
    assert choices == {state.value for state in OrderState}
    assert decision_of(signal).status in Decision.Status.values


def test_fault_36_one_instrument_has_one_name_and_a_fraction_can_be_sold(trading: Trading) -> None:
    trading.market.quotes["BTC-USD"] = Quote(64_321.0, trading.clock())
    levels: dict[str, Any] = {
        "entry_price": 64_321.0,
        "target_price": 70_000.0,
        "stop_price": 60_000.0,
    }
    signal = trading.trade(64_321.0, symbol="BTC-USD", asset_type="crypto", **levels)
    held = position_of(signal)
    assert 0 < held.quantity < 1
    again = trading.log(symbol="BTCUSD", asset_type="crypto", **levels)
    trading.decide()
    assert "held" in codes_of(again)
    trading.move(70_001.0, "BTC-USD")
    held.refresh_from_db()
    assert (held.status, held.closed_quantity) == ("closed", held.quantity)


def test_fault_37_an_executed_decision_has_an_order_that_the_broker_has(trading: Trading) -> None:
    made = [trading.log(), trading.log(confidence=20.0)]
    trading.decide()
    executed, skipped = (decision_of(each) for each in made)
    assert executed.order_id == as_stored(made[0]).order_id
    assert trading.broker.find(executed.order_id or "") is not None
    assert (skipped.order_id, as_stored(made[1]).order_id) == (None, None)
    assert {row.account for row in Order.objects.all()} == {settings.TRADING_ACCOUNT}


def test_fault_38_a_stop_is_the_broker_s_and_survives_a_restart(trading: Trading) -> None:
    signal = trading.trade()
    assert PaperOrder.objects.get(leg="stop", state=OrderState.ACCEPTED).level == 95
    again = trading.restarted()
    again.move(94.0)
    assert (position_of(signal).exit_reason, as_stored(signal).outcome) == ("stop", "loss")


def test_fault_39_nothing_stays_claimed_by_a_process_that_died(trading: Trading) -> None:
    claimed = trading.log()
    claim("paper", "dead", 10, trading.clock())
    trading.broker.before["submit"] = Died()
    sent = trading.log()
    with pytest.raises(Died):
        trading.decide()
    assert (decision_of(claimed).status, states_of(sent)["entry"]) == ("deciding", "submitted")
    trading.broker.before.clear()
    later(trading)
    again = trading.restarted().changed(limits=Limits(max_per_symbol=2, max_position=Decimal(50)))
    send_due(again.context)
    again.decide()
    assert states_of(claimed)["entry"] == states_of(sent)["entry"] == "accepted"


def test_fault_40_a_fill_counts_once_and_no_more_is_sold_than_is_held(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    orders = orders_of(signal)
    entry = [fill_of(orders["entry"], "60.1", 100, 1), fill_of(orders["entry"], "39.9", 100, 2)]
    exits = [fill_of(orders["target"], "50", 110, 3), fill_of(orders["target"], "74.4", 110, 4)]
    trading.clock.pass_by(hours=1)
    for told in (entry, entry[::-1], exits, exits):
        record(trading.context, told)
    position = position_of(signal)
    assert (position.quantity, position.closed_quantity) == (Decimal(100), Decimal(50))
    assert Fill.objects.filter(refused="").count() == 3
    assert [halt.code for halt in halts.standing("paper")] == ["overfill"]


def test_fault_41_a_restart_makes_no_phantom_and_a_mismatch_stops_trading(
    trading: Trading,
) -> None:
    trading.trade()
    again = trading.restarted()
    assert reconcile(again.context) == []
    assert Position.objects.count() == 1
    again.broker.instead["positions"] = list
    assert [finding.code for finding in reconcile(again.context)] == ["missing_position"]
    late = again.log()
    again.decide()
    assert "halt" in codes_of(late)


def test_fault_42_what_is_too_old_is_found_and_expires(trading: Trading) -> None:
    """A position, and a signal that was never traded."""
    held = trading.trade()
    missed = trading.log(confidence=20.0)
    trading.decide()
    trading.day(100, 101, 99, 101)
    trading.wait(days=90)
    trading.look()
    trading.move(101.0)
    assert (as_stored(held).outcome, position_of(held).exit_reason) == ("expired", "expired")
    assert Counterfactual.objects.get(pk=missed.pk).outcome == "expired"


def test_fault_43_expired_does_not_overwrite_a_win(trading: Trading) -> None:
    signal = trading.trade()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=108.0, who="ann", why="sold by hand",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    trading.clock.pass_by(days=31)
    trading.look()
    trading.move(90.0)
    assert position_of(signal).exit_reason == "expired"
    assert (as_stored(signal).outcome, as_stored(signal).exit_price) == ("win", 108.0)
