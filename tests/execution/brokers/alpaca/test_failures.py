"""Failures at Alpaca, and what is known of an order after them."""

from collections.abc import Callable

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import Broker, BrokerError
from execution.types import OrderState
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import CALLS, failing
from tests.execution.brokers.broker_cases import buying, found
from tests.signals.market.alpaca_server import KEY, SECRET, in_json
from tests.sync.alpine_server import Behave, answer, cut_short, reset, silent

EVERY_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
ANYTHING = ""
"""The beginning of every request."""


def refused(status: int, code: int = 0, message: str = "no") -> Behave:
    return in_json({"code": code, "message": message}, status)


def submitting(broker: Broker) -> BrokerError:
    return failing(lambda broker: broker.submit(buying()), broker)


@pytest.fixture
def hasty(alpaca: Alpaca) -> AlpacaBroker:
    """Return a broker that waits only briefly."""
    return AlpacaBroker(KEY, SECRET, alpaca.url, timeout=0.2, clock=lambda: alpaca.exchange.now)


@EVERY_CALL
@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "understand"), (401, "ALPACA_SECRET_KEY"), (403, "buying power")],
)
def test_a_permanent_refusal_says_what_to_do(
    alpaca: Alpaca,
    broker: AlpacaBroker,
    call: Callable[[Broker], object],
    status: int,
    advice: str,
) -> None:
    alpaca.instead(ANYTHING, refused(status, 40310000, "the reason"))
    error = failing(call, broker)
    assert error.permanent
    assert not error.duplicate
    assert "the reason" in str(error)
    assert advice in str(error)
    assert len(alpaca.requests) == 1


@EVERY_CALL
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_temporary_failure_is_not_permanent_and_is_asked_once(
    alpaca: Alpaca, broker: AlpacaBroker, call: Callable[[Broker], object], status: int
) -> None:
    alpaca.instead(ANYTHING, refused(status, status * 100_000, "later"))
    assert not failing(call, broker).permanent
    assert len(alpaca.requests) == 1


UNREADABLE: dict[str, Behave] = {
    "reset": reset,
    "cut": cut_short,
    "html": answer(200, b"<html>"),
    "302": answer(302, b"", Location="http://127.0.0.1:1/"),
    "307": answer(307, b"", Location="/v2/elsewhere"),
}
WRONG_SHAPES: dict[str, Behave] = {
    "empty": answer(200, b""),
    "null": in_json(None),
    "5": in_json(5),
    "{orders}": in_json({"orders": []}),
    "{}": in_json({}),
    "[5]": in_json([5]),
    "[{}]": in_json([{}]),
}


