"""Trades of days that no look has seen count for their day: they come from the fills."""

from datetime import date, time
from decimal import Decimal
from functools import partial

import pytest

from execution.accounts import changes
from execution.accounts.compliance import measures
from execution.brokers.fill_model import Costs, FillModel
from execution.models import EquityDay
from execution.positions.fills import take_fills
from execution.prop_firm.days import trading_day
from execution.prop_firm.rule_set import Drawdown, RuleSet, Trail
from signals.journal import Journal
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import WIDE, Trading, figures, quoted, rule_set

pytestmark = pytest.mark.django_db(databases=DATABASES)
FIRM = rule_set(min_days=3)
BY_PROFIT = rule_set(min_days=3, min_day_profit=Decimal("0.5"))


@pytest.fixture
def firm(trading: Trading) -> Trading:
    return trading.changed(rule_set=FIRM, limits=WIDE)


def _later(trading: Trading, price: float, symbol: str = "AAPL", **time: float) -> None:
    """Let a price come to the broker while the worker is down."""
    trading.wait(**time)
    trading.market.quotes[symbol] = Quote(price, trading.clock())
    trading.broker.broker.look()


def _order(trading: Trading, symbol: str = "AAPL") -> None:
    """Make an order, and mark the equity before it fills."""
    quoted(trading, **{symbol: 100.0}).log(symbol=symbol)
    trading.decide()
    trading.look()


def _trades() -> dict[int, int]:
    """Return the number of trades by day of the month."""
    return {row.day.day: row.trades for row in EquityDay.objects.order_by("day")}


def _done(trading: Trading, firm: RuleSet) -> int:
    """Return how many trading days count."""
    found = measures(trading.context, firm, trading.broker.broker.account())
    return int(next(each.used for each in found if each.code == "min_days"))


@pytest.mark.usefixtures("database")
def test_fault_68_a_trade_of_a_day_that_was_missed_whole_counts_for_that_day(
    firm: Trading,
) -> None:
    _order(firm)
    _later(firm, 100.0, days=1)
    _later(firm, 111.0, days=1)
    firm.wait(days=2)
    firm.look()
    assert _trades() == {15: 0, 16: 1, 17: 0, 19: 0}
    opened, closed, today = EquityDay.objects.order_by("day")[1:]
    assert figures(opened.last_balance, closed.last_balance) == (100_000, 101_100)
    assert figures(closed.last_equity, today.first_equity) == (101_100, 101_100)
    assert figures(today.last_equity) == (101_100,)
    assert (_done(firm, FIRM), _done(firm, BY_PROFIT)) == (1, 1)


def test_a_trade_after_the_last_look_of_a_day_counts_for_that_day(firm: Trading) -> None:
    _order(firm)
    _later(firm, 100.0, hours=1)
    firm.wait(days=1)
    firm.look()
    assert _trades() == {15: 1, 16: 0}


def test_a_trade_between_a_watched_end_and_the_days_end_counts_for_that_day(
    firm: Trading,
) -> None:
    firm.clock.now = firm.clock.now.replace(hour=23, minute=57)
    _order(firm)
    _later(firm, 100.0, minutes=1)
    firm.wait(minutes=5)
    firm.look()
    assert _trades() == {15: 1, 16: 0}


def test_several_missed_days_count_each(firm: Trading) -> None:
    for symbol in ("AAPL", "MSFT", "IBM"):
        quoted(firm, **{symbol: 100.0}).log(symbol=symbol)
    firm.decide()
    firm.look()
    quotes = dict(firm.market.quotes)
    firm.market.quotes.clear()
    for symbol in quotes:
        _later(firm, 100.0, symbol, days=1)
        del firm.market.quotes[symbol]
    firm.market.quotes.update(quotes)
    firm.wait(hours=12)
    firm.look()
    firm.wait(hours=1)
    firm.look()
    assert _trades() == {15: 0, 16: 1, 17: 1, 18: 1, 19: 0}
    assert _done(firm, FIRM) == 3


def test_the_measures_before_the_first_mark_are_those_after_it(firm: Trading) -> None:
    _order(firm)
    _later(firm, 100.0, days=1)
    _later(firm, 94.0, days=1)
    firm.wait(days=1)
    take_fills(firm.context)
    before = measures(firm.context, FIRM, firm.broker.broker.account())
    assert EquityDay.objects.count() == 1, "nothing is written"
    firm.look()
    assert measures(firm.context, FIRM, firm.broker.broker.account()) == before
    assert EquityDay.objects.count() == 4


