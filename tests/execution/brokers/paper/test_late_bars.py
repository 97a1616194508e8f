"""A bar that is delivered after a newer quote still ends what it reached, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.brokers.fill_model import Prices
from tests.execution.brokers.paper.paper_fixtures import ONE_DAY, Floor, Told, exact, filled, told
from tests.execution.trading_fixtures import SYMBOL, Trading, position_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """Ten are held, bought at 100 when a day began."""
    floor = Floor()
    floor.place()
    floor.quote(100)
    return floor


def late(floor: Floor, *prices: object) -> list[Told]:
    """The bar of the day that ended a second ago, of which a quote was seen since."""
    ended = floor.clock() - timedelta(seconds=1)
    bar = Prices(ended - ONE_DAY, ended, *map(exact, prices))
    return told(floor.broker.see({SYMBOL: [bar]}))


def a_day_later(floor: Floor) -> None:
    floor.clock.pass_by(days=1, seconds=5)
    floor.quote(100)


@pytest.mark.parametrize(
    ("bar", "by", "price"),
    [
        ((100, 101, 90, 100), "one/stop", 95),
        ((94, 101, 90, 100), "one/stop", 94),
        ((100, 111, 99, 100), "one/target", 110),
        ((100, 111, 90, 100), "one/stop", 95),
    ],
)
def test_it_ends_what_its_range_reached(
    floor: Floor, bar: tuple[int, ...], by: str, price: int
) -> None:
    a_day_later(floor)
    assert late(floor, *bar) == [filled(by, 10, price)]
    assert late(floor, *bar) == []
    assert list(floor.broker.open_orders()) == []


def test_it_is_looked_at_once_and_leaves_the_last_price(floor: Floor) -> None:
    a_day_later(floor)
    assert late(floor, 100, 101, 99, 97) == []
    assert late(floor, 100, 101, 90, 97) == []
    assert floor.broker.positions()[0].price == 100


def test_of_what_came_before_the_entry_it_counts_nothing() -> None:
    """Ordered before the bar ended, and filled after it."""
    floor = Floor()
    floor.place()
    a_day_later(floor)
    assert floor.broker.positions()[0].quantity == 10
    assert late(floor, 100, 101, 90, 90) == []


def test_of_a_bar_in_which_it_was_entered_the_close_counts() -> None:
    floor = Floor()
    floor.place()
    floor.clock.pass_by(hours=3)
    floor.quote(100)
    floor.clock.pass_by(hours=3)
    ended = floor.clock()
    floor.quote(100)
    bars = [
        Prices(ended - ONE_DAY, ended, *map(exact, (100, 120, 90, close))) for close in (99, 94)
    ]
    assert told(floor.broker.see({SYMBOL: bars[1:]})) == [filled("one/stop", 10, 94)]


def test_it_fills_no_order_at_the_market(floor: Floor) -> None:
    a_day_later(floor)
    floor.place("two")
    floor.close()
    assert late(floor, 100, 101, 90, 100) == []


@pytest.mark.parametrize("is_late", [False, True])
def test_a_market_that_delivers_late_ends_the_same(trading: Trading, *, is_late: bool) -> None:
    signal = trading.trade()
    trading.day(100, 101, 90, 100)
    bars = trading.market.rows.copy()
    if is_late:
        trading.market.rows.clear()
        trading.wait(seconds=5)
        trading.look()
        trading.wait(hours=1)
        assert position_of(signal).status == "open"
        trading.market.rows.update(bars)
    trading.look()
    position = position_of(signal)
    assert (position.status, position.exit_reason, position.exit_price) == (
        "closed",
        "stop",
        Decimal(95),
    )
