"""Restrictions, groups, positions, hours and prices belong to the instrument, not to a spelling."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import Settings

from execution import factory
from execution.models import Fill, Position
from execution.risk.model import Limits
from signals.instruments import instrument
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import (
    Trading,
    codes_of,
    decision_of,
    halt_codes,
    position_of,
    quoted,
)

pytestmark = pytest.mark.django_db
SATURDAY = datetime(2025, 1, 18, 15, tzinfo=UTC)


@pytest.mark.parametrize("spelling", ["AAPL", "NASDAQ:AAPL", "AAPL.US", "AAPL.O", "AAPL:US"])
def test_fault_58_a_restriction_holds_for_every_spelling(trading: Trading, spelling: str) -> None:
    strict = trading.changed(limits=Limits(restricted=frozenset({"AAPL"})))
    signal = strict.log(symbol=spelling)
    strict.decide()
    assert "symbol" in codes_of(signal)


@pytest.mark.parametrize("written", ["NASDAQ:AAPL", "aapl", "AAPL.US"])
def test_the_list_of_restrictions_may_spell_it_in_any_way(written: str, settings: Settings) -> None:
    settings.RISK_RESTRICTED = [written]
    settings.RISK_ALLOWED, settings.RISK_GROUPS = [written], [[written, "BTCUSD"]]
    limits = factory.limits(None)
    assert "AAPL" in limits.restricted
    assert limits.allowed == frozenset({"AAPL"})
    assert limits.groups == [frozenset({"AAPL", "BTC-USD"})]


@pytest.mark.parametrize(
    ("written", "symbol", "asset_type"),
    [("BTC", "BTC", "crypto"), ("BTC", "BTCUSD", ""), ("ES", "/ES", ""), ("AAPL", "AAPL", "perp")],
)
def test_a_restriction_holds_for_everything_that_its_text_may_mean(
    written: str, symbol: str, asset_type: str, settings: Settings
) -> None:
    settings.RISK_RESTRICTED = [written]
    assert instrument(symbol, asset_type).symbol in factory.limits(None).restricted


def test_a_position_is_held_in_every_spelling(trading: Trading) -> None:
    trading.trade()
    again = trading.log(symbol="NASDAQ:AAPL")
    opposite = trading.log(symbol="AAPL.US", action="SELL")
    trading.decide()
    assert "held" in codes_of(again)
    assert "opposite" in codes_of(opposite)


def test_a_group_counts_every_spelling(trading: Trading) -> None:
    groups = [frozenset({"AAPL", "BRK.B"})]
    grouped = trading.changed(limits=Limits(max_per_group=1, groups=groups, max_per_symbol=9))
    quoted(grouped, **{"BRK.B": 100.0}).trade(symbol="BRK-B")
    signal = grouped.log(symbol="NASDAQ:AAPL")
    grouped.decide()
    assert "group" in codes_of(signal)


def test_a_position_that_an_older_version_spelled_otherwise_still_counts(trading: Trading) -> None:
    quoted(trading, **{"BRK.B": 100.0})
    held = trading.trade(symbol="BRK.B")
    Position.objects.filter(pk=held.pk).update(symbol="BRK-B")
    signal = trading.log(symbol="BRK/B")
    trading.decide()
    assert "held" in codes_of(signal)


def test_an_instrument_that_is_not_known_is_not_traded(trading: Trading) -> None:
    real = trading.changed(hours=factory.hours)
    quoted(real, PLUSUSD=100.0)
    signal = real.log(symbol="PLUSUSD", asset_type="unknown")
    real.decide()
    assert "session" in codes_of(signal)


@pytest.mark.parametrize(
    ("symbol", "asset_type", "is_open"),
    [
        ("BNBUSDT", "crypto", True),
        ("NEWCOIN", "crypto", True),
        ("BNBUSDT", "stock", True),
        ("EURUSD", "forex", False),
        ("EUR/USD", "unknown", False),
        ("AAPL", "stock", False),
    ],
)
def test_faults_59_and_60_on_a_saturday_only_coins_are_traded(
    trading: Trading, symbol: str, asset_type: str, is_open: bool
) -> None:
    trading.clock.now = SATURDAY
    real = trading.changed(hours=factory.hours)
    name = real.context.instrument(symbol, asset_type).symbol
    quoted(real, **{name: 100.0})
    signal = real.log(symbol=symbol, asset_type=asset_type)
    real.decide()
    assert (decision_of(signal).status == "executed") is is_open


@pytest.mark.parametrize("price", [1.2e-9, 1.2e-6])
def test_fault_61_a_coin_that_costs_a_billionth_is_traded_at_its_price(
    trading: Trading, price: float
) -> None:
    trading.market.quotes["PEPE-USD"] = Quote(price, trading.clock())
    signal = trading.trade(
        price, symbol="PEPE-USD", asset_type="crypto", entry_price=price,
        target_price=price * 1.1, stop_price=price * 0.95,
    )  # fmt: skip
    held = position_of(signal)
    assert Fill.objects.get().price == Decimal(repr(price))
    assert held.entry_price * held.quantity == pytest.approx(Decimal(10_000), rel=Decimal("0.01"))
    trading.move(price * 1.11, "PEPE-USD")
    assert position_of(signal).exit_reason == "target"
    assert halt_codes() == []


def test_levels_are_rounded_to_the_tick_of_the_instrument(trading: Trading) -> None:
    trading.market.quotes["EUR-USD"] = Quote(1.08, trading.clock())
    held = position_of(
        trading.trade(1.08, symbol="EUR-USD", asset_type="forex", entry_price=1.08,
                      target_price=1.1234567, stop_price=1.0712345)
    )  # fmt: skip
    assert held.symbol == "EUR-USD"
    assert (held.target, held.stop) == (Decimal("1.12346"), Decimal("1.07123"))
    assert held.quantity == int(held.quantity)
