"""An order is a row before it is sent; what may have arrived is looked up, and never sent twice."""

import pytest

from execution.brokers.protocol import Bracket, BrokerError, Close, Placed
from execution.halts import latch
from execution.models import Counterfactual, Order, PaperOrder
from execution.monitor import monitor
from execution.sending import LEASE, LOOK_AFTER, send_due
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.desks import Died, Trading, orders_of, position_of, states_of

pytestmark = pytest.mark.django_db(databases=DATABASES)
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)
REFUSED = BrokerError("insufficient buying power", permanent=True)


def brackets() -> int:
    """How many the broker has."""
    return PaperOrder.objects.filter(leg="entry").count()


def ordered(trading: Trading) -> Signal:
    signal = trading.log()
    trading.decide()
    return signal


def later(trading: Trading) -> None:
    """Long enough for another look at what is in doubt."""
    trading.wait(seconds=max(LEASE, LOOK_AFTER).total_seconds())


@pytest.mark.usefixtures("database")
def test_the_rows_are_there_before_the_call(trading: Trading) -> None:
    seen: list[str] = []
    submit = trading.broker.broker.submit

    def look_and_submit(order: Bracket | Close) -> Placed:
        seen.extend(Order.objects.order_by("pk").values_list("state", flat=True))
        return submit(order)

    trading.broker.instead["submit"] = look_and_submit
    signal = ordered(trading)
    assert seen == ["submitted", "initialized", "initialized"]
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}


@pytest.mark.usefixtures("database")
def test_a_time_out_after_acceptance_is_looked_up_and_never_sent_again(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = ordered(trading)
    order = orders_of(signal)["entry"]
    assert (order.state, order.reason) == ("unknown", "no answer within 10 s")
    assert send_due(trading.desk) == 0  # it may still be on its way
    trading.broker.after.clear()
    later(trading)
    assert send_due(trading.desk) == 1
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    assert trading.broker.calls.count("submit") == 1
    assert brackets() == 1


@pytest.mark.usefixtures("database")
def test_what_never_arrived_is_sent_again_under_the_same_id(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    signal = ordered(trading)
    trading.broker.before.clear()
    later(trading)
    send_due(trading.desk)
    order = orders_of(signal)["entry"]
    assert order.state == "accepted"
    (there,) = PaperOrder.objects.filter(leg="entry")
    assert there.client_order_id == order.client_order_id
    assert trading.broker.calls[-2:] == ["find", "submit"]


def test_while_it_cannot_be_looked_up_it_is_not_sent(trading: Trading) -> None:
    trading.broker.before["submit"] = trading.broker.before["find"] = TIMED_OUT
    signal = ordered(trading)
    for _ in range(3):
        later(trading)
        send_due(trading.desk)
    assert trading.broker.calls.count("submit") == 1
    assert states_of(signal)["entry"] == "unknown"


def test_a_refusal_for_good_is_the_end(trading: Trading) -> None:
    trading.broker.before["submit"] = REFUSED
    signal = ordered(trading)
    assert states_of(signal) == {"entry": "rejected", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "insufficient buying power"
    assert Counterfactual.objects.get().pk == signal.pk
    later(trading)
    assert send_due(trading.desk) == 0


def test_a_broker_that_has_the_order_already_is_believed(trading: Trading) -> None:
    """Another process sent it, and its answer is all that is lacking."""
    trading.broker.after["submit"] = BrokerError("exists", permanent=True, duplicate=True)
    signal = ordered(trading)
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1


def test_a_halt_between_decision_and_sending_denies(trading: Trading) -> None:
    trading.broker.before["submit"] = Died()
    with pytest.raises(Died):
        ordered(trading)
    latch("paper", "by_hand", "enough for today", trading.clock())
    trading.broker.before.clear()
    later(trading)
    send_due(trading.desk)
    signal = Signal.objects.get()
    assert states_of(signal) == {"entry": "denied", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "enough for today"
    assert brackets() == 0
    assert Counterfactual.objects.get().pk == signal.pk


def test_a_halt_does_not_hide_what_the_broker_has(trading: Trading) -> None:
    trading.broker.after["submit"] = TIMED_OUT
    signal = ordered(trading)
    latch("paper", "by_hand", "enough for today", trading.clock())
    later(trading)
    send_due(trading.desk)
    assert states_of(signal)["entry"] == "accepted"


def test_an_order_that_could_not_be_sent_in_time_is_denied(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    signal = ordered(trading)
    trading.broker.before.clear()
    trading.clock.pass_by(minutes=16)
    send_due(trading.desk)
    assert orders_of(signal)["entry"].reason == "it was not sent in time"
    assert brackets() == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["before", "after"])
def test_an_order_of_a_dead_worker_is_brought_to_its_end(trading: Trading, where: str) -> None:
    getattr(trading.broker, where)["submit"] = Died()
    with pytest.raises(Died):
        ordered(trading)
    signal = Signal.objects.get()
    assert states_of(signal)["entry"] == "submitted"
    getattr(trading.broker, where).clear()
    assert send_due(trading.desk) == 0  # its lease has not ended
    later(trading)
    assert send_due(trading.desk) == 1
    assert states_of(signal)["entry"] == "accepted"
    assert brackets() == 1


def test_a_close_goes_out_whatever_halts_trading(trading: Trading) -> None:
    signal = trading.trade()
    latch("paper", "by_hand", "enough for today", trading.clock())
    trading.clock.pass_by(days=31)
    monitor(trading.desk)
    trading.move(101.0)
    assert position_of(signal).status == "closed"
