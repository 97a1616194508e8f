"""An order is stored before it is sent; after an unclear answer it is looked up, not sent again."""

from datetime import timedelta

import pytest

from execution.accounts.halts import latch
from execution.brokers.protocol import Bracket, BrokerError, Close, OrderReport
from execution.models import Counterfactual, Order, PaperOrder
from execution.orders.router import LOOKUP_DELAY, ORDER_LEASE, end, send, send_due
from execution.types import HaltCode, OrderState
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    TIMED_OUT,
    Died,
    Trading,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
REFUSED = BrokerError("insufficient buying power", permanent=True)


def brackets() -> int:
    """Return how many brackets the broker has."""
    return PaperOrder.objects.filter(leg="entry").count()


def ordered(trading: Trading) -> Signal:
    signal = trading.log()
    trading.decide()
    return signal


def later(trading: Trading) -> None:
    """Wait until unclear orders are looked up again."""
    trading.wait(seconds=max(ORDER_LEASE, LOOKUP_DELAY).total_seconds())


@pytest.mark.usefixtures("database")
def test_the_rows_are_stored_before_the_call(trading: Trading) -> None:
    seen: list[str] = []
    submit = trading.broker.broker.submit

    def look_and_submit(order: Bracket | Close) -> OrderReport:
        seen.extend(Order.objects.order_by("pk").values_list("state", flat=True))
        return submit(order)

    trading.broker.instead["submit"] = look_and_submit
    signal = ordered(trading)
    assert seen == ["submitted", "initialized", "initialized"]
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}


