"""Our books against the broker's: a difference halts trading until it is explained."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from argo.errors import InvalidInput
from execution.accounts import halts
from execution.brokers.protocol import BrokerError, Holding, OrderReport
from execution.models import (
    Counterfactual,
    Fill,
    Order,
    PaperFill,
    PaperOrder,
    Position,
    TradingAccount,
)
from execution.monitoring.reconcile import differences, reconcile, settle
from execution.positions.fills import record
from execution.risk.model import Limits
from execution.types import Leg, OrderState, Side
from signals.market.protocol import Quote
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    SYMBOL,
    Died,
    Trading,
    as_stored,
    codes_of,
    fill_of,
    orders_of,
    position_of,
    states_of,
)

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.services("postgresql"))
pytestmark = pytest.mark.django_db(databases=DATABASES)


def holding(**quantities: int) -> list[Holding]:
    price = Decimal(100)
    return [Holding(symbol, Decimal(each), price, price) for symbol, each in quantities.items()]


def codes(trading: Trading) -> list[str]:
    return [finding.code for finding in reconcile(trading.context)]


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
    assert reconcile(trading.context) == []
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


def test_a_fill_that_came_meanwhile_is_taken_before_anything_is_said(trading: Trading) -> None:
    """Argo slept while the entry was filled and ended."""
    signal = trading.log()
    trading.decide()
    for price in (100.0, 111.0):
        trading.clock.pass_by(seconds=1)
        trading.market.quotes[SYMBOL] = Quote(price, trading.clock())
        trading.broker.broker.look()
    assert reconcile(trading.context) == []
    assert as_stored(signal).outcome == "win"


def test_an_order_in_flight_explains_a_difference_for_now(trading: Trading) -> None:
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
def test_a_restart_makes_nothing_of_its_own(trading: Trading) -> None:
    trading.trade()
    before = (list(Position.objects.values()), list(Order.objects.values()))
    again = trading.restarted()
    for _ in range(3):
        assert reconcile(again.context) == []
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
        settle(trading.context, by="ann", why="")
    assert len(settle(trading.context, by="ann", why="closed by the broker")) == 1
    position = position_of(lost)
    assert (position.status, position.exit_reason) == ("closed", "settled")
    assert as_stored(lost).outcome is None
    assert codes(trading) == []
    assert [halt.code for halt in halts.standing("paper")] == ["mismatch"]  # until it is lifted


def test_settling_touches_nothing_that_the_broker_holds(trading: Trading) -> None:
    signal = trading.trade()
    assert settle(trading.context, by="ann", why="to be sure") == []
    assert position_of(signal).status == "open"


@pytest.mark.usefixtures("database")
def test_settling_takes_the_fills_first(trading: Trading) -> None:
    """The stop has sold it all, and we have not asked since."""
    signal = trading.trade()
    trading.clock.pass_by(seconds=1)
    trading.market.quotes[SYMBOL] = Quote(94.0, trading.clock())
    trading.broker.broker.look()
    assert settle(trading.context, by="ann", why="it is gone") == []
    position = position_of(signal)
    assert (position.exit_reason, position.exit_price, position.profit) == (
        "stop",
        Decimal(94),
        Decimal(-600),
    )
    assert as_stored(signal).outcome == "loss"


@pytest.mark.usefixtures("database")
def test_an_order_that_the_broker_lost_is_canceled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    PaperOrder.objects.exclude(parent=None).delete()
    PaperOrder.objects.all().delete()
    assert codes(trading) == ["missing_order"] * 3
    told = settle(trading.context, by="ann", why="it fell on the floor")
    assert "is canceled: the broker does not have it" in told[0]
    assert set(states_of(signal).values()) == {"canceled"}
    assert Counterfactual.objects.filter(pk=signal.pk).exists()
    assert codes(trading) == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("left", "outcome", "profit"), [(60, "win", 600), (0, None, None)])
def test_of_what_the_broker_holds_less_of_we_hold_no_more(
    trading: Trading, left: int, outcome: str | None, profit: int | None
) -> None:
    """What is gone has no price, and the rest ends as it does."""
    signal = trading.trade()
    _sold_elsewhere(signal, 100 - left)
    (text,) = settle(trading.context, by="ann", why="sold by hand")
    assert f"{100 - left} of BUY 100 AAPL" in text
    assert codes(trading) == []
    trading.move(110.0)
    position = position_of(signal)
    assert (position.status, position.closed_quantity) == ("closed", Decimal(100))
    assert (as_stored(signal).outcome, position.profit) == (outcome, profit)
    assert codes(trading) == []


def _sold_elsewhere(signal: Signal, quantity: int) -> None:
    """The paper broker's entry has filled so much less, whatever it told us."""
    PaperOrder.objects.filter(leg="entry").update(filled=Decimal(100 - quantity))


