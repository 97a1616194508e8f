"""Each fill counts once, in any order, and never for more than was ordered."""

import threading
import time
from datetime import datetime
from decimal import Decimal

import pytest
from django.db import transaction

from execution.accounts.halts import active as active_halts
from execution.brokers.protocol import FillReport
from execution.models import Fill, Position
from execution.monitoring.monitor import refresh
from execution.orders.states import move
from execution.positions.fills import LATE_FILL_GRACE, record, take_fills
from execution.types import OrderState, Side
from signals.models import OutcomeChange, Signal
from tests.databases import DATABASES
from tests.execution.threads import in_threads
from tests.execution.trading_fixtures import (
    Trading,
    as_stored,
    fill_of,
    halt_codes,
    orders_of,
    position_of,
    quoted,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.fixture
def signal(trading: Trading) -> Signal:
    """Order 100 shares; the broker reports only the fills that the test makes."""
    signal = trading.log()
    trading.decide()
    return signal


def entry(signal: Signal, quantity: object = 100, number: int = 1) -> FillReport:
    return fill_of(orders_of(signal)["entry"], quantity, 100, number)


def target(signal: Signal, quantity: object = 100, number: int = 2) -> FillReport:
    return fill_of(orders_of(signal)["target"], quantity, 110, number)


@pytest.mark.usefixtures("database")
def test_a_fill_makes_a_position(trading: Trading, signal: Signal) -> None:
    touched = record(trading.context, [entry(signal)])
    assert [order.leg for order in touched] == ["entry"]
    order = orders_of(signal)["entry"]
    assert [order.state, order.filled, order.average_price] == ["filled", 100, 100]
    position = position_of(signal)
    assert [position.side, position.quantity, position.entry_price] == ["BUY", 100, 100]
    assert [position.stop, position.target, position.status] == [95, 110, "open"]
    assert position.opened_at == entry(signal).time


@pytest.mark.usefixtures("database")
def test_a_fill_that_is_reported_again_counts_once(trading: Trading, signal: Signal) -> None:
    reports = [entry(signal, 60, 1), entry(signal, 40, 2)]
    record(trading.context, [reports[0], reports[0]])
    assert record(trading.context, reports) != []
    assert record(trading.context, reports) == []
    assert Fill.objects.count() == 2
    assert orders_of(signal)["entry"].filled == 100
    assert position_of(signal).quantity == 100


@pytest.mark.usefixtures("database")
def test_a_fill_of_the_same_id_on_another_account_hides_none(
    trading: Trading, signal: Signal
) -> None:
    report, order = entry(signal), orders_of(signal)["entry"]
    Fill.objects.create(
        account="another", fill_id=report.fill_id, order=order, quantity=report.quantity,
        price=report.price, fee=report.fee, time=report.time, refused="of another account",
    )  # fmt: skip
    trading.broker.instead["fills"] = lambda since: [report]
    assert [each.pk for each in take_fills(trading.context)] == [order.pk]
    assert position_of(signal).quantity == 100


@pytest.mark.usefixtures("database")
def test_the_price_is_the_average_of_the_parts(trading: Trading, signal: Signal) -> None:
    order = orders_of(signal)["entry"]
    record(trading.context, [fill_of(order, 30, 100, 1), fill_of(order, 10, 104, 2)])
    order = orders_of(signal)["entry"]
    assert [order.state, order.filled, order.average_price] == ["partially_filled", 40, 101]
    assert position_of(signal).entry_price == 101
    assert position_of(signal).status == "open"


def test_an_exits_fill_waits_for_its_entrys_fill(trading: Trading, signal: Signal) -> None:
    reports = [target(signal), entry(signal)]
    trading.broker.instead["fills"] = lambda since: reports[:1]
    trading.clock.pass_by(seconds=3)
    assert take_fills(trading.context) == []
    assert not Position.objects.exists()
    assert active_halts("paper") == []
    trading.broker.instead["fills"] = lambda since: reports
    assert len(take_fills(trading.context)) == 2
    assert as_stored(signal).outcome == "win"


def test_an_exits_fill_without_an_entry_is_refused_later(trading: Trading, signal: Signal) -> None:
    report = target(signal)
    trading.clock.pass_by(seconds=LATE_FILL_GRACE.total_seconds() + 3)
    record(trading.context, [report])
    assert not Position.objects.exists()
    assert halt_codes() == ["overfill"]


@pytest.mark.usefixtures("database")
def test_more_than_was_ordered_is_refused_and_halts(trading: Trading, signal: Signal) -> None:
    record(trading.context, [entry(signal)])
    assert record(trading.context, [entry(signal, "0.5", 3)]) == []
    refused = Fill.objects.exclude(refused="").get()
    assert "more than the 0 that was left" in refused.refused
    assert orders_of(signal)["entry"].filled == 100
    assert position_of(signal).quantity == 100
    (halt,) = active_halts("paper")
    assert (halt.code, halt.figures["quantity"]) == ("overfill", "0.5")


def test_no_more_is_sold_than_is_held(trading: Trading, signal: Signal) -> None:
    """Stop and target were both filled in part, together for more than was held."""
    record(trading.context, [entry(signal), target(signal, 60)])
    stop = fill_of(orders_of(signal)["stop"], 60, 95, 5)
    trading.clock.pass_by(seconds=9)
    assert record(trading.context, [stop]) == []
    assert position_of(signal).closed_quantity == 60
    assert halt_codes() == ["overfill"]


@pytest.mark.parametrize(
    "changes",
    [{"side": Side.SELL}, {"symbol": "MSFT"}, {"quantity": Decimal(0)}, {"price": Decimal(-1)}],
)
def test_a_fill_that_does_not_match_its_order_is_refused(
    trading: Trading, signal: Signal, changes: dict[str, object]
) -> None:
    assert record(trading.context, [entry(signal)._replace(**changes)]) == []  # type: ignore[arg-type]
    assert not Position.objects.exists()
    assert halt_codes() == ["overfill"]


def test_a_fill_of_an_unknown_order_is_ignored(trading: Trading, signal: Signal) -> None:
    record(trading.context, [entry(signal)._replace(broker_id="unknown")])
    assert not Fill.objects.exists()


def test_a_filled_part_stays_when_the_rest_is_canceled(trading: Trading, signal: Signal) -> None:
    record(trading.context, [entry(signal, 40)])
    trading.broker.cancel(orders_of(signal)["entry"].broker_id)
    trading.broker.instead["fills"] = lambda since: []
    refresh(trading.context, [orders_of(signal)["entry"]])
    assert states_of(signal)["entry"] == "canceled"
    assert position_of(signal).quantity == 40
    record(trading.context, [target(signal, 40)])
    assert as_stored(signal).outcome == "win"
    assert position_of(signal).status == "closed"


def test_a_fill_that_comes_after_the_cancel_counts(trading: Trading, signal: Signal) -> None:
    trading.broker.broker.cancel(orders_of(signal)["entry"].broker_id)
    refresh(trading.context, [orders_of(signal)["entry"]])
    record(trading.context, [entry(signal, 40)])
    order = orders_of(signal)["entry"]
    assert [order.state, order.filled] == ["canceled", 40]
    assert position_of(signal).quantity == 40


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_two_workers_count_the_same_fills_once(
    database: str, trading: Trading, signal: Signal
) -> None:
    reports = [entry(signal, 10, number) for number in range(1, 6)] + [target(signal, 50, 9)]
    trading.clock.pass_by(seconds=10)
    answers = in_threads(database, [lambda: record(trading.context, reports)] * 3)
    assert [error for error in answers if isinstance(error, Exception)] == []
    assert Fill.objects.count() == 6
    position = position_of(signal)
    assert position.quantity == position.closed_quantity == 50
    assert active_halts("paper") == []
    assert OutcomeChange.objects.filter(who="monitor").count() == 0  # the entry may still fill


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_a_fill_counts_while_another_worker_cancels_the_order(
    database: str, trading: Trading, signal: Signal
) -> None:
    """The other worker has moved the order, and commits while the fill is being stored."""
    moved = threading.Event()

    def cancel() -> None:
        with transaction.atomic():
            assert move(orders_of(signal)["entry"], OrderState.CANCELED, trading.clock())
            moved.set()
            time.sleep(0.3)

    def fill() -> None:
        moved.wait(30)
        record(trading.context, [entry(signal, 40)])

    assert in_threads(database, [cancel, fill]) == [None, None]
    order = orders_of(signal)["entry"]
    assert [order.state, order.filled] == ["canceled", 40]


def test_fault_40_a_fill_counts_once_and_no_more_is_sold_than_is_held(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    orders = orders_of(signal)
    entry = [fill_of(orders["entry"], "60.1", 100, 1), fill_of(orders["entry"], "39.9", 100, 2)]
    exits = [fill_of(orders["target"], "50", 110, 3), fill_of(orders["target"], "74.4", 110, 4)]
    trading.clock.pass_by(hours=1)
    for reports in (entry, entry[::-1], exits, exits):
        record(trading.context, reports)
    position = position_of(signal)
    assert (position.quantity, position.closed_quantity) == (Decimal(100), Decimal(50))
    assert Fill.objects.filter(refused="").count() == 3
    assert halt_codes() == ["overfill"]


@pytest.mark.parametrize("hours", [1, 23])
def test_a_late_fill_of_an_order_that_is_over_is_still_asked_for(
    trading: Trading, hours: int
) -> None:
    """Its order was canceled, no order is open, and a newer fill is known."""
    over, other = trading.log(), quoted(trading, MSFT=100.0).log(symbol="MSFT")
    trading.decide()
    late = entry(over, 40)._replace(time=trading.clock())
    trading.broker.cancel(orders_of(over)["entry"].broker_id)
    refresh(trading.context, [orders_of(over)["entry"]])
    trading.clock.pass_by(hours=hours)
    for price in (100.0, 111.0):
        trading.move(price, "MSFT")
    assert (position_of(other).status, states_of(over)["entry"]) == ("closed", "canceled")
    fills = trading.broker.broker.fills

    def with_late_fill(since: datetime) -> list[FillReport]:
        return [*fills(since), *([late] if late.time >= since else [])]

    trading.broker.instead["fills"] = with_late_fill
    take_fills(trading.context)
    assert position_of(over).quantity == 40
