"""Only what is worth its price in the account's currency is traded: no other figure is right."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from execution import factory
from execution.decisions.what_if import Proposal, outlook
from execution.risk.model import Limits
from execution.types import Side
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import Trading, codes_of, decision_of

pytestmark = pytest.mark.django_db
IN_EUROS = Limits(currencies=frozenset({"EUR"}))


def _codes(trading: Trading, symbol: str, asset_type: str) -> set[str]:
    name = trading.context.instrument(symbol, asset_type).symbol
    trading.market.quotes[name] = Quote(100.0, trading.clock())
    signal = trading.log(symbol=symbol, asset_type=asset_type)
    trading.decide()
    return set(codes_of(signal)) & {"currency", "multiplier"}


@pytest.mark.parametrize(
    ("symbol", "asset_type"),
    [
        ("AAPL", "stock"), ("SPY", "etf"), ("EURUSD", "forex"), ("GBP/USD", "unknown"),
        ("XAUUSD", "commodity"), ("BTC", "crypto"), ("ETH/USDT", "crypto"), ("SOLUSDC", "crypto"),
        ("BTCUSDT", "perpetual"), ("NYSE:BRK.B", "stock"),
    ],
)  # fmt: skip
def test_what_is_quoted_in_dollars_is_traded(
    trading: Trading, symbol: str, asset_type: str
) -> None:
    assert _codes(trading, symbol, asset_type) == set()


@pytest.mark.parametrize(
    ("symbol", "asset_type"),
    [
        ("USDJPY", "forex"), ("EUR-GBP", "forex"), ("USD/CHF", "unknown"), ("XAUEUR", "metal"),
        ("ETHBTC", "crypto"), ("BTC/EUR", "crypto"), ("SOLETH", "crypto"), ("BTC/JPY", "perp"),
        ("VOD.L", "stock"), ("SAP.DE", "stock"), ("7203.T", "stock"), ("SHOP.TO", "stock"),
    ],
)  # fmt: skip
def test_what_is_quoted_in_another_currency_is_denied(
    trading: Trading, symbol: str, asset_type: str
) -> None:
    assert _codes(trading, symbol, asset_type) == {"currency"}


@pytest.mark.parametrize(
    ("symbol", "asset_type"),
    [
        ("ES=F", "future"),
        ("MNQZ5", "future"),
        ("CL", "future"),
        ("6E=F", "unknown"),
        ("BTC=F", "future"),
    ],
)
def test_a_future_is_not_valued_as_one_unit_of_its_price(
    trading: Trading, symbol: str, asset_type: str
) -> None:
    assert _codes(trading, symbol, asset_type) == {"multiplier"}


@pytest.mark.parametrize(
    ("symbol", "asset_type"), [("XYZ=F", "future"), ("^SPX", "index"), ("GER40", "index")]
)
def test_what_is_not_known_at_all_is_denied_for_both(
    trading: Trading, symbol: str, asset_type: str
) -> None:
    assert _codes(trading, symbol, asset_type) == {"currency", "multiplier"}


def test_an_account_in_euros_trades_what_is_quoted_in_euros(trading: Trading) -> None:
    euros = trading.changed(limits=IN_EUROS)
    assert _codes(euros, "BTC/EUR", "crypto") == set()
    assert _codes(euros, "SAP.DE", "stock") == set()
    assert _codes(euros, "AAPL", "stock") == {"currency"}


def test_a_denied_trade_leaves_no_order(trading: Trading) -> None:
    trading.market.quotes["USD-JPY"] = Quote(100.0, trading.clock())
    signal = trading.log(symbol="USDJPY", asset_type="forex")
    assert trading.decide().executed == 0
    (reason,) = decision_of(signal).reasons
    assert reason["text"] == "the price of USD-JPY is in JPY; the account is in USD, USDC, USDT"


def test_the_limits_of_a_proposal_show_the_denial(trading: Trading) -> None:
    trading.market.quotes["USD-JPY"] = Quote(100.0, trading.clock())
    proposal = Proposal("USDJPY", Side.BUY, Decimal(100), Decimal(95))
    assert "currency" in {each.code for each in outlook(trading.context, proposal).denials}


def test_the_setting_names_the_currency_and_its_equals(settings: Settings) -> None:
    settings.ACCOUNT_CURRENCY = ["eur", "EURC"]
    assert factory.limits(None).currencies == frozenset({"EUR", "EURC"})