@pytest.mark.usefixtures("database")
def test_the_exits_of_what_is_gone_are_canceled_at_the_broker(trading: Trading) -> None:
    """They would open its opposite."""
    signal = trading.trade()
    _sold_elsewhere(signal, 100)
    settle(trading.context, by="ann", why="sold by hand")
    assert list(trading.broker.broker.open_orders()) == []
    assert states_of(signal) == {"entry": "filled", "stop": "canceled", "target": "canceled"}


def test_of_two_positions_the_older_is_gone_first(trading: Trading) -> None:
    trading = trading.changed(limits=Limits(max_per_symbol=2, max_position=Decimal(50)))
    first, second = trading.trade(), trading.trade()
    held = sum(position_of(each).quantity for each in (first, second))
    trading.broker.instead["positions"] = lambda: holding(AAPL=int(held) - 120)
    assert len(settle(trading.context, by="ann", why="sold by hand")) == 2
    assert position_of(first).status == "closed"
    assert (position_of(second).status, position_of(second).closed_quantity) == (
        "open",
        Decimal(20),
    )


@pytest.mark.parametrize("told", [holding(AAPL=100, MSFT=5), holding(AAPL=150), holding(AAPL=-100)])
def test_what_the_broker_has_beyond_ours_is_to_be_closed_there(
    trading: Trading, told: list[Holding]
) -> None:
    signal = trading.trade()
    trading.broker.instead["positions"] = lambda: told
    (text,) = settle(trading.context, by="ann", why="to be sure")
    assert "is to be closed at the broker" in text
    assert (position_of(signal).status, position_of(signal).closed_quantity) == ("open", Decimal(0))
    assert len(codes(trading)) == 1


@pytest.mark.usefixtures("database")
def test_a_fill_that_comes_late_brings_the_outcome(trading: Trading) -> None:
    """In two parts: the first alone says nothing yet."""
    signal = trading.trade()
    stop = orders_of(signal)["stop"]
    _sold_elsewhere(signal, 100)
    settle(trading.context, by="ann", why="it is gone")
    assert (as_stored(signal).outcome, position_of(signal).profit) == (None, None)
    record(trading.context, [fill_of(stop, 40, 94, 1)])
    assert (as_stored(signal).outcome, position_of(signal).profit) == (None, None)
    record(trading.context, [fill_of(stop, 60, 95, 1, fill_id="second")])
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "stop")
    assert (position.closed_quantity, position.profit) == (Decimal(100), Decimal(-540))
    assert (as_stored(signal).outcome, as_stored(signal).exit_price) == ("loss", 94.6)


def test_a_late_fill_of_a_settled_part_is_not_taken_for_the_rest(trading: Trading) -> None:
    signal = trading.trade()
    target, before = orders_of(signal)["target"], trading.clock()
    _sold_elsewhere(signal, 40)
    settle(trading.context, by="ann", why="sold by hand")
    record(trading.context, [fill_of(target, 40, 110, time=before)])
    assert (position_of(signal).status, position_of(signal).closed_quantity) == (
        "open",
        Decimal(40),
    )
    trading.clock.pass_by(seconds=5)
    record(trading.context, [fill_of(target, 60, 111, time=trading.clock(), fill_id="rest")])
    assert (position_of(signal).status, position_of(signal).profit) == (
        "closed",
        Decimal(400 + 660),
    )


def test_what_another_worker_told_meanwhile_is_not_settled(trading: Trading) -> None:
    """Between our question and our lock."""
    signal = trading.trade()
    stop = orders_of(signal)["stop"]
    _sold_elsewhere(signal, 100)
    trading.broker.instead["cancel"] = lambda name: record(
        trading.context, [fill_of(stop, 100, 95)]
    )
    assert settle(trading.context, by="ann", why="it is gone") == []
    assert (position_of(signal).exit_reason, as_stored(signal).outcome) == ("stop", "loss")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)  # SQLite has one writer anyway
def test_settling_waits_for_whoever_has_the_account(trading: Trading) -> None:
    trading.trade()
    with CaptureQueriesContext(connection) as made:
        settle(trading.context, by="ann", why="to be sure")
    locks = [each["sql"] for each in made if "FOR UPDATE" in each["sql"]]
    assert any("trading_accounts" in each for each in locks)


def test_a_broker_that_is_down_is_no_difference(trading: Trading) -> None:
    trading.trade()
    trading.broker.before["positions"] = BrokerError("down", permanent=False)
    with pytest.raises(BrokerError):
        reconcile(trading.context)
    assert halts.standing("paper") == []
