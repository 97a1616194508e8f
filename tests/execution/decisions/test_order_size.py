"""An order has the size that sizing and the limits allow."""

from decimal import Decimal

import pytest

from execution.risk.sizing import Sizing
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import SYMBOL, WIDE, Trading, codes_of, orders_of

pytestmark = pytest.mark.django_db


def test_the_size_follows_the_sizing_of_the_context(trading: Trading) -> None:
    signal = trading.log()
    trading.changed(sizing=Sizing(percent=Decimal("0.1"))).decide()
    assert orders_of(signal)["entry"].quantity == 20


def test_a_size_below_one_step_is_a_reason_to_skip(trading: Trading) -> None:
    signal = trading.log()
    trading.changed(sizing=Sizing(percent=Decimal("0.001"))).decide()
    assert codes_of(signal)[0] == "too_small"


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_a_trade_risks_at_most_its_percent_at_the_latest_price(
    trading: Trading, action: str
) -> None:
    price = 100.9 if action == "BUY" else 99.1
    trading.market.quotes[SYMBOL] = Quote(price, trading.clock())
    signal = trading.log(action=action)
    trading.decide()
    entry = orders_of(signal)["entry"]
    risk = entry.quantity * abs(Decimal(str(price)) - (95 if action == "BUY" else 105))
    assert 480 < risk <= 500


def test_the_size_counts_what_is_already_held_of_the_symbol(trading: Trading) -> None:
    wide = trading.changed(limits=WIDE, sizing=Sizing(by_risk=False, percent=Decimal(8)))
    wide.trade()
    second = wide.log(confidence=95.0)
    wide.decide()
    assert orders_of(second)["entry"].quantity == 20  # 2% of the equity