@pytest.mark.usefixtures("database")
def test_an_order_accepted_after_a_time_out_is_looked_up_and_not_resent(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = ordered(trading)
    order = orders_of(signal)["entry"]
    assert (order.state, order.reason) == ("unknown", "no answer within 10 s")
    assert send_due(trading.context) == 0  # it may still be on its way
    trading.broker.after.clear()
    later(trading)
    assert send_due(trading.context) == 1
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    assert trading.broker.calls.count("submit") == 1
    assert brackets() == 1


@pytest.mark.usefixtures("database")
def test_an_order_that_never_arrived_is_sent_again_under_the_same_id(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    signal = ordered(trading)
    trading.broker.before.clear()
    later(trading)
    send_due(trading.context)
    order = orders_of(signal)["entry"]
    assert order.state == "accepted"
    (at_broker,) = PaperOrder.objects.filter(leg="entry")
    assert at_broker.client_order_id == order.client_order_id
    assert trading.broker.calls[-2:] == ["find", "submit"]


def test_an_order_that_cannot_be_looked_up_is_not_sent(trading: Trading) -> None:
    trading.broker.before["submit"] = trading.broker.before["find"] = TIMED_OUT
    signal = ordered(trading)
    for _ in range(3):
        later(trading)
        send_due(trading.context)
    assert trading.broker.calls.count("submit") == 1
    assert states_of(signal)["entry"] == "unknown"


def test_a_permanent_refusal_ends_the_order(trading: Trading) -> None:
    trading.broker.before["submit"] = REFUSED
    signal = ordered(trading)
    assert states_of(signal) == {"entry": "rejected", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "insufficient buying power"
    assert Counterfactual.objects.get().pk == signal.pk
    later(trading)
    assert send_due(trading.context) == 0


def test_an_order_that_the_broker_already_has_is_adopted(trading: Trading) -> None:
    """Another process sent it and died before it stored the answer."""
    trading.broker.after["submit"] = BrokerError("exists", permanent=True, duplicate=True)
    signal = ordered(trading)
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1


def test_a_halt_between_decision_and_sending_denies_the_order(trading: Trading) -> None:
    trading.broker.before["submit"] = Died()
    with pytest.raises(Died):
        ordered(trading)
    latch("paper", HaltCode.BY_HAND, "enough for today", trading.clock())
    trading.broker.before.clear()
    later(trading)
    send_due(trading.context)
    signal = Signal.objects.get()
    assert states_of(signal) == {"entry": "denied", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "enough for today"
    assert brackets() == 0
    assert Counterfactual.objects.get().pk == signal.pk


def test_an_order_at_the_broker_is_adopted_even_during_a_halt(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = ordered(trading)
    latch("paper", HaltCode.BY_HAND, "enough for today", trading.clock())
    later(trading)
    send_due(trading.context)
    assert states_of(signal)["entry"] == "accepted"


def test_an_order_that_could_not_be_sent_in_time_is_denied(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    signal = ordered(trading)
    trading.broker.before.clear()
    trading.clock.pass_by(minutes=16)
    send_due(trading.context)
    assert orders_of(signal)["entry"].reason == "it was not sent in time"
    assert brackets() == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_dead_workers_order_is_sent_or_adopted(trading: Trading, where: str) -> None:
    getattr(trading.broker, where)["submit"] = Died()
    with pytest.raises(Died):
        ordered(trading)
    signal = Signal.objects.get()
    assert states_of(signal)["entry"] == "submitted"
    getattr(trading.broker, where).clear()
    assert send_due(trading.context) == 0  # its lease has not ended
    later(trading)
    assert send_due(trading.context) == 1
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1


def test_an_order_in_doubt_that_another_worker_looks_up_is_left_to_it(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    seen_by_both = orders_of(ordered(trading))["entry"]
    later(trading)
    trading.broker.before["find"] = Died()
    with pytest.raises(Died):
        send_due(trading.context)
    trading.broker.before.clear()
    asked = len(trading.broker.calls)
    assert not send(trading.context, seen_by_both)
    assert trading.broker.calls[asked:] == []
    later(trading)
    assert send(trading.context, seen_by_both)
    assert brackets() == 1


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


def test_a_reason_is_stored_without_its_nul(trading: Trading) -> None:
    trading.broker.before["submit"] = BrokerError("bad\0thing", permanent=True)
    signal = trading.log()
    trading.decide()
    assert orders_of(signal)["entry"].reason == "badthing"
    trading.look()


@pytest.mark.usefixtures("database")
def test_the_lease_of_another_sender_is_respected(trading: Trading) -> None:
    trading.broker.before["submit"] = Died()
    with pytest.raises(Died):
        ordered(trading)
    trading.broker.before.clear()
    sent_by_another = orders_of(Signal.objects.get())["entry"]
    calls = len(trading.broker.calls)
    assert not send(trading.context, sent_by_another)
    assert trading.broker.calls[calls:] == []
    later(trading)
    assert send(trading.context, sent_by_another)


@pytest.mark.usefixtures("database")
def test_an_order_that_another_worker_has_sent_meanwhile_is_not_sent_again(
    trading: Trading,
) -> None:
    seen_before = orders_of(ordered(trading))["entry"]
    seen_before.state = OrderState.INITIALIZED
    calls = len(trading.broker.calls)
    assert not send(trading.context, seen_before)
    assert trading.broker.calls[calls:] == []


@pytest.mark.usefixtures("database")
def test_an_order_that_another_worker_has_adopted_meanwhile_is_not_ended(trading: Trading) -> None:
    signal = ordered(trading)
    seen_before = orders_of(signal)["entry"]
    seen_before.state = OrderState.SUBMITTED
    assert not end(trading.context, seen_before, OrderState.REJECTED, "no")
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    assert not Counterfactual.objects.exists()


def test_a_refusal_is_believed_only_after_a_look_up(trading: Trading) -> None:
    trading.broker.after["submit"] = BrokerError("422: the market is closed", permanent=True)
    signal = ordered(trading)
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    trading.broker.after.clear()
    trading.move(100.0)
    assert position_of(signal).quantity == 100


def test_a_refusal_that_cannot_be_looked_up_is_in_doubt(trading: Trading) -> None:
    trading.broker.after["submit"] = REFUSED
    trading.broker.before["find"] = TIMED_OUT
    signal = ordered(trading)
    assert states_of(signal)["entry"] == "unknown"
    trading.broker.after.clear()
    trading.broker.before.clear()
    later(trading)
    send_due(trading.context)
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1


@pytest.mark.usefixtures("database")
def test_an_order_whose_lease_a_clock_ahead_has_set_is_looked_up(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = ordered(trading)
    ahead = trading.context.clock() + timedelta(hours=3)
    Order.objects.filter(leg="entry").update(claim="dead", due_at=ahead)
    assert send_due(trading.context) == 1
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1