@EVERY_CALL
@pytest.mark.parametrize("behave", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_answer_is_an_error(
    alpaca: Alpaca, broker: AlpacaBroker, call: Callable[[Broker], object], behave: Behave
) -> None:
    alpaca.instead(ANYTHING, behave)
    assert not failing(call, broker).permanent
    assert len(alpaca.requests) <= 2, "a second request may check the first answer"


@pytest.mark.parametrize("call", [CALLS[name] for name in CALLS if name != "cancel"])
@pytest.mark.parametrize("behave", WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_an_answer_of_the_wrong_shape_is_an_error(
    alpaca: Alpaca, broker: AlpacaBroker, call: Callable[[Broker], object], behave: Behave
) -> None:
    alpaca.instead(ANYTHING, behave)
    assert not failing(call, broker).permanent


@EVERY_CALL
def test_a_silent_server_times_out(
    alpaca: Alpaca, hasty: AlpacaBroker, call: Callable[[Broker], object]
) -> None:
    alpaca.instead(ANYTHING, silent)
    error = failing(call, hasty)
    assert not error.permanent
    assert "ALPACA_TRADING_URL" in str(error)


@EVERY_CALL
def test_an_unreachable_server_is_not_permanent(
    port: int, call: Callable[[Broker], object]
) -> None:
    broker = AlpacaBroker(KEY, SECRET, f"http://127.0.0.1:{port}")
    assert not failing(call, broker).permanent


@pytest.mark.parametrize(
    "behave", [silent, reset, answer(504), answer(200, b"<html>")], ids=["-", "reset", "504", "200"]
)
def test_an_order_whose_answer_never_came_is_found_and_not_sent_again(
    alpaca: Alpaca, hasty: AlpacaBroker, behave: Behave
) -> None:
    alpaca.after("POST /orders", behave)
    assert not submitting(hasty).permanent
    assert alpaca.lines == ["POST /orders"]
    order = found(hasty)
    assert (order.state, len(order.legs)) == (OrderState.ACCEPTED, 2)
    alpaca.troubles.clear()
    assert submitting(hasty).duplicate


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    "message", ["client_order_id must be unique", "Client order ID must be unique"]
)
def test_a_used_client_id_is_a_duplicate(
    alpaca: Alpaca, broker: AlpacaBroker, status: int, message: str
) -> None:
    alpaca.instead("POST /orders", refused(status, 40010001, message))
    error = submitting(broker)
    assert error.duplicate
    assert error.permanent


def test_another_error_with_the_same_code_is_no_duplicate(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    alpaca.instead("POST /orders", refused(422, 40010001, "client_order_id must be shorter"))
    error = submitting(broker)
    assert (error.duplicate, error.permanent) == (False, True)


def test_only_alpacas_own_404_means_a_missing_order(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    assert broker.find("never") is None
    for behave in (answer(404, b"404 page not found"), in_json({"detail": "?"}, 404)):
        alpaca.troubles.clear()
        alpaca.instead(ANYTHING, behave)
        for call in ("find", "cancel"):
            assert failing(CALLS[call], broker).permanent


def test_an_error_quotes_no_key_and_stays_short(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    message = f"key {KEY} and {SECRET} are wrong {'x' * 9000}"
    alpaca.instead(ANYTHING, refused(401, 40110000, message))
    error = submitting(broker)
    assert "key *** and *** are wrong" in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("key", ["", "a b", "a\n", "ключ"])
def test_an_invalid_key_is_refused_and_not_quoted(key: str) -> None:
    with pytest.raises(BrokerError, match="ALPACA_SECRET_KEY") as caught:
        AlpacaBroker(KEY, key, "http://127.0.0.1:1")
    assert caught.value.permanent
    assert not key or key not in str(caught.value)


def test_a_bracket_without_its_exits_is_an_error(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying("somebody"))
    row = alpaca.exchange.shown(alpaca.exchange.orders[0], nested=False)
    alpaca.instead("POST /orders", in_json(row | {"client_order_id": "entry-1"}))
    error = submitting(broker)
    assert not error.permanent
    assert "exits" in str(error)


def test_a_bracket_that_is_rejected_at_once_says_so(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying("somebody"))
    row = alpaca.exchange.shown(alpaca.exchange.orders[0], nested=False)
    answer_row = row | {"client_order_id": "entry-1", "status": "rejected"}
    alpaca.instead("POST /orders", in_json(answer_row))
    assert broker.submit(buying()).state is OrderState.REJECTED


def test_final_orders_made_outside_of_argo_do_no_harm(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    broker.submit(buying())
    other = alpaca.exchange.orders[0] | {"id": "other", "qty": None, "notional": "500"}
    alpaca.exchange.orders.append(other | {"status": "filled"})
    assert len(broker.open_orders()) == 3
    alpaca.exchange.orders.append(other | {"id": "open", "client_order_id": "?"})
    orders = broker.open_orders()
    assert (len(orders), [each.row_id for each in orders.unread]) == (3, ["open"])
    assert "qty of open" in orders.unread[0].text


def test_a_refused_cancellation_is_an_error(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    order = broker.submit(buying())
    alpaca.instead("DELETE", refused(422, 42210000, "order is not cancelable"))
    with pytest.raises(BrokerError, match="order is not cancelable"):
        broker.cancel(order.broker_id)
    alpaca.exchange.slow_cancels = 9
    alpaca.exchange.orders[0]["status"] = "pending_cancel"
    broker.cancel(order.broker_id)


@pytest.mark.parametrize("broker_id", ["", "..", "paper-7", "?cancel"])
def test_an_invalid_order_id_cancels_nothing(
    alpaca: Alpaca, broker: AlpacaBroker, broker_id: str
) -> None:
    broker.cancel(broker_id)
    assert alpaca.lines == []
