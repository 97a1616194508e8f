"""Deposits, withdrawals, fees and dividends that a broker reports by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.accounts import changes
from execution.accounts.equity import curve_days, latest_day
from execution.accounts.money import with_money
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import Account, BrokerError
from execution.context import TradingContext
from execution.models import AccountChange, EquityDay, TradingAccount
from execution.monitoring.monitor import mark_equity
from tests.databases import DATABASES
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.trading_fixtures import MORNING, Clock, Trading, figures
from tests.signals.market.alpaca_server import KEY, SECRET

pytestmark = pytest.mark.django_db(databases=DATABASES)
NAME = "alpaca-paper"


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        alpaca.exchange.now = MORNING - timedelta(hours=1)
        yield alpaca


@pytest.fixture
def at_alpaca(trading: Trading, alpaca: Alpaca) -> TradingContext:
    broker = AlpacaBroker(KEY, SECRET, alpaca.url, clock=trading.clock)
    return replace(trading.context, broker=broker, account=NAME, starting_balance=None)


def base_of(context: TradingContext) -> tuple[object, ...]:
    row = TradingAccount.objects.get(name=context.account)
    return row.start_balance, row.peak_equity


def wait(context: TradingContext, **time: float) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.pass_by(**time)


def days_now() -> list[tuple[object, ...]]:
    """Return first, highest and last equity of each day, as the limits count them."""
    found = curve_days(list(EquityDay.objects.filter(account=NAME).order_by("day")))
    return [figures(each.first_equity, each.highest_equity, each.last_equity) for each in found]


@pytest.mark.usefixtures("database")
def test_alpacas_transfers_move_the_base(at_alpaca: TradingContext, alpaca: Alpaca) -> None:
    alpaca.exchange.move_money("10000")  # part of the first balance
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (110_000, 110_000)
    for amount, kind in (("5000", "CSD"), ("-2000", "CSW"), ("300", "JNLC"), ("1", "TRANS")):
        alpaca.exchange.move_money(amount, kind)
    mark_equity(at_alpaca)
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (113_301, 113_301)
    day = latest_day(NAME)
    assert day is not None
    assert figures(day.first_equity, day.transferred) == (113_301, 3_301)
    kinds = AccountChange.objects.order_by("pk").values_list("kind", "moved")
    moved = [figures(*each) for each in kinds]
    assert moved == [("transfer", amount) for amount in (0, 5_000, -2_000, 300, 1)]


@pytest.mark.usefixtures("database")
def test_alpacas_dividends_are_profit_and_fees_are_losses(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    alpaca.exchange.move_money("200", "DIV")
    alpaca.exchange.move_money("-50", "FEE")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_150)
    kinds = AccountChange.objects.order_by("pk").values_list("kind", "amount", "moved")
    assert [figures(*each) for each in kinds] == [("income", 200, 0), ("fee", -50, 0)]


def test_a_transfer_that_alpaca_has_undone_moves_nothing(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    alpaca.exchange.move_money("900", is_booked=False)["status"] = "canceled"
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_000)
    assert not AccountChange.objects.exists()


def test_at_alpaca_no_transfer_is_made_by_hand(at_alpaca: TradingContext) -> None:
    with pytest.raises(BrokerError, match="made at Alpaca"):
        changes.transfer(at_alpaca, Decimal(5), by="ann", why="a test")
    assert not AccountChange.objects.exists()


def test_many_movements_come_in_pages(at_alpaca: TradingContext, alpaca: Alpaca) -> None:
    mark_equity(at_alpaca)
    for _ in range(130):
        alpaca.exchange.move_money("10", "INT")
    wait(at_alpaca, days=4)
    mark_equity(at_alpaca)
    assert AccountChange.objects.count() == 130


def test_a_deposit_and_a_payout_of_one_day_hide_no_loss(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    alpaca.exchange.move_money("10000")
    alpaca.exchange.move_money("-10000", "CSW")
    alpaca.exchange.cash -= 500
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_000)
    assert days_now() == [(100_000, 100_000, 99_500)]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("status", "left"), [("canceled", 0), ("correct", 9_000)])
def test_a_transfer_that_alpaca_takes_back_later_is_taken_back(
    at_alpaca: TradingContext, alpaca: Alpaca, status: str, left: int
) -> None:
    """It is the same activity, with another status or amount."""
    mark_equity(at_alpaca)
    row = alpaca.exchange.move_money("10000")
    mark_equity(at_alpaca)
    row |= {"status": status, "net_amount": str(left or 10_000)}
    alpaca.exchange.cash -= 10_000 - left
    for _ in range(3):
        mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000 + left, 100_000 + left)
    amounts = AccountChange.objects.order_by("pk").values_list("amount", flat=True)
    assert figures(*amounts) == (10_000, left - 10_000)


@pytest.mark.parametrize("amount", [10_000, -10_000])
def test_a_transfer_of_the_day_before_moves_the_base_when_its_money_comes(
    at_alpaca: TradingContext, alpaca: Alpaca, amount: int
) -> None:
    mark_equity(at_alpaca)
    wait(at_alpaca, days=5)
    mark_equity(at_alpaca)
    alpaca.exchange.move_money(str(amount))["date"] = "2025-01-16"
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000 + amount,) * 2
    assert days_now() == [(100_000 + amount,) * 3] * 2


@pytest.mark.parametrize("amount", [10_000, -10_000])
@pytest.mark.parametrize("came", [0, 1, 2])
@pytest.mark.parametrize("reported", [0, 2])
def test_a_transfer_that_is_reported_after_its_money_counts_once(
    at_alpaca: TradingContext, alpaca: Alpaca, amount: int, came: int, reported: int
) -> None:
    """The money came some days after the transfer's date, and some days before the report."""
    mark_equity(at_alpaca)
    wait(at_alpaca, hours=1)
    mark_equity(at_alpaca)
    wait(at_alpaca, days=came)
    alpaca.exchange.cash += amount
    mark_equity(at_alpaca)
    wait(at_alpaca, days=reported)
    mark_equity(at_alpaca)
    alpaca.exchange.move_money(str(amount), is_booked=False)["date"] = "2025-01-15"
    mark_equity(at_alpaca)
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000 + amount,) * 2
    assert set(days_now()) == {(100_000 + amount,) * 3}


