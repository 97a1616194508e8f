"""Our books against the broker's: a difference halts trading until it is explained."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from argo.errors import InvalidInput
from execution import halts
from execution.brokers.protocol import BrokerError, Holding, Leg, Placed, State
from execution.models import Fill, Order, PaperFill, PaperOrder, Position, TradingAccount
from execution.reconciling import differences, reconcile, settle
from execution.risk.intent import Side
from signals.market.protocol import Quote
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.desks import (
    SYMBOL,
    Died,
    Trading,
    as_stored,
    codes_of,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)


def holding(**quantities: int) -> list[Holding]:
    price = Decimal(100)
    return [Holding(symbol, Decimal(each), price, price) for symbol, each in quantities.items()]


def codes(trading: Trading) -> list[str]:
    return [finding.code for finding in reconcile(trading.desk)]


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
def test_what_only_one_of_us_holds_is_told(
    ours: Mapping[str, int], theirs: Mapping[str, int], found: list[str]
) -> None:
    """W has orders on the way."""
    mine, broker = ({name: Decimal(each) for name, each in book.items()} for book in (ours, theirs))
    assert [each.code for each in differences(mine, broker, frozenset("W"))] == found


@pytest.mark.usefixtures("database")
def test_books_that_agree_are_noted(trading: Trading) -> None:
    trading.trade()
    assert reconcile(trading.desk) == []
    assert TradingAccount.objects.get().reconciled_at == trading.clock()
    assert halts.standing("paper") == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (holding(AAPL=100, MSFT=5), "unknown_position"),
        (holding(), "missing_position"),
        (holding(AAPL=99), "different_quantity"),
    ],
)
def test_a_difference_halts_trading(trading: Trading, told: list[Holding], code: str) -> None:
    trading.trade()
    trading.broker.instead["positions"] = lambda: told
    assert codes(trading) == [code]
    assert [halt.code for halt in halts.standing("paper")] == ["mismatch"]
    assert TradingAccount.objects.get().reconciled_at is None
    late = trading.log()
    trading.decide()
    assert "halt" in codes_of(late)


def test_an_order_that_we_never_made_halts(trading: Trading) -> None:
    foreign = Placed("x", "by-hand", Leg.ENTRY, SYMBOL, Side.BUY, Decimal(1), Decimal(0),
                     State.ACCEPTED)  # fmt: skip
    trading.broker.instead["open_orders"] = lambda: [foreign]
    assert codes(trading) == ["unknown_order"]


def test_an_order_that_the_broker_lost_halts(trading: Trading) -> None:
    trading.log()
    trading.decide()
    trading.broker.instead["open_orders"] = list
    trading.broker.instead["find"] = lambda name: None
    assert set(codes(trading)) == {"missing_order"}


def test_a_fill_that_came_meanwhile_is_taken_before_anything_is_said(trading: Trading) -> None:
    """Argo slept while the entry was filled and ended."""
    signal = trading.log()
    trading.decide()
    for price in (100.0, 111.0):
        trading.clock.pass_by(seconds=1)
        trading.market.quotes[SYMBOL] = Quote(price, trading.clock())
        trading.broker.broker.look()
    assert reconcile(trading.desk) == []
    assert as_stored(signal).outcome == "win"


def test_an_order_in_flight_explains_a_difference_for_now(trading: Trading) -> None:
    trading.broker.after["submit"] = Died()
    trading.log()
    with pytest.raises(Died):
        trading.decide()
    trading.clock.pass_by(seconds=1)
    trading.broker.broker.look()
    trading.broker.after.clear()
    assert reconcile(trading.desk) == []
    trading.wait(minutes=1)
    assert reconcile(trading.desk) == []
    assert Position.objects.count() == 1


def test_an_order_that_the_broker_canceled_is_canceled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    trading.broker.broker.cancel(orders_of(signal)["entry"].broker_id)
    assert reconcile(trading.desk) == []
    assert states_of(signal) == {"entry": "canceled", "stop": "canceled", "target": "canceled"}


@pytest.mark.usefixtures("database")
def test_a_restart_makes_nothing_of_its_own(trading: Trading) -> None:
    trading.trade()
    before = (list(Position.objects.values()), list(Order.objects.values()))
    again = trading.restarted()
    for _ in range(3):
        assert reconcile(again.desk) == []
        again.look()
    assert (list(Position.objects.values()), list(Order.objects.values())) == before
    assert Fill.objects.count() == 1


@pytest.fixture
def lost(trading: Trading) -> Signal:
    """A position that the broker has not any more, nor its orders."""
    signal = trading.trade()
    PaperFill.objects.all().delete()
    PaperOrder.objects.exclude(parent=None).delete()
    PaperOrder.objects.all().delete()
    return signal


def test_a_person_may_take_the_broker_s_word(trading: Trading, lost: Signal) -> None:
    assert "missing_position" in codes(trading)
    with pytest.raises(InvalidInput):
        settle(trading.desk, by="ann", why="")
    assert len(settle(trading.desk, by="ann", why="closed by the broker")) == 1
    position = position_of(lost)
    assert (position.status, position.exit_reason) == ("closed", "settled")
    assert as_stored(lost).outcome is None
    assert codes(trading) == []
    assert [halt.code for halt in halts.standing("paper")] == ["mismatch"]  # until it is lifted


def test_settling_touches_nothing_that_the_broker_holds(trading: Trading) -> None:
    signal = trading.trade()
    assert settle(trading.desk, by="ann", why="to be sure") == []
    assert position_of(signal).status == "open"


def test_a_broker_that_is_down_is_no_difference(trading: Trading) -> None:
    trading.trade()
    trading.broker.before["positions"] = BrokerError("down", permanent=False)
    with pytest.raises(BrokerError):
        reconcile(trading.desk)
    assert halts.standing("paper") == []
