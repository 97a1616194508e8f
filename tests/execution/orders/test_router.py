"""An order is a row before it is sent; what may have arrived is looked up, and never sent twice."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from execution.accounts.halts import latch, standing
from execution.brokers.fill_model import FillModel
from execution.brokers.protocol import Bracket, BrokerError, Close, OrderReport
from execution.models import Counterfactual, Order, PaperOrder
from execution.monitoring.monitor import ask_to_close, close_due, monitor
from execution.monitoring.reconcile import reconcile
from execution.orders.router import LEASE, LOOK_AFTER, send, send_due
from execution.orders.states import move
from execution.positions.fills import record
from execution.types import OrderState
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    FREE,
    Died,
    Trading,
    fill_of,
    orders_of,
    position_of,
    states_of,
)

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

    def look_and_submit(order: Bracket | Close) -> OrderReport:
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
    assert send_due(trading.context) == 0  # it may still be on its way
    trading.broker.after.clear()
    later(trading)
    assert send_due(trading.context) == 1
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    assert trading.broker.calls.count("submit") == 1
    assert brackets() == 1


@pytest.mark.usefixtures("database")
def test_what_never_arrived_is_sent_again_under_the_same_id(trading: Trading) -> None:
    trading.broker.before["submit"] = TIMED_OUT
    signal = ordered(trading)
    trading.broker.before.clear()
    later(trading)
    send_due(trading.context)
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
        send_due(trading.context)
    assert trading.broker.calls.count("submit") == 1
    assert states_of(signal)["entry"] == "unknown"


def test_a_refusal_for_good_is_the_end(trading: Trading) -> None:
    trading.broker.before["submit"] = REFUSED
    signal = ordered(trading)
    assert states_of(signal) == {"entry": "rejected", "stop": "canceled", "target": "canceled"}
    assert orders_of(signal)["entry"].reason == "insufficient buying power"
    assert Counterfactual.objects.get().pk == signal.pk
    later(trading)
    assert send_due(trading.context) == 0


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
    send_due(trading.context)
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
def test_an_order_of_a_dead_worker_is_brought_to_its_end(trading: Trading, where: str) -> None:
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


def test_a_close_goes_out_whatever_halts_trading(trading: Trading) -> None:
    signal = trading.trade()
    latch("paper", "by_hand", "enough for today", trading.clock())
    trading.clock.pass_by(days=31)
    monitor(trading.context)
    trading.move(101.0)
    assert position_of(signal).status == "closed"


def closes() -> list[tuple[int, str]]:
    rows = Order.objects.filter(leg="close").order_by("number")
    return list(rows.values_list("number", "state"))


def test_a_close_that_is_refused_for_good_is_tried_less_and_less_often(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["submit"] = BrokerError("held for other orders", permanent=True)
    tried: list[timedelta] = []
    for _ in range(60 * 5):
        before = len(closes())
        trading.look()
        if len(closes()) > before:
            tried.append(trading.clock() - position_of(signal).expires_at)
        trading.wait(minutes=1)
    pauses = [(later - earlier) // timedelta(minutes=1) for earlier, later in pairwise(tried)]
    assert pauses == [1, 5, 30, 60, 60, 60, 60]
    del trading.broker.before["submit"]
    trading.wait(hours=1)
    trading.look()
    trading.move(100.0)
    assert position_of(signal).status == "closed"


def test_after_the_third_refusal_trading_is_halted(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["submit"] = BrokerError("held for other orders", permanent=True)
    for refused in range(1, 4):
        assert standing("paper") == []
        trading.look()
        assert len(closes()) == refused
        trading.wait(minutes=30)
    trading.look()
    (halt,) = standing("paper")
    assert halt.code == "unclosable"
    assert signal.signal_id in halt.reason
    assert "held for other orders" in halt.reason


def test_a_close_that_sold_a_part_is_no_refusal(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.look()
    close = orders_of(signal)["close"]
    record(trading.context, [fill_of(close, 40, 100)])
    move(orders_of(signal)["close"], OrderState.CANCELED, trading.clock())
    PaperOrder.objects.filter(leg="close").update(state=OrderState.CANCELED)
    trading.look()
    assert closes()[-1] == (2, "accepted")
    assert orders_of(signal)["close"].quantity == 60


def test_a_close_for_which_less_was_left_comes_to_its_end(trading: Trading) -> None:
    """The stop was filled in part, and we did not know it yet."""
    signal = trading.trade()
    paper = trading.broker.broker
    trading.broker.broker = replace(paper, terms=FillModel(FREE.costs, volume_share=Decimal(1)))
    trading.day(94.0, 94.5, 93.0, 94.0, volume=4000.0)
    trading.broker.broker.look()
    ask_to_close(position_of(signal), "by_hand")
    close_due(trading.context)
    trading.day(94.0, 94.5, 93.0, 94.0)
    trading.look()
    assert position_of(signal).status == "closed"
    assert reconcile(trading.context) == []
    assert (orders_of(signal)["close"].state, orders_of(signal)["close"].filled) == (
        "canceled",
        Decimal(60),
    )
    assert Order.objects.may_fill("paper") == []
