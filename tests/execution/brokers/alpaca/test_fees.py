"""Alpaca passes on the regulators' fees on sales; Argo counts them with each sale."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from execution import factory
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.alpaca.fees import SaleFees
from execution.types import Side
from tests.execution.brokers.alpaca.alpaca_exchange import MORNING
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import opened
from tests.execution.brokers.broker_cases import SYMBOL, selling
from tests.signals.market.alpaca_server import KEY, SECRET

FEES = SaleFees(sec=Decimal("20.6"), taf=Decimal("0.000195"))


@pytest.mark.parametrize(
    ("side", "quantity", "price", "fee"),
    [
        (Side.BUY, 100, 100, "0"),
        (Side.SELL, 100, 100, "0.2255"),  # 10,000 dollars, 100 shares
        (Side.SELL, 100_000, 1, "11.85"),  # FINRA's fee ends at 9.79
        (Side.SELL, Decimal("0.5"), 2, "0.0001181"),
    ],
)
def test_only_a_sale_pays_fees(side: Side, quantity: Decimal, price: Decimal, fee: str) -> None:
    assert FEES.of(side, Decimal(quantity), Decimal(price)) == Decimal(fee)


def test_the_fills_of_sales_carry_their_fee(alpaca: Alpaca) -> None:
    broker = AlpacaBroker(KEY, SECRET, alpaca.url, fees=FEES, clock=lambda: alpaca.exchange.now)
    opened(alpaca, broker)
    opened(alpaca, broker, selling("entry-2"))
    alpaca.exchange.activities[1]["side"] = "sell_short"
    bought, sold = broker.fills(MORNING)
    assert [bought.fee, sold.fee] == [0, Decimal("0.02255")]
    assert sold.symbol == SYMBOL


def test_the_rates_are_settings(settings: Settings) -> None:
    settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY = KEY, SECRET
    settings.ALPACA_SEC_FEE, settings.ALPACA_TAF, settings.ALPACA_TAF_MOST = 8.0, 0.001, 11.61
    broker = factory._alpaca(lambda: MORNING)
    assert isinstance(broker, AlpacaBroker)
    assert broker._fees == SaleFees(Decimal(8), Decimal("0.001"), Decimal("11.61"))
