"""A bar that arrives after a newer quote still closes what it reached, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.brokers.fill_model import Prices
from tests.execution.brokers.paper.paper_fixtures import (
    ONE_DAY,
    FillSummary,
    PaperFixture,
    exact,
    filled,
    summaries,
)
from tests.execution.trading_fixtures import SYMBOL, Trading, position_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def paper() -> PaperFixture:
    """Return a broker that holds 10, bought at 100 when a day began."""
    paper = PaperFixture()
    paper.place()
    paper.quote(100)
    return paper


def late(paper: PaperFixture, *prices: object) -> list[FillSummary]:
    """Apply the bar of the day that ended a second ago, although a newer quote was seen."""
    ended = paper.clock() - timedelta(seconds=1)
    bar = Prices(ended - ONE_DAY, ended, *map(exact, prices))
    return summaries(paper.broker.see({SYMBOL: [bar]}))


def a_day_later(paper: PaperFixture) -> None:
    paper.clock.pass_by(days=1, seconds=5)
    paper.quote(100)


@pytest.mark.parametrize(
    ("bar", "by", "price"),
    [
        ((100, 101, 90, 100), "one/stop", 95),
        ((94, 101, 90, 100), "one/stop", 94),
        ((100, 111, 99, 100), "one/target", 110),
        ((100, 111, 90, 100), "one/stop", 95),
    ],
)
def test_a_late_bar_closes_what_its_range_reached(
    paper: PaperFixture, bar: tuple[int, ...], by: str, price: int
) -> None:
    a_day_later(paper)
    assert late(paper, *bar) == [filled(by, 10, price)]
    assert late(paper, *bar) == []
    assert list(paper.broker.open_orders()) == []


def test_a_late_bar_counts_once_and_does_not_change_the_last_price(paper: PaperFixture) -> None:
    a_day_later(paper)
    assert late(paper, 100, 101, 99, 97) == []
    assert late(paper, 100, 101, 90, 97) == []
    assert paper.broker.positions()[0].price == 100


def test_a_late_bar_from_before_the_entry_is_ignored() -> None:
    """It was ordered before the bar ended, and filled after it."""
    paper = PaperFixture()
    paper.place()
    a_day_later(paper)
    assert paper.broker.positions()[0].quantity == 10
    assert late(paper, 100, 101, 90, 90) == []


def test_only_the_close_of_the_entry_s_own_bar_counts() -> None:
    paper = PaperFixture()
    paper.place()
    paper.clock.pass_by(hours=3)
    paper.quote(100)
    paper.clock.pass_by(hours=3)
    ended = paper.clock()
    paper.quote(100)
    bars = [
        Prices(ended - ONE_DAY, ended, *map(exact, (100, 120, 90, close))) for close in (99, 94)
    ]
    assert summaries(paper.broker.see({SYMBOL: bars[1:]})) == [filled("one/stop", 10, 94)]


def test_a_late_bar_fills_no_market_order(paper: PaperFixture) -> None:
    a_day_later(paper)
    paper.place("two")
    paper.close()
    assert late(paper, 100, 101, 90, 100) == []


@pytest.mark.parametrize("is_late", [False, True])
def test_late_bars_give_the_same_result(trading: Trading, *, is_late: bool) -> None:
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
