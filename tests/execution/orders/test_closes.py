"""Orders to close a position are sent during a halt, and tried again with growing pauses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from execution.accounts.halts import active, latch
from execution.brokers.fill_model import FillModel
from execution.brokers.protocol import BrokerError
from execution.models import Order, PaperOrder
from execution.monitoring.monitor import ask_to_close, close_due, monitor
from execution.monitoring.reconcile import reconcile
from execution.orders.states import move
from execution.positions.fills import record
from execution.types import ExitReason, HaltCode, OrderState
from tests.execution.trading_fixtures import FREE, Trading, fill_of, orders_of, position_of

pytestmark = pytest.mark.django_db
REFUSED = BrokerError("held for other orders", permanent=True)


def test_a_close_is_sent_even_if_trading_is_halted(trading: Trading) -> None:
    signal = trading.trade()
    latch("paper", HaltCode.BY_HAND, "enough for today", trading.clock())
    trading.clock.pass_by(days=31)
    monitor(trading.context)
    trading.move(101.0)
    assert position_of(signal).status == "closed"


def closes() -> list[tuple[int, str]]:
    rows = Order.objects.filter(leg="close").order_by("number")
    return list(rows.values_list("number", "state"))


def test_a_refused_close_is_tried_again_with_growing_pauses(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["submit"] = REFUSED
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
    trading.broker.before["submit"] = REFUSED
    for refused in range(1, 4):
        assert active("paper") == []
        trading.look()
        assert len(closes()) == refused
        trading.wait(minutes=30)
    trading.look()
    (halt,) = active("paper")
    assert halt.code == "unclosable"
    assert signal.signal_id in halt.reason
    assert "held for other orders" in halt.reason


def test_a_close_that_filled_a_part_is_not_a_failed_close(trading: Trading) -> None:
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


def test_a_close_larger_than_what_is_left_ends(trading: Trading) -> None:
    """The stop has filled a part, and we do not know it yet."""
    signal = trading.trade()
    paper = trading.broker.broker
    trading.broker.broker = replace(
        paper, fill_model=FillModel(FREE.costs, volume_share=Decimal(1))
    )
    trading.day(94.0, 94.5, 93.0, 94.0, volume=4000.0)
    trading.broker.broker.look()
    ask_to_close(position_of(signal), ExitReason.MANUAL)
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


def test_no_second_close_is_made_while_one_is_under_way(trading: Trading) -> None:
    """Not after the pause for failed closes either: no price comes, so nothing fills."""
    trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["submit"] = REFUSED
    trading.look()
    del trading.broker.before["submit"]
    for minutes in (1, 5, 30, 60, 60):
        trading.clock.pass_by(minutes=minutes)
        trading.look()
        assert closes() == [(1, "rejected"), (2, "accepted")]
