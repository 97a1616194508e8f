"""A bracket at the broker: an entry with a stop and a target; one exit cancels the other."""

from typing import Any

import pytest

from execution.models import PaperOrder
from execution.types import OrderState
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import (
    Trading,
    as_stored,
    codes_of,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_fault_34_a_bracket_has_sides_and_one_exit_cancels_the_other(
    trading: Trading, action: str
) -> None:
    signal = trading.trade(action=action)
    sides = {leg: order.side for leg, order in orders_of(signal).items()}
    other = "SELL" if action == "BUY" else "BUY"
    assert sides == {"entry": action, "stop": other, "target": other}
    trading.move(89.0)
    trading.move(111.0)
    filled, canceled = ("stop", "target") if action == "BUY" else ("target", "stop")
    assert states_of(signal) == {"entry": "filled", filled: "filled", canceled: "canceled"}
    assert list(trading.broker.positions()) == []


def test_fault_36_one_instrument_has_one_name_and_a_fraction_can_be_sold(trading: Trading) -> None:
    trading.market.quotes["BTC-USD"] = Quote(64_321.0, trading.clock())
    levels: dict[str, Any] = {
        "entry_price": 64_321.0,
        "target_price": 70_000.0,
        "stop_price": 60_000.0,
    }
    signal = trading.trade(64_321.0, symbol="BTC-USD", asset_type="crypto", **levels)
    held = position_of(signal)
    assert 0 < held.quantity < 1
    again = trading.log(symbol="BTCUSD", asset_type="crypto", **levels)
    trading.decide()
    assert "held" in codes_of(again)
    trading.move(70_001.0, "BTC-USD")
    held.refresh_from_db()
    assert (held.status, held.closed_quantity) == ("closed", held.quantity)


def test_fault_38_the_stop_is_at_the_broker_and_survives_a_restart(trading: Trading) -> None:
    signal = trading.trade()
    assert PaperOrder.objects.get(leg="stop", state=OrderState.ACCEPTED).level == 95
    again = trading.restarted()
    again.move(94.0)
    assert (position_of(signal).exit_reason, as_stored(signal).outcome) == ("stop", "loss")
