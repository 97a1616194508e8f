"""An invalid value in Alpaca's answer is refused and named."""

from datetime import timedelta

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.alpaca.parse import order_report
from execution.types import Leg
from tests.execution.brokers.alpaca.alpaca_exchange import MORNING
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import CALLS, failing, opened
from tests.execution.brokers.broker_cases import SYMBOL, buying, found
from tests.signals.market.alpaca_server import KEY, SECRET, in_json


def test_an_unknown_status_is_named(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying())
    alpaca.exchange.orders[0]["status"] = "FILLED"
    error = failing(CALLS["find"], broker)
    assert not error.permanent
    assert error.unreadable
    assert "'FILLED'" in str(error)
    (unread,) = broker.open_orders().unread
    assert (unread.row_id, unread.symbol) == (alpaca.exchange.orders[0]["id"], SYMBOL)
    assert "'FILLED'" in unread.text


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


@pytest.mark.parametrize("field", ["qty", "current_price", "avg_entry_price", "side"])
def test_a_position_without_its_figures_hides_no_other(
    alpaca: Alpaca, broker: AlpacaBroker, field: str
) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.position(SYMBOL)
    alpaca.instead("GET /positions", in_json([row | {"symbol": "MSFT", field: None}, row]))
    positions = broker.positions()
    assert [each.symbol for each in positions] == [SYMBOL]
    assert [each.symbol for each in positions.unread] == ["MSFT"]
    assert field in positions.unread[0].text


def test_positions_without_a_symbol_are_refused(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.position(SYMBOL) | {"symbol": None}
    alpaca.instead("GET /positions", in_json([row]))
    assert "symbol" in str(failing(CALLS["positions"], broker))


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
def test_an_invalid_fill_hides_no_other(
    alpaca: Alpaca, broker: AlpacaBroker, wrong: dict[str, str]
) -> None:
    opened(alpaca, broker)
    opened(alpaca, broker, buying("entry-2"))
    alpaca.exchange.activities[0] |= wrong
    fills = broker.fills(MORNING)
    assert [fill.fill_id for fill in fills] == [alpaca.exchange.activities[1]["id"]]
    (unread,) = fills.unread
    assert unread.order_id == alpaca.exchange.orders[0]["id"]
    assert unread.text


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


def test_an_order_that_was_replaced_hundreds_of_times_is_read(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    broker.submit(buying())
    first = alpaca.exchange.orders[2]
    answers = {str(n): first | {"id": str(n), "replaced_by": str(n + 1)} for n in range(2_000)}
    answers["1999"]["replaced_by"] = None
    chain = order_report(answers["0"], answers.__getitem__).chain
    assert [each.broker_id for each in chain] == list(answers)
    assert {each.leg for each in chain} == {Leg.STOP}


def test_an_order_that_was_replaced_for_good_is_asked_for_once(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    opened(alpaca, broker)
    new = alpaca.exchange.replace(alpaca.exchange.orders[2])
    alpaca.exchange.replace(new)
    before = found(broker)
    alpaca.requests.clear()
    assert found(broker) == before
    assert f"GET /orders/{new['id']}" not in alpaca.lines
    new |= {"status": "pending_replace"}
    fresh = AlpacaBroker(KEY, SECRET, alpaca.url)
    for _ in range(2):
        alpaca.requests.clear()
        found(fresh)
        assert f"GET /orders/{new['id']}" in alpaca.lines, "it may still fill"


def test_orders_that_replace_each_other_in_a_circle_are_refused(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    opened(alpaca, broker)
    stop = alpaca.exchange.orders[2]
    new = alpaca.exchange.replace(stop)
    alpaca.exchange.replace(new)
    new["replaced_by"] = stop["id"]
    assert "replaced_by" in str(failing(CALLS["find"], broker))
