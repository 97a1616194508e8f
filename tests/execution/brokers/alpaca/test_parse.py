"""An invalid value in Alpaca's answer is refused and named."""

from datetime import timedelta

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import CALLS, failing, opened
from tests.execution.brokers.broker_cases import SYMBOL, buying
from tests.signals.market.alpaca_server import in_json


def test_an_unknown_status_is_named(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying())
    alpaca.exchange.orders[0]["status"] = "FILLED"
    for call in ("find", "open_orders"):
        error = failing(CALLS[call], broker)
        assert not error.permanent
        assert "'FILLED'" in str(error)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-inf", "", "ten", None, True, float("nan")])
@pytest.mark.parametrize("field", ["qty", "filled_qty"])
def test_an_order_with_an_invalid_number_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, field: str, value: object
) -> None:
    broker.submit(buying())
    alpaca.exchange.orders[0][field] = value
    row = alpaca.exchange.shown(alpaca.exchange.orders[0], nested=True)
    alpaca.instead("GET /orders", in_json(row))
    error = failing(CALLS["find"], broker)
    assert not error.permanent
    assert field in str(error)


@pytest.mark.parametrize("filled", ["11", "-1"])
def test_a_filled_quantity_above_the_order_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, filled: str
) -> None:
    broker.submit(buying())
    alpaca.exchange.orders[0]["filled_qty"] = filled
    assert "filled_qty" in str(failing(CALLS["find"], broker))


@pytest.mark.parametrize("value", ["NaN", "inf", None, float("inf")])
@pytest.mark.parametrize("field", ["equity", "buying_power"])
def test_an_account_with_an_invalid_number_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, field: str, value: object
) -> None:
    alpaca.instead("GET /account", in_json(alpaca.exchange.account() | {field: value}))
    assert field in str(failing(CALLS["account"], broker))


@pytest.mark.parametrize("field", ["qty", "current_price", "avg_entry_price", "side", "symbol"])
def test_a_position_without_its_figures_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, field: str
) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.position(SYMBOL) | {field: None}
    alpaca.instead("GET /positions", in_json([row]))
    assert field in str(failing(CALLS["positions"], broker))


def test_no_balance_without_the_unrealised_profit(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.position(SYMBOL) | {"unrealized_pl": None}
    alpaca.instead("GET /positions", in_json([row]))
    assert "unrealized_pl" in str(failing(CALLS["account"], broker))


@pytest.mark.parametrize(
    "wrong",
    [
        {"qty": "NaN"},
        {"qty": "0"},
        {"price": "-1"},
        {"side": "hold"},
        {"transaction_time": "2024-01-05T15:00:09"},
        {"transaction_time": "soon"},
        {"id": ""},
    ],
    ids=str,
)
def test_an_invalid_fill_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, wrong: dict[str, str]
) -> None:
    opened(alpaca, broker)
    alpaca.exchange.activities[0] |= wrong
    assert not failing(CALLS["fills"], broker).permanent


def test_an_order_with_another_id_is_refused(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying("somebody"))
    row = alpaca.exchange.shown(alpaca.exchange.orders[0], nested=True)
    alpaca.instead("POST /orders", in_json(row))
    alpaca.instead("GET /orders", in_json(row))
    assert not failing(lambda broker: broker.submit(buying()), broker).permanent
    assert not failing(CALLS["find"], broker).permanent


def test_earlier_fills_are_not_read(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.exchange.activities[0]["qty"] = "NaN"
    assert list(broker.fills(alpaca.exchange.now + timedelta(hours=1))) == []
