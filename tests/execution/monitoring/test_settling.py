"""A person may settle a difference: then the broker's records are right."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from argo.errors import InvalidInput
from execution.brokers.protocol import Holding
from execution.models import Counterfactual, PaperFill, PaperOrder
from execution.monitoring.reconcile import reconcile, settle
from execution.positions.fills import record
from execution.risk.model import Limits
from signals.market.protocol import Quote
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.corporate.market_changes import calm_day, rebase
from tests.execution.trading_fixtures import (
    SYMBOL,
    Trading,
    as_stored,
    figures,
    fill_of,
    halt_codes,
    holding,
    orders_of,
    position_of,
    states_of,
)

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.services("postgresql"))
pytestmark = pytest.mark.django_db(databases=DATABASES)


def codes_found(trading: Trading) -> list[str]:
    return [each.code for each in reconcile(trading.context)]


@pytest.fixture
def lost(trading: Trading) -> Signal:
    """Return the signal of a position that the broker no longer has, nor its orders."""
    signal = trading.trade()
    PaperFill.objects.all().delete()
    PaperOrder.objects.exclude(parent=None).delete()
    PaperOrder.objects.all().delete()
    return signal


def test_a_person_may_accept_the_broker_s_records(trading: Trading, lost: Signal) -> None:
    assert "missing_position" in codes_found(trading)
    with pytest.raises(InvalidInput):
        settle(trading.context, by="ann", why="")
    assert len(settle(trading.context, by="ann", why="closed by the broker")) == 1
    position = position_of(lost)
    assert (position.status, position.exit_reason) == ("closed", "settled")
    assert as_stored(lost).outcome is None
    assert codes_found(trading) == []
    assert halt_codes() == ["mismatch"]  # until a person lifts it


def test_settling_touches_nothing_that_the_broker_holds(trading: Trading) -> None:
    signal = trading.trade()
    assert settle(trading.context, by="ann", why="to be sure") == []
    assert position_of(signal).status == "open"


@pytest.mark.usefixtures("database")
def test_settling_takes_the_fills_first(trading: Trading) -> None:
    """The stop has sold the position, and we have not asked the broker since."""
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
def test_a_part_that_has_a_price_pays_its_share_of_the_entry_s_fee(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    entry, target = orders_of(signal)["entry"], orders_of(signal)["target"]
    record(trading.context, [fill_of(entry, 100, 100, fee=Decimal(5))])
    trading.broker.instead["positions"] = lambda: holding(AAPL=25)
    settle(trading.context, by="ann", why="sold by hand")
    trading.clock.pass_by(seconds=1)
    report = fill_of(target, 25, 110, fee=Decimal(1), time=trading.clock())
    record(trading.context, [report])
    position = position_of(signal)
    assert position.fees == Decimal(6)
    assert position.profit == Decimal(250) - Decimal("1.25") - 1


@pytest.mark.usefixtures("database")
def test_an_order_that_the_broker_lost_is_canceled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    PaperOrder.objects.exclude(parent=None).delete()
    PaperOrder.objects.all().delete()
    assert codes_found(trading) == ["missing_order"] * 3
    changes = settle(trading.context, by="ann", why="the broker lost it")
    assert "is canceled: the broker does not have it" in changes[0]
    assert set(states_of(signal).values()) == {"canceled"}
    assert Counterfactual.objects.filter(pk=signal.pk).exists()
    assert codes_found(trading) == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("left", "outcome", "profit"), [(60, "win", 600), (0, None, None)])
def test_a_position_shrinks_to_what_the_broker_holds(
    trading: Trading, left: int, outcome: str | None, profit: int | None
) -> None:
    """The missing part has no price, and the rest ends as usual."""
    signal = trading.trade()
    _sold_elsewhere(signal, 100 - left)
    (text,) = settle(trading.context, by="ann", why="sold by hand")
    assert f"{100 - left} of BUY 100 AAPL" in text
    assert codes_found(trading) == []
    trading.move(110.0)
    position = position_of(signal)
    assert (position.status, position.closed_quantity) == ("closed", Decimal(100))
    assert (as_stored(signal).outcome, position.profit) == (outcome, profit)
    assert codes_found(trading) == []


def _sold_elsewhere(signal: Signal, quantity: int) -> None:
    """Take this quantity off the paper broker's entry, although it has reported more."""
    PaperOrder.objects.filter(leg="entry").update(filled=Decimal(100 - quantity))


@pytest.mark.usefixtures("database")
def test_the_exits_of_a_missing_position_are_canceled_at_the_broker(trading: Trading) -> None:
    """They would open the opposite position."""
    signal = trading.trade()
    _sold_elsewhere(signal, 100)
    settle(trading.context, by="ann", why="sold by hand")
    assert list(trading.broker.broker.open_orders()) == []
    assert states_of(signal) == {"entry": "filled", "stop": "canceled", "target": "canceled"}


