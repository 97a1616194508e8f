"""The paper broker fills as a market would, and never better than the bars prove."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.brokers.fill_model import Costs, FillModel, Prices
from execution.brokers.paper.bracket import PaperBracket
from execution.brokers.paper.ledger import open_brackets
from execution.brokers.protocol import BrokerError, Close
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.money import ZERO
from execution.types import Side
from tests.execution.brokers.paper.paper_fixtures import (
    FREE,
    ONE_DAY,
    PaperFixture,
    exact,
    filled,
    summaries,
)
from tests.execution.trading_fixtures import SYMBOL, Trading

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def paper() -> PaperFixture:
    return PaperFixture()


def test_an_order_fills_at_the_open_of_the_next_bar(paper: PaperFixture) -> None:
    paper.place()
    assert paper.broker.open_orders()[0].filled == 0
    assert paper.bar(101, 103, 99, 102) == [filled("one", 10, 101)]


@pytest.mark.parametrize(
    ("side", "bar", "order", "price"),
    [
        (Side.BUY, (100, 104, 95, 96), "one/stop", 95),
        (Side.BUY, (92, 94, 90, 93), "one/stop", 92),  # a gap: at the open
        (Side.BUY, (100, 110, 99, 105), "one/target", 110),
        (Side.BUY, (112, 115, 111, 113), "one/target", 112),  # a better open
        (Side.BUY, (100, 115, 90, 105), "one/stop", 95),  # both: the worse one
        (Side.BUY, (112, 115, 90, 105), "one/target", 112),  # the open came first
        (Side.SELL, (100, 105, 96, 101), "one/stop", 105),
        (Side.SELL, (108, 109, 107, 108), "one/stop", 108),
        (Side.SELL, (100, 101, 90, 95), "one/target", 90),
        (Side.SELL, (88, 91, 85, 90), "one/target", 88),
        (Side.SELL, (100, 115, 85, 95), "one/stop", 105),
    ],
)
def test_an_exit_fills_at_its_level_or_at_the_open(
    paper: PaperFixture, side: Side, bar: tuple[int, ...], order: str, price: int
) -> None:
    paper.place(side=side)
    paper.bar(100, 101, 99, 100)
    assert paper.bar(*bar) == [filled(order, 10, price)]
    other = {"one/stop": "target", "one/target": "stop"}[order]
    assert paper.states()[other] == "canceled"
    assert paper.broker.account().equity == paper.broker.account().balance


def test_entry_and_exit_may_fill_in_one_bar(paper: PaperFixture) -> None:
    paper.place()
    assert paper.bar(100, 111, 99, 105) == [filled("one", 10, 100), filled("one/target", 10, 110)]


def test_only_the_close_of_a_bar_that_had_begun_counts(paper: PaperFixture) -> None:
    """The high and the low may have been before the order."""
    paper.place()
    began = paper.clock() - ONE_DAY / 2
    bar = Prices(began, paper.clock() + ONE_DAY / 2, D(98), D(120), D(80), D(101), D(1000))
    paper.clock.pass_by(days=0.5)
    assert summaries(paper.broker.see({SYMBOL: [bar]})) == [filled("one", 10, 101)]


def test_a_closing_order_within_a_bar_fills_at_its_close(paper: PaperFixture) -> None:
    paper.place()
    paper.bar(100, 101, 99, 100)
    paper.clock.pass_by(days=0.5)
    paper.close()
    began = paper.clock() - ONE_DAY / 2
    bar = Prices(began, paper.clock() + ONE_DAY / 2, D(100), D(120), D(80), D(103), D(1000))
    paper.clock.pass_by(days=0.5)
    assert summaries(paper.broker.see({SYMBOL: [bar]})) == [filled("one-close", 10, 103)]


def test_prices_that_were_seen_before_fill_nothing(paper: PaperFixture) -> None:
    paper.bar(100, 120, 80, 100)
    paper.place()
    last = Prices(paper.clock() - ONE_DAY, paper.clock(), D(100), D(120), D(80), D(100))
    assert paper.broker.see({SYMBOL: [last]}) == []
    assert paper.quote(101) == [filled("one", 10, 101)]
    assert paper.quote("94.5") == [filled("one/stop", 10, "94.5")]


def test_a_market_order_pays_spread_slippage_and_fee() -> None:
    paper = PaperFixture(FillModel(Costs(spread=D("0.1"), slippage=D("0.05"), fee=D("0.2"))))
    paper.place()
    assert paper.bar(100, 101, 99, 100) == [filled("one", 10, "100.1")]
    assert paper.bar(100, 101, 94, 96) == [filled("one/stop", 10, "94.905")]
    fees = [fill.fee for fill in PaperFill.objects.order_by("pk")]
    assert fees == [D("2.002"), D("1.8981")]
    assert paper.broker.account().equity == 100_000 + D("949.05") - D(1001) - sum(fees)


def test_a_target_pays_neither_spread_nor_slippage() -> None:
    """It is a limit order: the other side pays them."""
    paper = PaperFixture(FillModel(Costs(spread=D("0.1"), slippage=D("0.05"), fee=ZERO)))
    paper.place()
    paper.bar(100, 101, 99, 100)
    assert paper.bar(100, 111, 99, 100) == [filled("one/target", 10, 110)]


def test_a_bar_fills_no_more_than_its_share_of_the_volume() -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    assert paper.bar(100, 101, 99, 100, volume=109) == [filled("one", 10, 100)]
    assert paper.states()["entry"] == "partially_filled"
    assert paper.bar(102, 103, 101, 102, volume=5) == []
    assert paper.bar(104, 105, 103, 104, volume=1000) == [filled("one", 15, 104)]
    assert paper.states()["entry"] == "filled"
    assert paper.broker.positions()[0].average_price == D("102.4")


def test_a_reached_stop_fills_until_nothing_is_left() -> None:
    """The price may have come back meanwhile."""
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100, volume=1000)
    assert paper.bar(100, 101, 94, 96, volume=100) == [filled("one/stop", 10, 95)]
    assert paper.bar(103, 112, 102, 111, volume=100) == [filled("one/stop", 10, 103)]
    assert paper.bar(104, 112, 103, 104, volume=100) == [filled("one/stop", 5, 104)]
    assert paper.states() == {"entry": "filled", "stop": "filled", "target": "canceled"}
    assert paper.broker.positions() == []


def test_a_partly_filled_target_leaves_the_stop_for_the_rest() -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100, volume=1000)
    assert paper.bar(109, 111, 108, 109, volume=100) == [filled("one/target", 10, 110)]
    assert paper.bar(96, 97, 94, 95, volume=1000) == [filled("one/stop", 15, 95)]
    assert paper.broker.positions() == []
    assert list(paper.broker.open_orders()) == []


def test_canceling_a_partly_filled_entry_keeps_its_exits() -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100, volume=100)
    paper.broker.cancel("one")
    assert paper.states() == {"entry": "canceled", "stop": "accepted", "target": "accepted"}
    assert paper.bar(100, 101, 94, 95, volume=1000) == [filled("one/stop", 10, 95)]
    assert list(paper.broker.open_orders()) == []


@pytest.mark.parametrize(("gone", "left", "bar"), [
    ("target", "stop", (94, 95, 90, 91)), ("stop", "target", (111, 112, 110, 111)),
])  # fmt: skip
def test_one_exit_stays_if_the_other_is_canceled(
    paper: PaperFixture, gone: str, left: str, bar: tuple[int, ...]
) -> None:
    paper.place()
    paper.bar(100, 101, 99, 100)
    paper.broker.cancel(f"one/{gone}")
    assert [name for name, *_ in paper.bar(*bar)] == [f"one/{left}"]


def test_a_closing_order_fills_at_the_next_open_and_cancels_the_exits(paper: PaperFixture) -> None:
    paper.place()
    paper.bar(100, 101, 99, 100)
    paper.close()
    assert paper.states() == {"entry": "filled", "stop": "canceled", "target": "canceled"}
    assert paper.bar(103, 120, 80, 100) == [filled("one-close", 10, 103)]
    assert paper.broker.account().balance == 100_030


def test_a_closing_order_trades_no_more_than_is_held() -> None:
    """More was held when the close was decided."""
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100, volume=1000)
    paper.bar(100, 101, 94, 96, volume=100)
    assert paper.close(quantity=25).quantity == 15
    with pytest.raises(BrokerError, match="being closed"):
        paper.broker.submit(Close("again", "one", SYMBOL, Side.SELL, D(15)))
    assert paper.bar(96, 97, 95, 96, volume=100) == [filled("one-close", 10, 96)]
    assert paper.bar(97, 97, 95, 96, volume=1000) == [filled("one-close", 5, 97)]
    assert list(paper.broker.open_orders()) == []
    assert paper.broker.positions() == []


def test_another_closing_order_closes_what_a_canceled_one_left() -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100, volume=1000)
    paper.close(quantity=25)
    paper.bar(100, 101, 99, 100, volume=100)
    paper.broker.cancel("one-close")
    assert paper.bar(100, 101, 99, 101, volume=1000) == []
    assert paper.broker.positions()[0].quantity == 15
    assert paper.broker.account().equity == 100_015
    again = Close("again", "one", SYMBOL, Side.SELL, D(25))
    assert paper.broker.submit(again).quantity == 15
    assert paper.bar(101, 102, 100, 101, volume=50) == [filled("again", 5, 101)]
    assert paper.broker.positions()[0].quantity == 10
    assert paper.bar(101, 102, 100, 101, volume=1000) == [filled("again", 10, 101)]
    assert paper.broker.positions() == []


def test_closing_a_part_leaves_the_rest() -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=25)
    paper.bar(100, 101, 99, 100)
    paper.close(quantity=15)
    for volume, quantity in ((100, 10), (1000, 5)):
        assert paper.bar(100, 101, 99, 100, volume=volume) == [filled("one-close", quantity, 100)]
    assert paper.bar(100, 101, 99, 101) == []
    assert paper.broker.positions()[0].quantity == 10


def test_a_position_without_exits_is_still_held(paper: PaperFixture) -> None:
    paper.place()
    paper.bar(100, 101, 99, 100)
    for leg in ("stop", "target"):
        paper.broker.cancel(f"one/{leg}")
    assert paper.bar(94, 95, 93, 94) == []
    assert paper.broker.positions()[0].quantity == 10
    assert paper.broker.account().equity == 100_000 - 60
    assert list(paper.broker.open_orders()) == []


@pytest.mark.parametrize(
    ("bar", "by", "price"), [((94, 95, 93, 94), "stop", 94), ((111, 112, 110, 111), "target", 111)]
)
def test_an_entry_stops_filling_once_an_exit_is_reached(
    bar: tuple[int, ...], by: str, price: int
) -> None:
    paper = PaperFixture(FillModel(FREE, volume_share=D(10)))
    paper.place(quantity=100)
    paper.bar(100, 101, 99, 100, volume=200)
    found = paper.bar(*bar, volume=200)  # the entry filled once more within the bar
    assert found == [filled("one", 20, bar[0]), filled(f"one/{by}", 20, price)]
    assert paper.states()["entry"] == "canceled"
    assert paper.bar(*bar, volume=1000) == [filled(f"one/{by}", 20, price)]
    assert list(paper.broker.open_orders()) == []


def test_reading_the_ledger_opens_no_transaction(trading: Trading) -> None:
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
    paper: PaperFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fill between two reads is in both or in neither."""
    paper.place()
    moments = iter([True])

    def read(account: PaperAccount) -> list[PaperBracket]:
        if next(moments, False):
            paper.bar(100, 101, 99, 100)
        return open_brackets(account)

    monkeypatch.setattr("execution.brokers.paper.ledger.open_brackets", read)
    assert paper.broker.account().equity == 100_000


def test_money_in_open_orders_cannot_be_used_again(paper: PaperFixture) -> None:
    paper.place(quantity=600)
    with pytest.raises(BrokerError, match="buying power") as caught:
        paper.place("two", quantity=401)
    assert caught.value.permanent
    paper.place("two", quantity=400)
    assert PaperOrder.objects.filter(leg="entry").count() == 2


@pytest.mark.parametrize("side", list(Side))
def test_positions_use_buying_power_long_or_short(paper: PaperFixture, side: Side) -> None:
    paper.place(side=side, quantity=600)
    paper.bar(100, 101, 99, 100)
    assert paper.broker.account().buying_power == 40_000
    paper.bar(101, 102, 100, 101)
    gain = exact(600 if side is Side.BUY else -600)
    account = paper.broker.account()
    assert (account.equity, account.balance) == (100_000 + gain, D(100_000))
    assert account.buying_power == account.equity - 60_600
