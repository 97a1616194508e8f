"""The base of losses and drawdowns is stored, and it is the equity curve itself."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.accounts.compliance import measures
from execution.accounts.equity import EquityCurve, latest_day
from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay, TradingAccount
from execution.prop_firm.rule_set import DailyLoss
from execution.risk.model import Limits
from tests.databases import DATABASES
from tests.execution.trading_fixtures import MORNING, Trading, codes_of, decision_of, rule_set

pytestmark = pytest.mark.django_db(databases=DATABASES)


def money(equity: object, hours: float = 0, balance: object = 100_000) -> Account:
    time = MORNING + timedelta(hours=hours)
    return Account(Decimal(str(equity)), Decimal(str(balance)), Decimal(0), time)


def mark(context: TradingContext, account: Account, opened: int = 0) -> None:
    with transaction.atomic():
        curve = EquityCurve.read(context, account)
        curve.add(account, opened)
        curve.write()


def day_start(trading: Trading) -> Decimal:
    return portfolio(trading.context, trading.broker.account(), trading.clock()).day_start


@pytest.mark.usefixtures("database")
def test_a_day_keeps_its_first_highest_lowest_and_last_equity(trading: Trading) -> None:
    for hours, equity in enumerate((100, 103, 97, 101)):
        mark(trading.context, money(equity, hours), opened=1)
    day = EquityDay.objects.get()
    assert (day.day, day.trades) == (date(2025, 1, 15), 4)
    found = [day.first_equity, day.highest_equity, day.lowest_equity, day.last_equity]
    assert found == [100, 103, 97, 101]
    assert TradingAccount.objects.get().peak_equity == 103


def test_a_new_day_begins_with_the_last_equity_of_the_day_before(trading: Trading) -> None:
    """A loss overnight counts for the new day."""
    mark(trading.context, money(100))
    mark(trading.context, money(95, hours=24))
    day = latest_day("paper")
    assert day is not None
    assert (day.first_equity, day.lowest_equity) == (Decimal(100), Decimal(95))
    assert EquityDay.objects.count() == 2


@pytest.mark.usefixtures("database")
def test_a_restart_forgets_neither_the_day_s_start_nor_the_peak(trading: Trading) -> None:
    trading.trade()
    trading.move(104.0)
    trading.move(98.0)
    again = trading.restarted()
    assert day_start(again) == 100_000
    assert TradingAccount.objects.get().peak_equity == 100_400
    again.move(98.0)
    assert day_start(again) == 100_000


def test_a_clock_that_goes_back_opens_no_earlier_day(trading: Trading) -> None:
    """The losses of the day remain losses of the same day."""
    mark(trading.context, money(100_000))
    mark(trading.context, money(98_000, hours=1))
    trading.clock.pass_by(days=-2)
    mark(trading.context, money(98_000, hours=-48))
    assert EquityDay.objects.count() == 1
    assert EquityDay.objects.get().marked_at == MORNING + timedelta(hours=1)
    held = portfolio(trading.context, money(98_000, hours=-48), trading.clock())
    assert (held.day_start, held.peak) == (Decimal(100_000), Decimal(100_000))


def test_the_daily_loss_counts_from_the_account_s_own_equity(trading: Trading) -> None:
    trading.trade()
    trading.move(110.0)
    trading.wait(days=1)
    trading.look()
    assert day_start(trading) == 101_000
    assert TradingAccount.objects.get().start_equity == 100_000


@pytest.mark.parametrize(("price", "codes"), [(98.1, []), (98.0, ["daily_loss"])])
def test_a_day_s_loss_includes_open_positions(
    trading: Trading, price: float, codes: list[str]
) -> None:
    """The position is a tenth of the equity: 2% of it is 0.2% of everything."""
    limits = Limits(max_daily_loss=Decimal("0.2"), max_position=Decimal(50), max_per_symbol=2)
    limited = trading.changed(limits=limits)
    limited.trade()
    limited.move(price)
    signal = limited.log(entry_price=price)
    limited.decide()
    assert codes_of(signal) == codes


def test_a_drawdown_of_less_than_the_limit_denies_nothing(trading: Trading) -> None:
    """Repeated gains and losses of an open position do not add up to a drawdown."""
    limits = Limits(max_drawdown=Decimal(2), max_daily_loss=None, max_per_symbol=9,
                    max_position=Decimal(50))  # fmt: skip
    limited = trading.changed(limits=limits)
    limited.trade()
    for price in (104.0, 99.0, 104.0, 99.0, 104.0, 99.0):
        limited.move(price)
    signal = limited.log(entry_price=99.0)
    limited.decide()
    assert decision_of(signal).status == "executed"  # 0.5% below the peak


Steps = list[tuple[int, int]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(80_000, 120_000)), min_size=1))
def test_drawdown_and_daily_loss_follow_the_equity_curve(trading: Trading, steps: Steps) -> None:
    """Compare with a list of all equities and their days."""
    TradingAccount.objects.all().delete()
    EquityDay.objects.all().delete()
    curve: list[tuple[date, Decimal]] = []
    hours = 0
    for later, equity in steps:
        hours += later
        there = money(equity, hours)
        mark(trading.context, there)
        curve.append((there.time.date(), Decimal(equity)))
    held = portfolio(trading.context, there, there.time)
    assert held.peak == max(equity for _, equity in curve)
    assert held.day_start == _start(curve)


def _start(curve: list[tuple[date, Decimal]]) -> Decimal:
    """Return the day's first equity, or the last one of the day before if it is higher."""
    today = curve[-1][0]
    first = next(equity for day, equity in curve if day == today)
    before = [equity for day, equity in curve if day < today]
    return max(first, before[-1]) if before else first


def test_no_loss_is_forgotten_after_the_clock_was_ahead(trading: Trading) -> None:
    """The days that began meanwhile began with more."""
    trading.trade()
    trading.wait(days=2)
    trading.move(108.0)
    trading.wait(days=-2, seconds=5)
    trading.move(100.0)
    assert day_start(trading) == 100_800


def test_a_loss_before_the_clock_was_ahead_counts_for_the_firms_day(trading: Trading) -> None:
    daily = rule_set(daily_loss=DailyLoss(percent=Decimal(1), basis="equity"))
    for equity, hours in ((100_800, 0), (100_000, 1), (100_000, 48)):
        mark(trading.context, money(equity, hours))
    (found,) = measures(trading.context, daily, money(100_000, 2))
    assert found.used == 800
