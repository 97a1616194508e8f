"""A difference between our records and the broker's halts trading."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from execution.brokers.protocol import BrokerError, Holding, OrderReport
from execution.models import (
    Fill,
    Order,
    Position,
    TradingAccount,
)
from execution.monitoring.reconcile import position_differences, reconcile
from execution.positions.fills import take_fills
from execution.types import Leg, OrderState, Side
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    Died,
    Trading,
    as_stored,
    codes_of,
    halt_codes,
    holding,
    orders_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


def codes(trading: Trading) -> list[str]:
    return [each.code for each in reconcile(trading.context)]


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ({}, {}, []),
        ({"A": 5}, {"A": 5}, []),
        ({}, {"A": 5}, ["unknown_position"]),
        ({"A": 5}, {}, ["missing_position"]),
        ({"A": 5}, {"A": 4}, ["different_quantity"]),
        ({"A": 5}, {"A": -5}, ["different_quantity"]),
        ({"A": 5, "B": 1}, {"B": 1, "C": 2}, ["missing_position", "unknown_position"]),
        ({"A": 5}, {"A": 0}, ["missing_position"]),
        ({"W": 5}, {"W": 9}, []),
    ],
)
def test_a_symbol_that_only_one_side_holds_is_a_difference(
    ours: Mapping[str, int], theirs: Mapping[str, int], found: list[str]
) -> None:
    """Orders of W are on the way."""
    mine, broker = ({name: Decimal(each) for name, each in side.items()} for side in (ours, theirs))
    assert [each.code for each in position_differences(mine, broker, frozenset("W"))] == found


@pytest.mark.usefixtures("database")
def test_the_time_of_an_agreement_is_stored(trading: Trading) -> None:
    trading.trade()
    assert reconcile(trading.context) == []
    assert TradingAccount.objects.get().reconciled_at == trading.clock()
    assert halt_codes() == []


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (holding(AAPL=100, MSFT=5), "unknown_position"),
        (holding(), "missing_position"),
        (holding(AAPL=99), "different_quantity"),
    ],
)
def test_a_difference_halts_trading(trading: Trading, held: list[Holding], code: str) -> None:
    trading.trade()
    trading.broker.instead["positions"] = lambda: held
    assert codes(trading) == [code]
    assert halt_codes() == ["mismatch"]
    assert TradingAccount.objects.get().reconciled_at is None
    late = trading.log()
    trading.decide()
    assert "halt" in codes_of(late)


def test_an_order_that_we_never_made_halts(trading: Trading) -> None:
    foreign = OrderReport("x", "by-hand", Leg.ENTRY, SYMBOL, Side.BUY, Decimal(1), Decimal(0),
                     OrderState.ACCEPTED)  # fmt: skip
    trading.broker.instead["open_orders"] = lambda: [foreign]
    assert codes(trading) == ["unknown_order"]


def test_an_order_that_the_broker_lost_halts(trading: Trading) -> None:
    trading.log()
    trading.decide()
    trading.broker.instead["open_orders"] = list
    trading.broker.instead["find"] = lambda name: None
    assert set(codes(trading)) == {"missing_order"}


def test_new_fills_are_taken_before_the_records_are_compared(trading: Trading) -> None:
    """The entry was filled and closed while Argo did not look."""
    signal = trading.log()
    trading.decide()
    for price in (100.0, 111.0):
        trading.clock.pass_by(seconds=1)
        trading.market.quotes[SYMBOL] = Quote(price, trading.clock())
        trading.broker.broker.look()
    assert reconcile(trading.context) == []
    assert as_stored(signal).outcome == "win"


def test_an_order_on_its_way_explains_a_difference_for_now(trading: Trading) -> None:
    trading.broker.after["submit"] = Died()
    trading.log()
    with pytest.raises(Died):
        trading.decide()
    trading.clock.pass_by(seconds=1)
    trading.broker.broker.look()
    trading.broker.after.clear()
    assert reconcile(trading.context) == []
    trading.wait(minutes=1)
    assert reconcile(trading.context) == []
    assert Position.objects.count() == 1


def test_an_order_that_the_broker_canceled_is_canceled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    trading.broker.broker.cancel(orders_of(signal)["entry"].broker_id)
    assert reconcile(trading.context) == []
    assert states_of(signal) == {"entry": "canceled", "stop": "canceled", "target": "canceled"}


@pytest.mark.usefixtures("database")
def test_a_restart_adds_no_row(trading: Trading) -> None:
    trading.trade()
    before = (list(Position.objects.values()), list(Order.objects.values()))
    again = trading.restarted()
    for _ in range(3):
        assert reconcile(again.context) == []
        again.look()
    assert (list(Position.objects.values()), list(Order.objects.values())) == before
    assert Fill.objects.count() == 1


def test_a_broker_that_is_down_is_no_difference(trading: Trading) -> None:
    trading.trade()
    trading.broker.before["positions"] = BrokerError("down", permanent=False)
    with pytest.raises(BrokerError):
        reconcile(trading.context)
    assert halt_codes() == []


def test_fault_41_a_restart_invents_no_position_and_a_mismatch_halts(trading: Trading) -> None:
    trading.trade()
    again = trading.restarted()
    assert reconcile(again.context) == []
    assert Position.objects.count() == 1
    again.broker.instead["positions"] = list
    assert [each.code for each in reconcile(again.context)] == ["missing_position"]
    late = again.log()
    again.decide()
    assert "halt" in codes_of(late)


def test_it_looks_a_second_time_before_it_halts(trading: Trading) -> None:
    """A fill may come between two of the questions to the broker."""
    trading.trade()
    answers = [holding(AAPL=60), holding(AAPL=100)]
    trading.broker.instead["positions"] = lambda: answers.pop(0)
    assert reconcile(trading.context) == []
    assert (answers, halt_codes()) == ([], [])


def test_an_order_that_was_never_submitted_explains_no_mismatch(trading: Trading) -> None:
    """The broker has the entry, but not its exits: their rows wait for ever."""
    submit, find = trading.broker.broker.submit, trading.broker.broker.find
    trading.broker.instead["submit"] = lambda order: replace(submit(order), legs=())
    trading.broker.instead["find"] = lambda name: (
        (report := find(name)) and replace(report, legs=())
    )
    signal = trading.log()
    trading.decide()
    trading.clock.pass_by(seconds=1)
    trading.market.quotes[SYMBOL] = Quote(100.0, trading.clock())
    take_fills(trading.context)
    assert states_of(signal)["stop"] == "initialized"
    trading.broker.instead["positions"] = lambda: holding(AAPL=60)
    trading.broker.instead["open_orders"] = list
    assert codes(trading) == ["different_quantity"]
