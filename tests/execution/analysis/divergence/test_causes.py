"""Why a trade made more or less than its signal promised, cause by cause, on made-up trades."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution.analysis.divergence.causes import Cause, Divergence, Step, divergence_of
from execution.analysis.divergence.trades import (
    AccountFill,
    AccountTrade,
    ModelLeg,
    ModelTrade,
    SignalPrices,
)
from execution.types import Side
from signals.analysis.backtest.columns import Ending

OPENS = datetime(2026, 1, 6, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = OPENS + 48 * HOUR
BUY = SignalPrices(Side.BUY, 100.0, 95.0, 110.0)


def leg(at: datetime, mid: float, price: float) -> ModelLeg:
    """Return a fill at the open of a bar of a session."""
    return ModelLeg(at, at + 6.5 * HOUR, at, mid, price)


MODEL = ModelTrade(
    leg(OPENS, 100.0, 100.0), leg(LATER, 110.0, 110.0), Ending.TARGET, 0.0, 0.25
)  # fmt: skip
"""Exactly what the signal promised: in at 100, out at 110."""


def account(model: ModelTrade = MODEL, **changes: Any) -> AccountTrade:  # noqa: ANN401
    """Return the trade of a real account that did what the backtest did, with these changes.

    Its profit is that of its prices, fees and dividends.
    """
    entry, exit_ = model.entry, model.exit
    made = AccountTrade(
        entry=entry.price, exit=exit_.price,
        entries=[AccountFill(entry.at, entry.price, 1.0)],
        exits=[AccountFill(exit_.at, exit_.price, 1.0)],
        exit_reason=model.ending.name.lower(), fees=model.fees, dividends=0.0, profit=0.0,
        is_simulated=False,
    )  # fmt: skip
    made = replace(made, **changes)
    if "profit" in changes:
        return made
    return replace(made, profit=made.exit - made.entry - made.fees + made.dividends)


def compared(model: ModelTrade = MODEL, **changes: Any) -> Divergence:  # noqa: ANN401
    found = divergence_of(BUY, model, account(model, **changes))
    for step, difference in (
        (Step.BACKTEST, found.backtest - found.signal),
        (Step.ACCOUNT, found.account - found.backtest),
    ):
        parts = sum(each.percent for each in found.parts if each.step is step)
        assert parts == pytest.approx(difference, abs=1e-5)
    return found


def causes(found: Divergence) -> dict[tuple[str, str], object]:
    return {
        (each.step.value, each.cause.value): pytest.approx(each.percent) for each in found.parts
    }


def test_three_equal_worlds_have_no_cause() -> None:
    found = compared()
    assert (found.signal, found.backtest, found.account) == pytest.approx((10, 10, 10))
    assert found.parts == []


def test_a_gap_at_the_entry_and_one_through_the_stop() -> None:
    model = replace(
        MODEL, entry=leg(OPENS, 102.0, 102.0), exit=leg(LATER, 92.0, 92.0), ending=Ending.STOP
    )
    found = compared(model)
    assert (found.signal, found.backtest) == pytest.approx((-5, -10))
    assert causes(found) == {("backtest", "gap"): -5.0}


def test_the_costs_of_market_orders_are_spread_and_slippage_and_each_fill_pays_its_fee() -> None:
    model = replace(MODEL, entry=leg(OPENS, 100.0, 100.4), fees=0.3)
    assert causes(compared(model)) == {
        ("backtest", "spread"): -0.1, ("backtest", "slippage"): -0.3, ("backtest", "fee"): -0.3,
    }  # fmt: skip


def test_a_short_sale_loses_where_a_purchase_gains() -> None:
    sell = SignalPrices(Side.SELL, 100.0, 105.0, 90.0)
    model = replace(MODEL, entry=leg(OPENS, 98.0, 97.0), exit=leg(LATER, 90.0, 90.0))
    trade = account(model, profit=97.0 - 90.0)
    found = divergence_of(sell, model, trade)
    assert (found.signal, found.backtest, found.account) == pytest.approx((10, 7, 7))
    assert found.percent(Step.BACKTEST, Cause.GAP) == pytest.approx(-2)
    assert found.percent(Step.BACKTEST, Cause.SLIPPAGE) == pytest.approx(-0.75)


def test_a_real_market_fills_the_same_moment_at_another_price() -> None:
    fill = AccountFill(OPENS + timedelta(seconds=3), 100.5, 1.0)
    found = compared(entry=100.5, entries=[fill])
    assert causes(found) == {("account", "slippage"): -0.5}


def test_a_simulated_fill_of_the_same_moment_at_another_price_had_other_data() -> None:
    fill = AccountFill(OPENS, 100.5, 1.0)
    found = compared(entry=100.5, entries=[fill], is_simulated=True)
    assert causes(found) == {("account", "data"): -0.5}


def test_an_entry_at_another_time_is_a_delay_and_so_is_what_follows_from_it() -> None:
    late = AccountFill(OPENS + 24 * HOUR, 103.0, 1.0)
    model = replace(MODEL, exit=leg(LATER, 104.0, 104.0), ending=Ending.EXPIRED)
    out = AccountFill(LATER + 24 * HOUR, 105.0, 1.0)
    found = compared(model, entry=103.0, entries=[late], exit=105.0, exits=[out])
    assert found.percent(Step.ACCOUNT, Cause.DELAY) == pytest.approx(-3 + 1)
    assert [each.note for each in found.parts] == ["24.0 h later", "exit: expired"]


def test_later_parts_of_an_order_are_partial_fills_and_parts_at_once_are_slippage() -> None:
    fills = [
        AccountFill(OPENS, 100.0, 1.0),
        AccountFill(OPENS + timedelta(seconds=9), 100.2, 1.0),
        AccountFill(OPENS + 2 * HOUR, 101.1, 2.0),
    ]
    found = compared(entry=100.6, entries=fills)
    assert causes(found) == {("account", "slippage"): -0.1, ("account", "partial_fill"): -0.5}


@pytest.mark.parametrize("reason", ["manual", "flat", "breach", "unprotected"])
def test_what_ended_a_trade_beside_stop_target_and_expiry_is_a_rule(reason: str) -> None:
    out = AccountFill(OPENS + HOUR, 101.0, 1.0)
    found = compared(exit=101.0, exits=[out], exit_reason=reason)
    assert causes(found) == {("account", "rule"): -9.0}
    assert [each.note for each in found.parts] == [reason]


def test_a_stop_that_a_dividend_moved_is_a_rule_and_its_money_a_dividend() -> None:
    out = AccountFill(LATER, 109.0, 1.0)
    found = compared(exit=109.0, exits=[out], dividends=0.5, is_carried=True)
    assert causes(found) == {("account", "rule"): -1.0, ("account", "dividend"): 0.5}


def test_another_ending_without_a_delay_is_of_other_data() -> None:
    out = AccountFill(LATER, 95.0, 1.0)
    model = replace(MODEL, is_ambiguous=True)
    found = compared(model, exit=95.0, exits=[out], exit_reason="stop")
    assert causes(found) == {("account", "data"): -15.0}
    assert found.parts[0].note == "stop, not target, both in one bar"


def test_the_same_ending_in_another_bar_is_of_other_data() -> None:
    out = AccountFill(LATER + 24 * HOUR, 109.5, 1.0)
    assert causes(compared(exit=109.5, exits=[out])) == {("account", "data"): -0.5}


def test_fees_that_differ_from_those_of_the_settings() -> None:
    assert causes(compared(fees=0.2)) == {("account", "fee"): -0.2}


def test_a_profit_that_is_not_that_of_the_fills_stays_unexplained() -> None:
    assert causes(compared(profit=9.0)) == {("account", "unexplained"): -1.0}