def test_a_position_held_over_missed_days_trails_from_the_higher_figure(firm: Trading) -> None:
    _order(firm)
    _later(firm, 100.0, days=1)
    _later(firm, 108.0, days=2)
    firm.look()
    missed = EquityDay.objects.get(day=date(2025, 1, 16))
    assert figures(missed.last_equity, missed.last_balance) == (100_800, 100_000)


def test_days_without_a_trade_have_no_row(firm: Trading) -> None:
    firm.trade()
    firm.wait(days=4)
    firm.look()
    assert _trades() == {15: 1, 19: 0}


def test_a_trade_counts_once_although_the_clock_was_ahead(firm: Trading) -> None:
    firm.trade()
    firm.wait(days=2)
    firm.look()
    firm.wait(days=-2, seconds=5)
    for _ in range(3):
        firm.look()
    assert _trades() == {15: 1, 17: 0}


def test_a_trade_that_opened_and_closed_on_a_missed_day_counts_for_that_day(firm: Trading) -> None:
    _order(firm)
    _later(firm, 100.0, days=1)
    _later(firm, 94.0, hours=2)
    firm.wait(days=1)
    firm.look()
    assert _trades() == {15: 0, 16: 1, 17: 0}
    missed, today = EquityDay.objects.order_by("day")[1:]
    assert figures(missed.last_balance, missed.last_equity) == (99_400, 99_400)
    assert figures(today.first_equity, today.lowest_equity) == (99_400, 99_400)


def test_a_payout_after_missed_days_is_no_loss_of_them(firm: Trading) -> None:
    trail = Trail(peak="equity", rises="at_day_end")
    trailing = rule_set(drawdown=Drawdown(percent=Decimal(2), trail=trail))
    _order(firm)
    _later(firm, 100.0, days=1)
    _later(firm, 111.0, days=1)
    firm.wait(days=1)
    changes.transfer(firm.context, Decimal(-20_000), by="ann", why="a payout")
    firm.look()
    assert _trades() == {15: 0, 16: 1, 17: 0, 18: 0}
    (found,) = measures(firm.context, trailing, firm.broker.broker.account())
    assert figures(found.used, found.limit) == (0, 1_600)
    last = EquityDay.objects.get(day=date(2025, 1, 17))
    assert figures(last.last_equity) == (81_100,)


def test_a_days_end_at_17_in_new_york_is_completed(trading: Trading) -> None:
    trail = Trail(peak="equity", rises="at_day_end")
    late = RuleSet(
        name="late", source="test", zone="America/New_York", reset=time(17),
        drawdown=Drawdown(percent=Decimal(2), trail=trail),
    )  # fmt: skip
    firm = trading.changed(rule_set=late, day_of=partial(trading_day, late), limits=WIDE)
    firm.trade()
    firm.clock.now = firm.clock.now.replace(hour=21)
    _later(firm, 111.0, minutes=50)  # 16:50 in New York
    firm.wait(hours=2)
    firm.look()
    first, second = EquityDay.objects.order_by("day")
    assert (first.day, second.day) == (date(2025, 1, 15), date(2025, 1, 16))
    assert figures(first.last_balance, first.last_equity) == (101_100, 101_100)
    (found,) = measures(firm.context, late, firm.broker.broker.account())
    assert figures(found.used, found.limit) == (0, 2_000)


@pytest.mark.parametrize("days", [0, 1])
def test_fees_make_no_days_end_too_low(journal: Journal, db: None, days: int) -> None:
    """The fee of the entry is in the last mark already."""
    costs = Costs(spread=Decimal(0), slippage=Decimal(0), fee=Decimal("0.1"))
    firm = Trading.begun(journal, FillModel(costs)).changed(rule_set=FIRM)
    firm.trade()
    _later(firm, 111.0, days=days, hours=2)
    firm.wait(days=1)
    firm.look()
    *_, ended, _ = EquityDay.objects.order_by("day")
    balance = firm.broker.broker.account().balance
    assert balance <= ended.last_balance == ended.last_equity <= balance + 25


def test_a_sale_that_a_buy_ends_at_a_loss_counts_for_its_missed_day(firm: Trading) -> None:
    firm.trade(action="SELL")
    _later(firm, 106.0, days=1)
    firm.wait(days=1)
    firm.look()
    missed = EquityDay.objects.get(day=date(2025, 1, 16))
    assert figures(missed.last_balance, missed.last_equity) == (99_400, 99_400)
