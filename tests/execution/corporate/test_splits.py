"""A split under an open position: nothing is booked at a price of another scale."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.brokers.fill_model import Prices
from execution.models import CorporateAction, Counterfactual, PaperChange, PositionChange
from execution.types import Leg
from signals.market.actions import ActionKind, ListedAction
from signals.market.protocol import Quote
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.corporate.market_changes import calm_day, listed, listing, rebase
from tests.execution.trading_fixtures import (
    SYMBOL,
    WIDE,
    Trading,
    as_stored,
    halt_codes,
    position_of,
)

RATIOS = [(10, 1), (4, 1), (3, 2), (1, 10), (7, 1), (5, 4), (1, 30), (20, 1)]
SPLITS = pytest.mark.parametrize(("new", "old"), RATIOS)
ACTIONS = pytest.mark.parametrize("action", ["BUY", "SELL"])


def held(trading: Trading) -> Decimal:
    return sum((each.quantity for each in trading.broker.positions()), Decimal(0))


def opened(trading: Trading, action: str = "BUY") -> Signal:
    """Open a position of 100 shares at 100, and let two days pass."""
    calm_day(trading, 100.0)
    signal = trading.trade(action=action)
    calm_day(trading, 100.0)
    return signal


@SPLITS
@ACTIONS
def test_a_history_that_was_split_carries_the_position_over(
    trading: Trading, new: int, old: int, action: str
) -> None:
    signal = opened(trading, action)
    quantity, stop, target = (
        getattr(position_of(signal), name) for name in ("quantity", "stop", "target")
    )
    rebase(trading, old / new)
    calm_day(trading, 100.0 * old / new)
    position = position_of(signal)
    assert position.status == "open"
    assert position.left == quantity * new / old
    assert float(position.stop) == pytest.approx(float(stop) * old / new)
    assert float(position.target) == pytest.approx(float(target) * old / new)
    assert abs(held(trading)) == position.left
    assert halt_codes() == []
    assert as_stored(signal).outcome is None
    assert PositionChange.objects.get().text
    assert PaperChange.objects.get().text
    assert trading.broker.account().equity == pytest.approx(100_000, abs=1)


@SPLITS
@ACTIONS
def test_a_stop_after_a_split_gives_the_outcome_of_the_signals_own_prices(
    trading: Trading, new: int, old: int, action: str
) -> None:
    signal = opened(trading, action)
    rebase(trading, old / new)
    calm_day(trading, 100.0 * old / new)
    stop = float(position_of(signal).stop)
    trading.move(stop * (0.9999 if action == "BUY" else 1.0001))
    stored = as_stored(signal)
    assert stored.outcome == "loss"
    assert stored.profit_loss_pct == pytest.approx(-5.0, abs=0.02)
    assert stored.exit_price == pytest.approx(signal.stop_price, rel=2e-4)
    assert float(position_of(signal).profit or 0) == pytest.approx(-500, abs=2)
    assert held(trading) == 0
    assert halt_codes() == []


def test_both_splits_of_a_week_are_carried_over(trading: Trading) -> None:
    signal = opened(trading)
    for _ in range(2):
        rebase(trading, 0.5)
        calm_day(trading, trading.market.rows[SYMBOL][-1][4])
    assert position_of(signal).left == 400
    assert CorporateAction.objects.count() == 2


def test_a_split_is_carried_over_only_once(trading: Trading) -> None:
    signal = opened(trading)
    rebase(trading, 0.25)
    for _ in range(3):
        calm_day(trading, 25.0)
        trading = trading.restarted()
    assert position_of(signal).left == held(trading) == 400
    assert PositionChange.objects.count() == PaperChange.objects.count() == 1


def test_a_position_opened_after_the_split_is_left_alone(trading: Trading) -> None:
    trading = trading.changed(limits=replace(WIDE, max_position=Decimal(90)))
    opened(trading)
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    later = trading.trade(10.0, entry_price=10.0, target_price=11.0, stop_price=9.5)
    before = position_of(later).quantity
    calm_day(trading, 10.0)
    assert position_of(later).quantity == before


@pytest.mark.parametrize("after", [10.0, 49.0, 34.0, 1000.0, 66.0])
def test_a_jump_that_nobody_explains_books_nothing_and_halts(
    trading: Trading, after: float
) -> None:
    signal = opened(trading)
    calm_day(trading, after)
    trading.move(after)
    assert position_of(signal).status == "open"
    assert as_stored(signal).outcome is None
    assert halt_codes() == ["scale"]
    assert trading.broker.account().equity == pytest.approx(100_000)


@pytest.mark.parametrize("after", [80.0, 72.0, 58.0, 41.0, 130.0])
def test_a_real_crash_is_a_loss(trading: Trading, after: float) -> None:
    signal = opened(trading)
    calm_day(trading, after)
    assert position_of(signal).status == "closed"
    assert halt_codes() == []


def test_a_coin_that_halves_over_night_is_a_loss(trading: Trading) -> None:
    trading.market.quotes["BTC-USD"] = Quote(100.0, trading.clock())
    signal = trading.trade(symbol="BTC-USD", asset_type="crypto")
    calm_day(trading, 50.0, "BTC-USD")
    assert position_of(signal).status == "closed"
    assert halt_codes() == []


def test_a_jump_is_explained_by_the_history_that_changes_later(trading: Trading) -> None:
    signal = opened(trading)
    calm_day(trading, 10.0)
    rebase(trading, 0.1)
    rows = trading.market.rows[SYMBOL]
    rows[-1] = (rows[-1][0], 10.0, 10.1, 9.9, 10.0, 1e6)
    calm_day(trading, 10.0)
    assert position_of(signal).left == 1000
    assert as_stored(signal).outcome is None


@pytest.mark.parametrize("rebased", [True, False])
def test_a_listed_split_is_carried_over_whether_or_not_the_history_changes(
    trading: Trading, rebased: bool
) -> None:
    trading = listing(trading)
    signal = opened(trading)
    ex_at = trading.clock() + timedelta(hours=1)
    listed(trading).append(
        ListedAction(ActionKind.SPLIT, ex_at, Decimal(4), Decimal(1), rebased_by=0.25)
    )
    if rebased:
        rebase(trading, 0.25)
    calm_day(trading, 25.0)
    if not rebased:
        rebase(trading, 0.25)
        rows = trading.market.rows[SYMBOL]
        rows[-1] = (rows[-1][0], 25.0, 25.25, 24.75, 25.0, 1e6)
    calm_day(trading, 25.0)
    assert position_of(signal).left == 400
    assert CorporateAction.objects.count() == 1
    assert halt_codes() == []


def test_an_entry_that_waits_is_canceled_by_a_split(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.log()
    trading.decide()
    trading.clock.pass_by(seconds=1)
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    orders = {each.leg: each.state for each in signal.orders.all()}
    assert orders[Leg.ENTRY] == "canceled"
    assert held(trading) == 0
    assert trading.broker.open_orders() == []
    assert Counterfactual.objects.filter(signal=signal).exists()


@pytest.mark.parametrize("factor", [0.1, 4.0, 0.5])
def test_a_counterfactual_is_followed_on_the_scale_of_its_signal(
    trading: Trading, factor: float
) -> None:
    calm_day(trading, 100.0)
    signal = trading.log(confidence=50)
    trading.decide()
    calm_day(trading, 100.0)
    rebase(trading, factor)
    for price in (100.0, 101.0):
        calm_day(trading, price * factor)
    assert Counterfactual.objects.get(signal=signal).outcome is None
    trading.day(101.0 * factor, 111.0 * factor, 100.0 * factor, 108.0 * factor)
    trading.clock.pass_by(hours=2)
    trading.look()
    followed = Counterfactual.objects.get(signal=signal)
    assert followed.outcome == "win"
    assert followed.exit_price == pytest.approx(110.0)


@pytest.mark.parametrize("factor", [0.1, 4.0, 0.5])
def test_a_counterfactual_that_was_never_looked_at_before_the_split_is_left_alone(
    trading: Trading, factor: float
) -> None:
    trading.day(100.0, 101.0, 99.0, 100.0)
    signal = trading.log(confidence=50)
    trading.decide()
    rebase(trading, factor)
    for _ in range(3):
        calm_day(trading, 100.0 * factor)
    assert Counterfactual.objects.get(signal=signal).outcome is None


@pytest.mark.django_db(databases=DATABASES)
def test_both_databases_keep_what_a_split_did(trading: Trading, database: str) -> None:
    signal = opened(trading)
    rebase(trading, 1 / 3)
    calm_day(trading, 100.0 / 3)
    position = position_of(signal)
    assert position.left == 300
    assert CorporateAction.objects.get().rebased_by == pytest.approx(1 / 3)
    trading = trading.restarted()
    calm_day(trading, 112.0 / 3)
    assert as_stored(signal).outcome == "win"
    assert held(trading) == 0


def test_a_split_at_midnight_is_asked_for_at_once(trading: Trading) -> None:
    trading = listing(trading)
    signal = opened(trading)
    trading.wait(hours=8, minutes=58)
    trading.look()
    trading.wait(minutes=1)
    trading.look()
    ex_at = trading.clock() + timedelta(minutes=1)
    listed(trading).append(ListedAction(ActionKind.SPLIT, ex_at, Decimal(10), Decimal(1)))
    trading.clock.pass_by(minutes=2)
    trading.move(10.0)
    assert position_of(signal).left == 1000
    assert halt_codes() == []


def test_an_order_to_close_is_made_anew_for_all_shares_after_a_split(trading: Trading) -> None:
    trading = trading.changed(expiry=timedelta(days=2))
    signal = opened(trading)
    trading.market.quotes[SYMBOL] = None
    trading.clock.pass_by(days=2)
    trading.look()
    assert signal.orders.filter(leg=Leg.CLOSE, state="accepted").exists()
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    for _ in range(3):
        trading.wait(minutes=2)
        trading.look()
    closes = [(order.state, int(order.filled)) for order in signal.orders.filter(leg=Leg.CLOSE)]
    assert closes == [("canceled", 0), ("filled", 1000)]
    assert held(trading) == 0
    assert as_stored(signal).outcome == "expired"


@pytest.mark.parametrize(("low", "is_open"), [(96.0, True), (94.0, False)])
def test_a_bar_of_before_the_split_that_comes_late_is_on_the_scale_of_its_day(
    trading: Trading, low: float, is_open: bool
) -> None:
    trading = listing(trading)
    signal = opened(trading)
    bar_at = trading.clock() + timedelta(hours=12)
    ex_at = trading.clock() + timedelta(hours=13)
    listed(trading).append(ListedAction(ActionKind.SPLIT, ex_at, Decimal(10), Decimal(1)))
    trading.clock.pass_by(days=1)
    trading.move(10.0)
    assert position_of(signal).left == 1000
    prices = (Decimal(100), Decimal(101), Decimal(low), Decimal(100))
    late = Prices(bar_at - timedelta(hours=6), bar_at, *prices)
    trading.broker.broker.see({SYMBOL: [late]})
    trading.look()
    assert (position_of(signal).status == "open") is is_open


@pytest.mark.parametrize("is_adjusted", [True, False])
def test_a_jump_of_long_ago_in_an_adjusted_history_was_real(
    trading: Trading, is_adjusted: bool
) -> None:
    trading = listing(trading, is_adjusted=is_adjusted)
    trading.day(100.0, 101.0, 99.0, 100.0)
    signal = trading.log(confidence=50)
    trading.decide()
    trading.day(51.0, 52.0, 49.0, 50.0)
    for _ in range(8):
        trading.day(50.0, 51.0, 49.0, 50.0)
    trading.look()
    outcome = Counterfactual.objects.get(signal=signal).outcome
    assert outcome == ("loss" if is_adjusted else None)
