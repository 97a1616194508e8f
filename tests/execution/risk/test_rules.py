"""Each rule denies what it must deny, says why, and fails closed."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.risk.model import Exposure, Intent, Limits, Portfolio
from execution.risk.rules import RULES, denials
from execution.types import Denial, Side

D = Decimal
NAN = D("NaN")
NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BUY = Intent(
    "s1", "AAPL", Side.BUY, D(50), D(100), D(105), D(97), 80.0, NOW,
    price=D(100), price_time=NOW, market_open=True, currency="USD", unit_value=D(1),
)  # fmt: skip
SELL = replace(BUY, side=Side.SELL, target=D(95), stop=D(103))
ACCOUNT = Portfolio(
    equity=D(100_000), buying_power=D(50_000), day_start=D(100_000), peak=D(100_000)
)
LIMITS = Limits()


def codes(
    intent: Intent = BUY, portfolio: Portfolio = ACCOUNT, limits: Limits = LIMITS
) -> list[str]:
    return [denial.code for denial in denials(intent, portfolio, limits, NOW)]


def holding(symbol: str, side: Side = Side.BUY, quantity: int = 10) -> Exposure:
    return Exposure(symbol, side, D(quantity), D(100))


def held(*holdings: Exposure) -> Portfolio:
    return replace(ACCOUNT, holdings=holdings)


@pytest.mark.parametrize("intent", [BUY, SELL])
def test_a_trade_within_every_limit_is_not_denied(intent: Intent) -> None:
    assert codes(intent) == []


def test_fault_73_a_strategy_never_gets_the_threshold_of_a_regime() -> None:
    limits = Limits(min_confidence_by_regime={"BULL": 95.0})
    assert codes(replace(BUY, strategy="BULL"), limits=limits) == []
    assert codes(replace(BUY, regime="BULL"), limits=limits) == ["confidence"]
    limits = Limits(min_confidence_by_strategy={"BULL": 95.0})
    assert codes(replace(BUY, regime="BULL"), limits=limits) == []
    assert codes(replace(BUY, strategy="BULL"), limits=limits) == ["confidence"]


@pytest.mark.parametrize("name", ["BULL", "UNKNOWN", "", "bull", " BULL", "A=B,C"])
def test_a_strategy_and_a_regime_of_one_name_have_thresholds_of_their_own(name: str) -> None:
    limits = Limits(min_confidence_by_strategy={name: 90.0}, min_confidence_by_regime={name: 80.0})
    assert limits.confidence_for(replace(BUY, strategy=name, regime="x")) == 90
    assert limits.confidence_for(replace(BUY, strategy="x", regime=name)) == 80
    assert limits.confidence_for(replace(BUY, strategy=name, regime=name)) == 90
    assert limits.confidence_for(replace(BUY, strategy="x", regime="x")) == 75


DENIED: dict[str, tuple[Intent, Portfolio, Limits, str]] = {
    "a halt": (BUY, replace(ACCOUNT, halt="by hand"), LIMITS, "halt"),
    "too unsure": (replace(BUY, confidence=74.9), ACCOUNT, LIMITS, "confidence"),
    "a restricted symbol": (BUY, ACCOUNT, Limits(restricted=frozenset({"AAPL"})), "symbol"),
    "a symbol not allowed": (BUY, ACCOUNT, Limits(allowed=frozenset({"MSFT"})), "symbol"),
    "another currency": (replace(BUY, currency="JPY"), ACCOUNT, LIMITS, "currency"),
    "an unknown currency": (replace(BUY, currency=""), ACCOUNT, LIMITS, "currency"),
    "an account in euros": (BUY, ACCOUNT, Limits(currencies=frozenset({"EUR"})), "currency"),
    "a contract of fifty": (replace(BUY, unit_value=D(50)), ACCOUNT, LIMITS, "multiplier"),
    "an unknown contract": (replace(BUY, unit_value=None), ACCOUNT, LIMITS, "multiplier"),
    "a closed market": (replace(BUY, market_open=False), ACCOUNT, LIMITS, "session"),
    "an old price": (replace(BUY, price_time=NOW - 61 * SECOND), ACCOUNT, LIMITS, "price"),
    "a price to come": (replace(BUY, price_time=NOW + 61 * SECOND), ACCOUNT, LIMITS, "price"),
    "a price that ran away": (replace(BUY, price=D("101.01")), ACCOUNT, LIMITS, "distance"),
    "an opposite position": (BUY, held(holding("AAPL", Side.SELL)), LIMITS, "opposite"),
    "the same position": (BUY, held(holding("AAPL")), LIMITS, "held"),
    "too large": (replace(BUY, quantity=D(101)), ACCOUNT, LIMITS, "size"),
    "too dear": (BUY, replace(ACCOUNT, buying_power=D("4999.99")), LIMITS, "buying_power"),
    "a bad day": (BUY, replace(ACCOUNT, equity=D(97_000)), LIMITS, "daily_loss"),
}


@pytest.mark.parametrize("name", DENIED)
def test_a_trade_is_denied_for(name: str) -> None:
    intent, portfolio, limits, code = DENIED[name]
    assert codes(intent, portfolio, limits) == [code]


def test_values_exactly_at_their_limit_do_not_deny() -> None:
    assert codes(replace(BUY, confidence=75.0)) == []
    assert codes(replace(BUY, price_time=NOW - 60 * SECOND)) == []
    assert codes(replace(BUY, price=D(101))) == []
    assert codes(replace(BUY, quantity=D(100))) == []
    assert codes(portfolio=replace(ACCOUNT, buying_power=D(5000))) == []
    assert codes(portfolio=replace(ACCOUNT, equity=D("97000.01"))) == []


def test_a_stop_or_target_that_is_reached_already_denies() -> None:
    far = Limits(max_distance=D(50))
    for reached in (D(97), D(96), D(105), D(106)):
        assert "levels" in codes(replace(BUY, price=reached), limits=far)
        assert "levels" in codes(replace(SELL, price=200 - reached), limits=far)


def test_one_position_too_many_is_denied() -> None:
    nine = [holding(f"S{number}", quantity=1) for number in range(9)]
    assert codes(portfolio=held(*nine)) == []
    assert codes(portfolio=held(*nine, holding("T", quantity=1))) == ["positions"]
    more = replace(LIMITS, max_per_symbol=2)  # positions in the same symbol count too
    ten = held(*nine, holding("AAPL", quantity=1))
    assert codes(portfolio=ten, limits=more) == ["positions"]


def test_symbols_of_a_group_count_together() -> None:
    together = replace(LIMITS, groups=[frozenset({"AAPL", "MSFT", "GOOG", "FB"})])
    three = held(holding("MSFT"), holding("GOOG"), holding("FB"))
    assert codes(portfolio=three, limits=together) == ["group"]
    assert (
        codes(portfolio=held(holding("MSFT"), holding("GOOG"), holding("XOM")), limits=together)
        == []
    )
    assert codes(replace(BUY, symbol="XOM"), three, together) == []


def test_holdings_in_the_symbol_count_for_its_size() -> None:
    twice = replace(LIMITS, max_per_symbol=2)
    assert codes(portfolio=held(holding("AAPL", quantity=50)), limits=twice) == []
    assert codes(portfolio=held(holding("AAPL", quantity=51)), limits=twice) == ["size"]


def test_the_order_is_valued_at_the_latest_price_not_at_its_entry() -> None:
    dearer = replace(BUY, price=D("100.90"), quantity=D("99.9"))
    assert codes(dearer) == ["size"]


def test_a_drawdown_is_measured_from_the_peak_open_positions_included() -> None:
    below = replace(ACCOUNT, equity=D(108_000), peak=D(120_000), day_start=D(108_000))
    assert codes(portfolio=below) == ["drawdown"]
    assert codes(portfolio=replace(below, equity=D(108_001), day_start=D(108_001))) == []


def test_a_profit_is_no_drawdown() -> None:
    assert codes(portfolio=replace(ACCOUNT, equity=D(130_000), peak=D(130_000))) == []


def test_too_many_orders_in_a_minute_are_denied() -> None:
    ten = [NOW - number * SECOND for number in range(10)]
    assert codes(portfolio=replace(ACCOUNT, orders=ten)) == ["pace"]
    assert codes(portfolio=replace(ACCOUNT, orders=[*ten[:9], NOW - 60 * SECOND])) == []


def test_after_losses_in_a_row_there_is_a_pause() -> None:
    losses = [NOW - 3599 * SECOND, NOW - 9000 * SECOND, NOW - 9999 * SECOND]
    assert codes(portfolio=replace(ACCOUNT, losses=losses)) == ["cooldown"]
    assert codes(portfolio=replace(ACCOUNT, losses=losses[:2])) == []
    assert codes(portfolio=replace(ACCOUNT, losses=[m - SECOND for m in losses])) == []


def test_a_clock_that_was_moved_back_denies() -> None:
    to_come = NOW + 100 * SECOND
    assert codes(portfolio=replace(ACCOUNT, orders=[to_come] * 10)) == ["pace"]
    assert codes(portfolio=replace(ACCOUNT, losses=[to_come] * 3)) == ["cooldown"]


MISSING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no price": ({"price": None}, {}),
    "no time of the price": ({"price_time": None}, {}),
    "a market whose state is unknown": ({"market_open": None}, {}),
    "a price that is NaN": ({"price": NAN}, {}),
    "an infinite price": ({"price": D("Infinity")}, {}),
    "a quantity that is NaN": ({"quantity": NAN}, {}),
    "no quantity": ({"quantity": D(0)}, {}),
    "an entry that is NaN": ({"entry": NAN}, {}),
    "a stop that is NaN": ({"stop": NAN}, {}),
    "a target that is NaN": ({"target": NAN}, {}),
    "a confidence that is NaN": ({"confidence": float("nan")}, {}),
    "an infinite confidence": ({"confidence": float("inf")}, {}),
    "an equity that is NaN": ({}, {"equity": NAN}),
    "no equity": ({}, {"equity": D(0)}),
    "buying power that is NaN": ({}, {"buying_power": NAN}),
    "a day that began with NaN": ({}, {"day_start": NAN}),
    "a day that began with nothing": ({}, {"day_start": D(0)}),
    "a peak that is NaN": ({}, {"peak": NAN}),
    "a holding whose price is NaN": ({}, {"holdings": [Exposure("AAPL", Side.BUY, D(1), NAN)]}),
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_or_invalid_figures_deny(name: str) -> None:
    of_intent, of_portfolio = MISSING[name]
    twice = replace(LIMITS, max_per_symbol=2)
    assert codes(replace(BUY, **of_intent), replace(ACCOUNT, **of_portfolio), twice)


def test_a_rule_that_raises_denies_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> Denial | None:
        raise ZeroDivisionError("by hand")

    (denial,) = denials(BUY, ACCOUNT, LIMITS, NOW, (*RULES, broken))
    assert denial.code == "rule_failed"
    assert "broken" in denial.text
    assert caplog.records[0].levelno == logging.ERROR


def test_all_reasons_are_reported() -> None:
    worst = replace(BUY, confidence=1.0, market_open=False, price=D(200), quantity=D(1000))
    ruined = replace(
        held(holding("AAPL", Side.SELL)), equity=D(50_000), halt="breach", buying_power=D(0)
    )
    assert codes(worst, ruined) == [
        "halt", "confidence", "session", "distance", "levels", "opposite", "size", "buying_power",
        "daily_loss", "drawdown",
    ]  # fmt: skip


def test_limits_that_are_not_set_deny_nothing() -> None:
    free = Limits(
        max_positions=None, max_per_group=None, max_position=None, max_daily_loss=None,
        max_drawdown=None, orders_a_minute=None,
    )  # fmt: skip
    poor = replace(ACCOUNT, equity=D(10_000), orders=[NOW] * 99)
    assert codes(portfolio=poor, limits=free) == []
