"""The paper broker fills as a market would, and never better than the bars can tell."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.brokers.fill_model import Costs, FillModel, Prices
from execution.brokers.paper.bracket import PaperBracket
from execution.brokers.paper.ledger import open_tickets
from execution.brokers.protocol import BrokerError, Close
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.money import ZERO
from execution.types import Side
from tests.execution.brokers.paper.paper_fixtures import (
    FREE,
    ONE_DAY,
    Floor,
    exact,
    filled,
    told,
)
from tests.execution.trading_fixtures import SYMBOL, Trading

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_an_order_is_filled_at_the_open_of_the_next_bar(floor: Floor) -> None:
    floor.place()
    assert floor.broker.open_orders()[0].filled == 0
    assert floor.bar(101, 103, 99, 102) == [filled("one", 10, 101)]


@pytest.mark.parametrize(
    ("side", "bar", "order", "price"),
    [
        (Side.BUY, (100, 104, 95, 96), "one/stop", 95),
        (Side.BUY, (92, 94, 90, 93), "one/stop", 92),  # a gap: at the open
        (Side.BUY, (100, 110, 99, 105), "one/target", 110),
        (Side.BUY, (112, 115, 111, 113), "one/target", 112),  # a better open
        (Side.BUY, (100, 115, 90, 105), "one/stop", 95),  # both: the worse
        (Side.BUY, (112, 115, 90, 105), "one/target", 112),  # it was there first
        (Side.SELL, (100, 105, 96, 101), "one/stop", 105),
        (Side.SELL, (108, 109, 107, 108), "one/stop", 108),
        (Side.SELL, (100, 101, 90, 95), "one/target", 90),
        (Side.SELL, (88, 91, 85, 90), "one/target", 88),
        (Side.SELL, (100, 115, 85, 95), "one/stop", 105),
    ],
)
def test_an_exit_is_filled_at_its_level_or_at_the_open(
    floor: Floor, side: Side, bar: tuple[int, ...], order: str, price: int
) -> None:
    floor.place(side=side)
    floor.bar(100, 101, 99, 100)
    assert floor.bar(*bar) == [filled(order, 10, price)]
    other = {"one/stop": "target", "one/target": "stop"}[order]
    assert floor.states()[other] == "canceled"
    assert floor.broker.account().equity == floor.broker.account().balance


def test_entry_and_exit_may_be_in_one_bar(floor: Floor) -> None:
    floor.place()
    assert floor.bar(100, 111, 99, 105) == [filled("one", 10, 100), filled("one/target", 10, 110)]


def test_of_a_bar_that_had_begun_only_the_close_counts(floor: Floor) -> None:
    """Its high and low may have been before the order."""
    floor.place()
    began = floor.clock() - ONE_DAY / 2
    bar = Prices(began, floor.clock() + ONE_DAY / 2, D(98), D(120), D(80), D(101), D(1000))
    floor.clock.pass_by(days=0.5)
    assert told(floor.broker.see({SYMBOL: [bar]})) == [filled("one", 10, 101)]


def test_a_close_that_comes_within_a_bar_is_filled_at_its_close(floor: Floor) -> None:
    floor.place()
    floor.bar(100, 101, 99, 100)
    floor.clock.pass_by(days=0.5)
    floor.close()
    began = floor.clock() - ONE_DAY / 2
    bar = Prices(began, floor.clock() + ONE_DAY / 2, D(100), D(120), D(80), D(103), D(1000))
    floor.clock.pass_by(days=0.5)
    assert told(floor.broker.see({SYMBOL: [bar]})) == [filled("one-close", 10, 103)]


def test_prices_that_were_seen_fill_nothing_again(floor: Floor) -> None:
    floor.bar(100, 120, 80, 100)
    floor.place()
    last = Prices(floor.clock() - ONE_DAY, floor.clock(), D(100), D(120), D(80), D(100))
    assert floor.broker.see({SYMBOL: [last]}) == []
    assert floor.quote(101) == [filled("one", 10, 101)]
    assert floor.quote("94.5") == [filled("one/stop", 10, "94.5")]


def test_an_order_that_takes_pays_spread_slippage_and_fee() -> None:
    floor = Floor(FillModel(Costs(spread=D("0.1"), slippage=D("0.05"), fee=D("0.2"))))
    floor.place()
    assert floor.bar(100, 101, 99, 100) == [filled("one", 10, "100.1")]
    assert floor.bar(100, 101, 94, 96) == [filled("one/stop", 10, "94.905")]
    fees = [fill.fee for fill in PaperFill.objects.order_by("pk")]
    assert fees == [D("2.002"), D("1.8981")]
    assert floor.broker.account().equity == 100_000 + D("949.05") - D(1001) - sum(fees)


def test_a_target_pays_neither_spread_nor_slippage() -> None:
    """It waits in the book; whoever comes to it pays them."""
    floor = Floor(FillModel(Costs(spread=D("0.1"), slippage=D("0.05"), fee=ZERO)))
    floor.place()
    floor.bar(100, 101, 99, 100)
    assert floor.bar(100, 111, 99, 100) == [filled("one/target", 10, 110)]


def test_a_bar_fills_no_more_than_its_share_of_the_volume() -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    assert floor.bar(100, 101, 99, 100, volume=109) == [filled("one", 10, 100)]
    assert floor.states()["entry"] == "partially_filled"
    assert floor.bar(102, 103, 101, 102, volume=5) == []
    assert floor.bar(104, 105, 103, 104, volume=1000) == [filled("one", 15, 104)]
    assert floor.states()["entry"] == "filled"
    assert floor.broker.positions()[0].average_price == D("102.4")


def test_a_stop_that_was_reached_is_sold_to_its_end() -> None:
    """Also where the price has come back meanwhile."""
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100, volume=1000)
    assert floor.bar(100, 101, 94, 96, volume=100) == [filled("one/stop", 10, 95)]
    assert floor.bar(103, 112, 102, 111, volume=100) == [filled("one/stop", 10, 103)]
    assert floor.bar(104, 112, 103, 104, volume=100) == [filled("one/stop", 5, 104)]
    assert floor.states() == {"entry": "filled", "stop": "filled", "target": "canceled"}
    assert floor.broker.positions() == []


def test_a_target_that_is_filled_in_part_leaves_the_stop_for_the_rest() -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100, volume=1000)
    assert floor.bar(109, 111, 108, 109, volume=100) == [filled("one/target", 10, 110)]
    assert floor.bar(96, 97, 94, 95, volume=1000) == [filled("one/stop", 15, 95)]
    assert floor.broker.positions() == []
    assert list(floor.broker.open_orders()) == []


def test_what_an_entry_has_filled_keeps_its_exits_when_the_rest_is_canceled() -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100, volume=100)
    floor.broker.cancel("one")
    assert floor.states() == {"entry": "canceled", "stop": "accepted", "target": "accepted"}
    assert floor.bar(100, 101, 94, 95, volume=1000) == [filled("one/stop", 10, 95)]
    assert list(floor.broker.open_orders()) == []


@pytest.mark.parametrize(("gone", "left", "bar"), [
    ("target", "stop", (94, 95, 90, 91)), ("stop", "target", (111, 112, 110, 111)),
])  # fmt: skip
def test_one_exit_stays_where_the_other_is_canceled(
    floor: Floor, gone: str, left: str, bar: tuple[int, ...]
) -> None:
    floor.place()
    floor.bar(100, 101, 99, 100)
    floor.broker.cancel(f"one/{gone}")
    assert [name for name, *_ in floor.bar(*bar)] == [f"one/{left}"]


def test_a_close_is_filled_at_the_next_open_and_takes_the_exits_along(floor: Floor) -> None:
    floor.place()
    floor.bar(100, 101, 99, 100)
    floor.close()
    assert floor.states() == {"entry": "filled", "stop": "canceled", "target": "canceled"}
    assert floor.bar(103, 120, 80, 100) == [filled("one-close", 10, 103)]
    assert floor.broker.account().balance == 100_030


def test_a_close_takes_what_is_held_and_no_more() -> None:
    """More was held when it was decided on."""
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100, volume=1000)
    floor.bar(100, 101, 94, 96, volume=100)
    assert floor.close(quantity=25).quantity == 15
    with pytest.raises(BrokerError, match="being closed"):
        floor.broker.submit(Close("again", "one", SYMBOL, Side.SELL, D(15)))
    assert floor.bar(96, 97, 95, 96, volume=100) == [filled("one-close", 10, 96)]
    assert floor.bar(97, 97, 95, 96, volume=1000) == [filled("one-close", 5, 97)]
    assert list(floor.broker.open_orders()) == []
    assert floor.broker.positions() == []


def test_what_a_canceled_close_left_is_closed_by_another() -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100, volume=1000)
    floor.close(quantity=25)
    floor.bar(100, 101, 99, 100, volume=100)
    floor.broker.cancel("one-close")
    assert floor.bar(100, 101, 99, 101, volume=1000) == []
    assert floor.broker.positions()[0].quantity == 15
    assert floor.broker.account().equity == 100_015
    again = Close("again", "one", SYMBOL, Side.SELL, D(25))
    assert floor.broker.submit(again).quantity == 15
    assert floor.bar(101, 102, 100, 101, volume=50) == [filled("again", 5, 101)]
    assert floor.broker.positions()[0].quantity == 10
    assert floor.bar(101, 102, 100, 101, volume=1000) == [filled("again", 10, 101)]
    assert floor.broker.positions() == []


def test_a_close_of_a_part_leaves_the_rest() -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=25)
    floor.bar(100, 101, 99, 100)
    floor.close(quantity=15)
    for volume, quantity in ((100, 10), (1000, 5)):
        assert floor.bar(100, 101, 99, 100, volume=volume) == [filled("one-close", quantity, 100)]
    assert floor.bar(100, 101, 99, 101) == []
    assert floor.broker.positions()[0].quantity == 10


def test_what_has_lost_both_exits_is_still_held(floor: Floor) -> None:
    floor.place()
    floor.bar(100, 101, 99, 100)
    for leg in ("stop", "target"):
        floor.broker.cancel(f"one/{leg}")
    assert floor.bar(94, 95, 93, 94) == []
    assert floor.broker.positions()[0].quantity == 10
    assert floor.broker.account().equity == 100_000 - 60
    assert list(floor.broker.open_orders()) == []


@pytest.mark.parametrize(
    ("bar", "by", "price"), [((94, 95, 93, 94), "stop", 94), ((111, 112, 110, 111), "target", 111)]
)
def test_an_entry_goes_no_further_once_an_exit_is_reached(
    bar: tuple[int, ...], by: str, price: int
) -> None:
    floor = Floor(FillModel(FREE, volume_share=D(10)))
    floor.place(quantity=100)
    floor.bar(100, 101, 99, 100, volume=200)
    found = floor.bar(*bar, volume=200)  # within the bar the entry was filled once more
    assert found == [filled("one", 20, bar[0]), filled(f"one/{by}", 20, price)]
    assert floor.states()["entry"] == "canceled"
    assert floor.bar(*bar, volume=1000) == [filled(f"one/{by}", 20, price)]
    assert list(floor.broker.open_orders()) == []


def test_looking_at_the_books_opens_no_transaction(trading: Trading) -> None:
    """On SQLite it would wait for every writer, and every writer for it."""
    broker = trading.broker.broker
    looks = (broker.account, broker.positions, broker.open_orders, broker.look)
    for _ in range(2):
        with CaptureQueriesContext(connection) as made:
            for look in looks:
                look()
            broker.find("argo-1-entry")
            broker.fills(trading.clock())
        assert {each["sql"].split()[0] for each in made} == {"SELECT"}
        trading.trade()


def test_money_and_brackets_are_of_one_moment(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fill that comes between two reads is in both or in none."""
    floor.place()
    moments = iter([True])

    def read(account: PaperAccount) -> list[PaperBracket]:
        if next(moments, False):
            floor.bar(100, 101, 99, 100)
        return open_tickets(account)

    monkeypatch.setattr("execution.brokers.paper.ledger.open_tickets", read)
    assert floor.broker.account().equity == 100_000


def test_money_that_is_ordered_cannot_be_spent_again(floor: Floor) -> None:
    floor.place(quantity=600)
    with pytest.raises(BrokerError, match="buying power") as caught:
        floor.place("two", quantity=401)
    assert caught.value.permanent
    floor.place("two", quantity=400)
    assert PaperOrder.objects.filter(leg="entry").count() == 2


@pytest.mark.parametrize("side", list(Side))
def test_what_is_held_binds_money_long_or_short(floor: Floor, side: Side) -> None:
    floor.place(side=side, quantity=600)
    floor.bar(100, 101, 99, 100)
    assert floor.broker.account().buying_power == 40_000
    floor.bar(101, 102, 100, 101)
    gain = exact(600 if side is Side.BUY else -600)
    account = floor.broker.account()
    assert (account.equity, account.balance) == (100_000 + gain, D(100_000))
    assert account.buying_power == account.equity - 60_600
