"""The requests to Alpaca's trading service, over a real connection."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from execution.brokers.alpaca import broker as module
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.alpaca.parse import STATES
from execution.brokers.protocol import Bracket, BrokerError
from execution.types import Leg, OrderState, Side
from tests.execution.brokers.alpaca.alpaca_exchange import MORNING
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import opened
from tests.execution.brokers.broker_cases import (
    QUANTITY,
    SYMBOL,
    buying,
    closing,
    found,
    held,
    selling,
)
from tests.signals.market.alpaca_server import KEY, SECRET, in_json

A_DAY = timedelta(days=1)


def test_a_bracket_is_sent_as_documented(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying())
    assert alpaca.lines == ["POST /orders"]
    assert alpaca.requests[0].body == {
        "symbol": "AAPL",
        "qty": "10",
        "side": "buy",
        "type": "market",
        "time_in_force": "gtc",
        "order_class": "bracket",
        "take_profit": {"limit_price": "110"},
        "stop_loss": {"stop_price": "90"},
        "client_order_id": "entry-1",
    }


def test_prices_and_quantities_are_sent_exactly(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    target, stop = Decimal("187.120000000000000001"), Decimal("0.1")
    bracket = Bracket("a", SYMBOL, Side.BUY, Decimal("1E+2"), target, stop, Decimal(100))
    broker.submit(bracket)
    body = alpaca.requests[0].body
    assert body["qty"] == "100"
    assert body["take_profit"] == {"limit_price": "187.120000000000000001"}
    assert body["stop_loss"] == {"stop_price": "0.1"}


def test_a_close_is_sent_as_documented(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    broker.submit(closing(buying()))
    assert alpaca.lines[-1] == "POST /orders"
    assert alpaca.requests[-1].body == {
        "symbol": "AAPL",
        "qty": "10",
        "side": "sell",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": "close-1",
    }


def test_the_keys_are_sent_as_headers_and_nowhere_else(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    opened(alpaca, broker)
    broker.account()
    broker.open_orders()
    for asked in alpaca.requests:
        assert asked.headers["APCA-API-KEY-ID"] == KEY
        assert asked.headers["APCA-API-SECRET-KEY"] == SECRET
        assert not {KEY, SECRET} & set(asked.parameters.values())


@pytest.mark.parametrize("end", ["", "/", "/v2", "/v2/"])
def test_an_address_may_end_as_in_alpacas_documentation(alpaca: Alpaca, end: str) -> None:
    broker = AlpacaBroker(KEY, SECRET, alpaca.url + end)
    assert broker.account().equity == 100_000
    assert alpaca.lines == ["GET /account", "GET /positions"]


def test_every_status_of_alpaca_is_known() -> None:
    documented = {
        "new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced",
        "pending_cancel", "pending_replace", "pending_review", "accepted", "pending_new",
        "accepted_for_bidding", "stopped", "rejected", "suspended", "calculated", "held",
    }  # fmt: skip
    assert set(STATES) == documented
    final = {status for status, state in STATES.items() if state.is_final}
    assert final == {"filled", "canceled", "replaced", "expired", "rejected"}


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("new", "0", OrderState.ACCEPTED),
        ("pending_cancel", "4", OrderState.PARTIALLY_FILLED),
        ("partially_filled", "4", OrderState.PARTIALLY_FILLED),
        ("filled", "10", OrderState.FILLED),
        ("canceled", "4", OrderState.CANCELED),
        ("expired", "0", OrderState.EXPIRED),
        ("rejected", "0", OrderState.REJECTED),
    ],
)
def test_a_status_becomes_an_order_state(
    alpaca: Alpaca, broker: AlpacaBroker, status: str, filled: str, state: OrderState
) -> None:
    alpaca.exchange.slow_cancels = 9
    broker.submit(buying())
    alpaca.exchange.orders[0] |= {"status": status, "filled_qty": filled}
    order = found(broker)
    assert (order.state, order.filled) == (state, Decimal(filled))


def test_a_status_without_a_state_of_its_own_is_the_reason(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    broker.submit(buying())
    alpaca.exchange.orders[0]["status"] = "suspended"
    assert found(broker).reason == "suspended"
    assert {leg.reason for leg in found(broker).legs} == {"held"}


def test_the_exits_are_found_by_the_orders_own_id(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    report = broker.submit(buying())
    alpaca.requests.clear()
    assert len(found(broker).legs) == 2
    assert alpaca.lines == ["GET /orders:by_client_order_id", f"GET /orders/{report.broker_id}"]
    assert alpaca.requests[-1].parameters == {"nested": "true"}


def test_a_stop_that_is_held_is_open(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    legs = {order.leg: order for order in broker.open_orders()}
    assert legs[Leg.STOP].reason == "held", "Alpaca leaves it out of its open orders"
    alpaca.exchange.now += timedelta(days=89)
    assert {order.leg for order in broker.open_orders()} == {Leg.STOP, Leg.TARGET}
    alpaca.exchange.now += timedelta(days=200)
    assert {order.leg for order in broker.open_orders()} == {Leg.TARGET}, (
        "only possible if Alpaca breaks its own rules"
    )


@pytest.mark.parametrize("counts_legs", [True, False])
def test_orders_come_in_pages(
    alpaca: Alpaca, broker: AlpacaBroker, monkeypatch: pytest.MonkeyPatch, counts_legs: bool
) -> None:
    alpaca.exchange.counts_legs = counts_legs
    monkeypatch.setattr(module, "ORDERS_A_PAGE", 6)
    for number in range(5):
        broker.submit(buying(f"entry-{number}"))
    orders = broker.open_orders()
    entries = [order.client_order_id for order in orders if order.leg is Leg.ENTRY]
    assert sorted(entries) == [f"entry-{number}" for number in range(5)]
    assert len({order.broker_id for order in orders}) == len(orders) == 15


def test_fills_come_in_pages(
    alpaca: Alpaca, broker: AlpacaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILLS_A_PAGE", 2)
    for number in range(5):
        opened(alpaca, broker, buying(f"entry-{number}"))
    fills = broker.fills(MORNING)
    assert [fill.fill_id for fill in fills] == [row["id"] for row in alpaca.exchange.activities]
    assert alpaca.lines == ["GET /account/activities/FILL"] * 3


def test_a_page_that_repeats_is_refused(
    alpaca: Alpaca, broker: AlpacaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILLS_A_PAGE", 1)
    opened(alpaca, broker)
    alpaca.instead("GET /account/activities", in_json(alpaca.exchange.activities))
    with pytest.raises(BrokerError, match="again and again"):
        broker.fills(MORNING)


def test_each_partial_fill_is_a_fill(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying())
    alpaca.exchange.prices[SYMBOL] = Decimal("100.0001")
    entry = alpaca.exchange.orders[0]
    alpaca.exchange.fill(entry, "4")
    assert found(broker).state is OrderState.PARTIALLY_FILLED
    alpaca.exchange.fill(entry)
    first, second = broker.fills(MORNING)
    assert [first.quantity, second.quantity] == [4, 6]
    assert first.price == Decimal("100.0001")
    assert first.broker_id == second.broker_id == entry["id"]
    assert first.fill_id != second.fill_id


def test_a_short_sale_is_a_sale(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker, selling())
    alpaca.exchange.activities[0]["side"] = "sell_short"
    assert [fill.side for fill in broker.fills(MORNING)] == [Side.SELL]


def test_a_time_in_another_zone_becomes_utc(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.activities[0]
    time = datetime.fromisoformat(row["transaction_time"])
    row["transaction_time"] = "2024-01-05T10:00:09.123456789-05:00"
    (fill,) = broker.fills(time - A_DAY)
    assert fill.time == datetime(2024, 1, 5, 15, 0, 9, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [("BTCUSD", "BTC-USD"), ("BTC/USD", "BTC-USD"), ("WIFUSD", "WIF-USD"), ("USDTUSD", "USDT-USD")],
)
def test_crypto_positions_have_argos_spelling(
    alpaca: Alpaca, broker: AlpacaBroker, spelling: str, symbol: str
) -> None:
    opened(alpaca, broker)
    row = alpaca.exchange.position(SYMBOL) | {
        "symbol": spelling,
        "asset_class": "crypto",
        "qty": "0.123456789",
    }
    alpaca.instead("GET /positions", in_json([row]))
    (holding,) = broker.positions()
    assert (holding.symbol, holding.quantity) == (symbol, Decimal("0.123456789"))


def test_a_stock_is_never_taken_for_a_pair(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.instead(
        "GET /positions", in_json([alpaca.exchange.position(SYMBOL) | {"symbol": "AUSD"}])
    )
    assert held(broker) == {"AUSD": QUANTITY}


def test_a_short_position_is_negative_with_either_sign(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    opened(alpaca, broker, selling())
    row = alpaca.exchange.position(SYMBOL)
    assert (row["qty"], row["side"]) == ("-10", "short")
    for quantity in ("-10", "10"):
        alpaca.troubles.clear()
        alpaca.instead("GET /positions", in_json([row | {"qty": quantity}]))
        assert held(broker) == {SYMBOL: -QUANTITY}


def test_shares_are_whole_and_crypto_is_not(broker: AlpacaBroker) -> None:
    assert broker.step("AAPL") == 1
    assert broker.step("BTC-USD") == Decimal("0.000000001")


@pytest.mark.parametrize("symbol", ["BTC-USD", "BTCUSD"])
def test_a_bracket_of_crypto_is_refused_before_any_request(
    alpaca: Alpaca, broker: AlpacaBroker, symbol: str
) -> None:
    with pytest.raises(BrokerError, match="no brackets of crypto") as caught:
        broker.submit(buying(symbol=symbol))
    assert caught.value.permanent
    assert alpaca.lines == []


def test_a_bracket_of_fractions_is_refused_before_any_request(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    bracket = Bracket("a", SYMBOL, Side.BUY, Decimal("1.5"), Decimal(2), Decimal(1), Decimal(1))
    with pytest.raises(BrokerError, match="whole shares") as caught:
        broker.submit(bracket)
    assert caught.value.permanent
    assert alpaca.lines == []


@pytest.mark.parametrize(("target", "stop"), [("NaN", "90"), ("110", "Infinity")])
def test_a_bracket_with_invalid_prices_is_refused_before_any_request(
    alpaca: Alpaca, broker: AlpacaBroker, target: str, stop: str
) -> None:
    prices = Decimal(target), Decimal(stop), Decimal(100)
    with pytest.raises(BrokerError, match="is not valid") as caught:
        broker.submit(Bracket("a", SYMBOL, Side.BUY, QUANTITY, *prices))
    assert caught.value.permanent
    assert alpaca.lines == []
