"""Splits and renames at a broker: what its own positions and orders show is carried over."""

from decimal import Decimal

import pytest

from execution.corporate.statements import state_split
from execution.models import CorporateAction, PositionChange
from execution.monitoring.reconcile import reconcile, settle
from signals.market.actions import ActionKind, ListedAction
from tests.execution.corporate.market_changes import listed, listing
from tests.execution.monitoring.alpaca_account import AlpacaAccount
from tests.execution.trading_fixtures import SYMBOL, as_stored, halt_codes, position_of

SPLITS = pytest.mark.parametrize(("new", "old"), [(10, 1), (2, 1), (3, 2), (1, 10), (20, 1)])
ORDERS = pytest.mark.parametrize("orders", ["kept", "carried", "canceled"])


def stops(account: AlpacaAccount) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and price of each stop that may sell."""
    return [(Decimal(each["qty"]), Decimal(each["stop_price"])) for each in account.live_stops()]


@SPLITS
@ORDERS
def test_a_split_leaves_everything_protected_on_the_new_scale(
    account: AlpacaAccount,
    new: int,
    old: int,
    orders: str,
) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.split(SYMBOL, new, old, orders)
    account.quote(100 * old / new)
    account.trading.look()
    position = position_of(signal)
    assert position.left == Decimal(100) * new / old
    ((quantity, level),) = stops(account)
    assert quantity == position.left
    assert float(level) == pytest.approx(95 * old / new, rel=1e-3)
    assert as_stored(signal).outcome is None
    assert reconcile(account.trading.context) == []
    assert halt_codes() == []


@SPLITS
def test_the_stop_on_the_new_scale_gives_the_outcome(
    account: AlpacaAccount,
    new: int,
    old: int,
) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.split(SYMBOL, new, old)
    account.quote(100 * old / new)
    account.trading.look()
    account.move(f"{94 * old / new:.4f}")
    stored = as_stored(signal)
    assert stored.outcome == "loss"
    assert stored.profit_loss_pct == pytest.approx(-6, abs=0.02)
    assert account.exchange.positions == {}
    assert halt_codes() == []


def test_a_stop_of_the_old_scale_that_sold_a_part_is_no_false_loss(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.split(SYMBOL, 10, 1)
    account.exchange.move(SYMBOL, "10")  # the stop of 100 at 95 sells 100 of 1,000
    account.quote(10.0)
    for _ in range(3):
        account.wait(seconds=1)
        account.trading.look()
    assert as_stored(signal).outcome is None
    assert halt_codes() == ["scale"]
    memory = account.trading.context.history.memory
    state_split(memory, SYMBOL, (Decimal(10), Decimal(1)), None, by="ann", why="they say so")
    for _ in range(3):
        account.wait(seconds=1)
        account.trading.look()
    assert position_of(signal).left == 900
    assert stops(account) == [(Decimal(900), Decimal("9.5"))]
    assert as_stored(signal).outcome is None
    assert reconcile(account.trading.context) == []


def test_the_same_split_is_found_once(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.split(SYMBOL, 4, 1)
    account.quote(25.0)
    for _ in range(3):
        account.wait(days=1)
        account.quote(25.0)
        account.trading.look()
        reconcile(account.trading.context)
    assert CorporateAction.objects.count() == PositionChange.objects.count() == 1
    assert position_of(signal).left == 400


@pytest.mark.parametrize("more", ["900", "100", "50"])
def test_shares_that_a_person_bought_are_no_split(
    account: AlpacaAccount,
    more: str,
) -> None:
    signal = account.trade()
    account.wait(days=1)
    quantity, average = account.exchange.positions[SYMBOL]
    account.exchange.positions[SYMBOL] = quantity + Decimal(more), average
    account.trading.look()
    assert position_of(signal).left == 100
    assert not CorporateAction.objects.exists()
    assert [each.code for each in reconcile(account.trading.context)] == ["different_quantity"]


@pytest.mark.parametrize("orders", [True, False])
def test_a_renamed_symbol_is_followed(account: AlpacaAccount, orders: bool) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.rename(SYMBOL, "ZZZZ", orders=orders)
    account.trading.market.quotes["ZZZZ"] = account.trading.market.quotes[SYMBOL]
    account.trading.look()
    assert position_of(signal).symbol == "ZZZZ"
    assert reconcile(account.trading.context) == []
    assert settle(account.trading.context, by="ann", why="look") == []
    assert len(stops(account)) == 1


def test_fills_under_the_new_name_are_counted(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.rename(SYMBOL, "ZZZZ")
    account.trading.market.quotes["ZZZZ"] = account.trading.market.quotes[SYMBOL]
    account.trading.look()
    account.exchange.move("ZZZZ", "94")
    account.wait(seconds=1)
    account.trading.look()
    assert as_stored(signal).outcome == "loss"
    assert halt_codes() == []


def test_another_stock_of_the_same_quantity_is_no_rename(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    account.wait(days=1)
    account.exchange.positions = {"ZZZZ": (Decimal(100), Decimal(37))}
    account.exchange.prices["ZZZZ"] = Decimal(37)
    account.trading.look()
    assert position_of(signal).symbol == SYMBOL
    codes = {each.code for each in reconcile(account.trading.context)}
    assert codes >= {"unknown_position", "missing_position"}


def test_a_fill_of_before_the_split_is_counted_as_it_was(account: AlpacaAccount) -> None:
    account.trading = listing(account.trading)
    signal = account.trade()
    account.exchange.move(SYMBOL, "94")
    account.wait(hours=1)
    action = ListedAction(ActionKind.SPLIT, account.exchange.now, Decimal(10), Decimal(1))
    listed(account.trading).append(action)
    account.wait(days=1)
    account.quote(9.4)
    account.trading.look()
    position = position_of(signal)
    assert position.status == "closed"
    assert position.quantity == 100
    assert as_stored(signal).exit_price == pytest.approx(94.0)
    assert not PositionChange.objects.exists()


def test_a_broker_that_counts_a_split_later_than_the_market_makes_no_second_one(
    account: AlpacaAccount,
) -> None:
    account.trading = listing(account.trading)
    signal = account.trade()
    account.wait(days=1)
    action = ListedAction(ActionKind.SPLIT, account.exchange.now, Decimal(10), Decimal(1))
    listed(account.trading).append(action)
    account.wait(hours=1)
    account.quote(10.0)
    account.trading.look()
    assert CorporateAction.objects.get().source == "market"
    account.exchange.split(SYMBOL, 10, 1)
    for _ in range(2):
        account.wait(minutes=10)
        account.quote(10.0)
        account.trading.look()
    assert CorporateAction.objects.count() == 1
    assert position_of(signal).left == 1000
    assert reconcile(account.trading.context) == []
    assert stops(account) == [(Decimal(1000), Decimal("9.5"))]
    assert as_stored(signal).outcome is None


@pytest.mark.parametrize(("new", "old"), [(10, 1), (1, 10)])
def test_a_split_of_what_was_sold_short_is_carried_over(
    account: AlpacaAccount, new: int, old: int
) -> None:
    signal = account.trade(action="SELL")
    account.wait(days=1)
    account.exchange.split(SYMBOL, new, old)
    account.quote(100 * old / new)
    account.trading.look()
    assert position_of(signal).left == Decimal(100) * new / old
    assert stops(account) == [(Decimal(100) * new / old, Decimal(105) * old / new)]
    assert reconcile(account.trading.context) == []
    assert halt_codes() == []