@pytest.mark.usefixtures("database")
def test_a_late_deposit_and_a_new_payout_are_told_apart(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    wait(at_alpaca, hours=1)
    alpaca.exchange.cash += 10_000
    mark_equity(at_alpaca)
    wait(at_alpaca, days=1)
    mark_equity(at_alpaca)
    alpaca.exchange.move_money("10000", is_booked=False)["date"] = "2025-01-15"
    alpaca.exchange.move_money("-10000", "CSW")["date"] = "2025-01-16"
    mark_equity(at_alpaca)
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_000)
    assert set(days_now()) == {(100_000,) * 3}


def test_a_deposit_hides_no_loss_since_the_last_mark(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    """The loss is of the size of the deposit, so the balance does not show if it is new."""
    mark_equity(at_alpaca)
    wait(at_alpaca, days=1)
    mark_equity(at_alpaca)
    alpaca.exchange.move_money("1000")["date"] = "2025-01-15"
    alpaca.exchange.cash -= 800
    mark_equity(at_alpaca)
    assert days_now()[-1] == (101_000, 101_000, 100_200)


def test_a_journal_of_shares_moves_no_money(at_alpaca: TradingContext, alpaca: Alpaca) -> None:
    mark_equity(at_alpaca)
    row = alpaca.exchange.move_money("0", "JNLS", is_booked=False)
    del row["net_amount"]
    row |= {"symbol": "AAPL", "qty": "5"}
    alpaca.exchange.cash += 7
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_007)
    assert not AccountChange.objects.exists()


def test_a_payout_of_days_that_nobody_watched_is_no_loss(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    wait(at_alpaca, days=3)
    alpaca.exchange.move_money("-10000", "CSW")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (90_000, 90_000)
    assert days_now() == [(90_000,) * 3] * 2


def test_a_transfer_is_read_although_the_clock_was_ahead(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    wait(at_alpaca, days=30)
    mark_equity(at_alpaca)
    wait(at_alpaca, days=-30)
    alpaca.exchange.move_money("10000")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (110_000, 110_000)


def test_a_transfer_between_a_restart_and_the_next_look_moves_the_base(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    changes.restart_count(at_alpaca, by="ann", why="a test")
    alpaca.exchange.move_money("10000")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (110_000, 110_000)


@pytest.mark.usefixtures("database")
def test_a_transfer_of_another_account_moves_nothing(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    mark_equity(at_alpaca)
    alpaca.exchange.account_id = "another"
    alpaca.exchange.move_money("10000")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (100_000, 100_000)
    changes.restart_count(at_alpaca, by="ann", why="it is meant")
    alpaca.exchange.move_money("500")
    mark_equity(at_alpaca)
    assert base_of(at_alpaca) == (110_500, 110_500)
    kinds = AccountChange.objects.order_by("pk").values_list("kind", "amount", "moved")
    assert [figures(*each) for each in kinds] == [
        ("restart", 110_000, 0),
        ("transfer", 10_000, 0),
        ("transfer", 500, 500),
    ]


def test_a_transfer_of_the_same_id_on_another_account_hides_none(
    at_alpaca: TradingContext, alpaca: Alpaca
) -> None:
    other = replace(at_alpaca, account="other")
    mark_equity(at_alpaca)
    mark_equity(other)
    alpaca.exchange.move_money("10000")
    mark_equity(at_alpaca)
    mark_equity(other)
    assert base_of(at_alpaca) == base_of(other) == (110_000, 110_000)


def test_the_money_is_of_the_moment_before_the_question(trading: Trading) -> None:
    """What happens while the broker answers may be in it or not."""
    before, account = trading.clock(), trading.broker.broker.account

    def slow() -> Account:
        trading.clock.pass_by(seconds=5)
        return account()

    trading.broker.instead["account"] = slow
    assert with_money(trading.context, lambda money: money.time) == before
