"""A dividend is money: it turns no trade into a loss."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.models import AccountChange, Counterfactual, PositionChange
from signals.market.actions import ActionKind, ListedAction
from tests.execution.corporate.market_changes import calm_day, listed, listing, rebase
from tests.execution.trading_fixtures import Trading, as_stored, halt_codes, position_of

FACTORS = pytest.mark.parametrize("factor", [0.995, 0.98, 0.96, 0.9985, 0.93])


@FACTORS
@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_a_history_that_a_dividend_changed_is_no_loss(
    trading: Trading, factor: float, action: str
) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade(action=action)
    calm_day(trading, 100.0)
    rebase(trading, factor)
    calm_day(trading, 100.0 * factor)
    position = position_of(signal)
    assert position.status == "open"
    assert position.left == 100
    assert as_stored(signal).outcome is None
    cash = float(PositionChange.objects.get().cash)
    assert cash == pytest.approx((100 - 100 * factor) * (100 if action == "BUY" else -100), abs=1)
    assert float(trading.broker.account().equity) == pytest.approx(100_000, abs=1)
    assert halt_codes() == []


def test_a_dividend_is_income_of_the_account_and_profit_of_the_trade(trading: Trading) -> None:
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade()
    ex_at = trading.clock() + timedelta(hours=3)
    listed(trading).append(ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal("0.5")))
    calm_day(trading, 99.5)
    calm_day(trading, 112.0)
    assert position_of(signal).profit == 1250
    assert trading.broker.account().equity == 101_250
    income = AccountChange.objects.get(kind="income")
    assert income.amount == 50
    assert income.moved == 0
    assert as_stored(signal).profit_loss_pct == pytest.approx(12.0)


def test_the_stop_of_a_long_position_is_lowered_by_a_dividend(trading: Trading) -> None:
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade()
    ex_at = trading.clock() + timedelta(hours=3)
    listed(trading).append(ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal(2)))
    calm_day(trading, 98.0)
    stops = signal.orders.filter(leg="stop").exclude(state="canceled")
    assert [order.level for order in stops] == [93]
    trading.move(94.0)
    assert position_of(signal).status == "open"


def test_a_dividend_larger_than_the_stop_leaves_it_where_it_is(trading: Trading) -> None:
    """A level below 0 would protect nothing."""
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade(stop_price=55.0)
    ex_at = trading.clock() + timedelta(hours=3)
    listed(trading).append(ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal(60)))
    calm_day(trading, 40.0)
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "stop")
    assert trading.broker.account().equity == 100_000


@FACTORS
def test_a_dividend_ends_no_counterfactual(trading: Trading, factor: float) -> None:
    calm_day(trading, 100.0)
    signal = trading.log(confidence=50)
    trading.decide()
    trading.day(100.0, 101.0, 95.2, 100.0)
    trading.look()
    rebase(trading, factor)
    calm_day(trading, 100.0 * factor if factor > 0.96 else 97.0)
    trading.clock.pass_by(hours=2)
    trading.look()
    assert Counterfactual.objects.get(signal=signal).outcome is None


def test_the_excursions_are_those_of_the_prices_that_were_paid(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    trading.day(100.0, 104.0, 97.0, 100.0)
    trading.look()
    rebase(trading, 0.98)
    trading.day(98.0, 99.0, 97.5, 98.0)
    trading.look()
    trading.day(100.0, 112.0, 100.0, 111.0)
    trading.look()
    position = position_of(signal)
    assert position.status == "closed"
    assert position.mae == pytest.approx(3.0)
    assert position.mfe == pytest.approx(10.0)


@pytest.mark.parametrize("factor", [0.1, 0.5, 5.0])
def test_the_excursions_are_on_one_scale_with_a_split(trading: Trading, factor: float) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    trading.day(100.0, 104.0, 97.0, 100.0)
    trading.look()
    rebase(trading, factor)
    calm_day(trading, 100.0 * factor)
    trading.day(100.0 * factor, 112.0 * factor, 100.0 * factor, 111.0 * factor)
    trading.look()
    position = position_of(signal)
    assert position.status == "closed"
    assert position.mae == pytest.approx(3.0)
    assert position.mfe == pytest.approx(10.0)


def test_one_corrected_bar_is_no_corporate_action(trading: Trading) -> None:
    for price in (100.0, 100.5, 100.0):
        calm_day(trading, price)
    signal = trading.trade()
    rows = trading.market.rows["AAPL"]
    rows[-1] = (rows[-1][0], 99.0, 99.5, 98.0, 99.0, 1e6)
    calm_day(trading, 100.0)
    assert position_of(signal).left == 100
    assert not PositionChange.objects.exists()