def test_the_older_of_two_positions_is_settled_first(trading: Trading) -> None:
    wide = trading.changed(limits=Limits(max_per_symbol=2, max_position=Decimal(50)))
    first, second = wide.trade(), wide.trade()
    held = sum(position_of(each).quantity for each in (first, second))
    trading.broker.instead["positions"] = lambda: holding(AAPL=int(held) - 120)
    assert len(settle(trading.context, by="ann", why="sold by hand")) == 2
    assert position_of(first).status == "closed"
    assert (position_of(second).status, position_of(second).closed_quantity) == (
        "open",
        Decimal(20),
    )


@pytest.mark.parametrize("held", [holding(AAPL=100, MSFT=5), holding(AAPL=150), holding(AAPL=-100)])
def test_what_the_broker_holds_beyond_ours_must_be_closed_there(
    trading: Trading, held: list[Holding]
) -> None:
    signal = trading.trade()
    trading.broker.instead["positions"] = lambda: held
    (text,) = settle(trading.context, by="ann", why="to be sure")
    assert "it must be closed at the broker" in text
    assert (position_of(signal).status, position_of(signal).closed_quantity) == ("open", Decimal(0))
    assert len(codes_found(trading)) == 1


@pytest.mark.usefixtures("database")
def test_late_fills_of_a_settled_position_bring_its_outcome(trading: Trading) -> None:
    """The fill comes in two parts, and the first one is not enough."""
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


def test_a_late_fill_of_a_settled_part_does_not_close_the_rest(trading: Trading) -> None:
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


def _settled(trading: Trading, held: int) -> None:
    """Settle with a broker that holds this quantity of AAPL."""
    trading.clock.pass_by(seconds=10)
    trading.broker.instead["positions"] = lambda: holding(AAPL=held) if held else []
    settle(trading.context, by="ann", why="sold by hand")


@pytest.mark.parametrize(("action", "sign"), [("BUY", 1), ("SELL", -1)])
def test_a_position_that_is_settled_in_three_parts_pays_each_fee_once(
    trading: Trading, action: str, sign: int
) -> None:
    signal = trading.log(action=action)
    trading.decide()
    orders = orders_of(signal)
    record(trading.context, [fill_of(orders["entry"], 100, 100, fee=Decimal(10))])
    for held in (80, 47, 0):
        _settled(trading, sign * held)
    assert position_of(signal).profit is None
    fee = Decimal("0.5")
    for number, quantity in enumerate((20, 33)):
        record(trading.context, [fill_of(orders["target"], quantity, 110, number, fee=fee)])
    assert position_of(signal).profit is None
    record(trading.context, [fill_of(orders["stop"], 47, 95, fee=fee)])
    assert position_of(signal).profit == sign * (53 * 10 - 47 * 5) - Decimal("11.5")


def test_each_settled_part_counts_when_its_fill_comes(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    orders = orders_of(signal)
    record(trading.context, [fill_of(orders["entry"], 100, 100, fee=Decimal(10))])
    _settled(trading, 97)
    _settled(trading, 30)
    trading.clock.pass_by(seconds=10)
    record(trading.context, [fill_of(orders["target"], 30, 110, time=trading.clock())])
    profits = [position_of(signal).profit]
    for name, quantity in (("late", 3), ("later", 67)):
        record(trading.context, [fill_of(orders["target"], quantity, 110, fill_id=name)])
        profits.append(position_of(signal).profit)
    assert figures(*profits) == (297, Decimal("326.7"), 990)
    assert as_stored(signal).outcome == "win"


def test_a_settled_part_keeps_its_share_over_a_split(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 100.0)
    _sold_elsewhere(signal, 40)
    settle(trading.context, by="ann", why="sold by hand")
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    assert position_of(signal).left == 600
    assert codes_found(trading) == []
    calm_day(trading, 11.1)
    position = position_of(signal)
    assert figures(position.status, position.quantity, position.profit) == ("closed", 1000, 660)
    assert codes_found(trading) == []


def test_what_was_settled_by_mistake_ends_with_the_rest(trading: Trading) -> None:
    signal = trading.trade()
    _settled(trading, 60)
    del trading.broker.instead["positions"]
    assert codes_found(trading) == ["different_quantity"]
    trading.move(111.0)
    assert figures(position_of(signal).status, position_of(signal).profit) == ("closed", 1100)
    assert codes_found(trading) == []


def test_fills_that_another_worker_stored_meanwhile_are_not_settled(trading: Trading) -> None:
    """The other worker acts after our question to the broker and before our lock."""
    signal = trading.trade()
    stop = orders_of(signal)["stop"]
    _sold_elsewhere(signal, 100)
    trading.broker.instead["cancel"] = lambda name: record(
        trading.context, [fill_of(stop, 100, 95)]
    )
    assert settle(trading.context, by="ann", why="it is gone") == []
    assert (position_of(signal).exit_reason, as_stored(signal).outcome) == ("stop", "loss")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)  # SQLite locks the whole file
def test_settling_locks_the_account(trading: Trading) -> None:
    trading.trade()
    with CaptureQueriesContext(connection) as made:
        settle(trading.context, by="ann", why="to be sure")
    locks = [each["sql"] for each in made if "FOR UPDATE" in each["sql"]]
    assert any("trading_accounts" in each for each in locks)
