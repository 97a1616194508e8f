"""To close a position at Alpaca, its exits are canceled first, and no more is traded than is
left."""

from decimal import Decimal

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import BrokerError, Close
from execution.types import Side
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.alpaca.builders import failing, opened
from tests.execution.brokers.broker_cases import QUANTITY, SYMBOL, buying, closing, held
from tests.sync.alpine_server import answer


def refused_close(broker: AlpacaBroker) -> BrokerError:
    return failing(lambda broker: broker.submit(closing(buying())), broker)


def test_a_close_waits_until_the_exits_are_canceled(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.exchange.slow_cancels = 3
    broker.submit(closing(buying()))
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {}


def test_a_close_does_not_wait_forever(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.exchange.slow_cancels = 1000
    error = refused_close(broker)
    assert not error.permanent
    assert "POST /orders" not in alpaca.lines
    alpaca.exchange.slow_cancels = 0
    broker.submit(closing(buying()))
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {}


def test_a_close_that_failed_halfway_can_be_repeated(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.instead("POST /orders", answer(503))
    assert not refused_close(broker).permanent
    alpaca.troubles.clear()
    broker.submit(closing(buying()))
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {}


def test_a_close_trades_no_more_than_the_exits_left(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    broker.submit(buying("entry-2"))
    alpaca.exchange.move(SYMBOL, "100")
    alpaca.exchange.fill(alpaca.exchange.orders[1], "4")
    assert broker.submit(closing(buying())).quantity == 6
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {SYMBOL: QUANTITY}


def test_a_close_trades_no_more_than_its_quantity(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    part = Close("close-1", "entry-1", SYMBOL, Side.SELL, Decimal(3))
    assert broker.submit(part).quantity == 3


def test_a_close_trades_no_more_than_is_held(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    opened(alpaca, broker)
    alpaca.exchange.positions[SYMBOL] = (Decimal(7), Decimal(100))
    assert broker.submit(closing(buying())).quantity == 7
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {}


def test_a_close_of_what_alpaca_does_not_hold_places_no_order(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    opened(alpaca, broker)
    alpaca.exchange.positions[SYMBOL] = (Decimal(-10), Decimal(100))
    error = refused_close(broker)
    assert not error.permanent
    assert "POST /orders" not in alpaca.lines


def test_a_close_of_an_entry_that_never_filled_cancels_it(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    broker.submit(buying())
    alpaca.requests.clear()
    assert refused_close(broker).permanent
    assert "POST /orders" not in alpaca.lines
    assert list(broker.open_orders()) == []


def test_closing_a_partly_filled_entry_cancels_its_rest(
    alpaca: Alpaca, broker: AlpacaBroker
) -> None:
    broker.submit(buying())
    alpaca.exchange.prices[SYMBOL] = Decimal(100)
    alpaca.exchange.fill(alpaca.exchange.orders[0], "4")
    assert broker.submit(closing(buying())).quantity == 4
    alpaca.exchange.move(SYMBOL, "100")
    assert held(broker) == {}
    assert list(broker.open_orders()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        Close("c", "never", SYMBOL, Side.SELL, QUANTITY),
        Close("c", "entry-1", SYMBOL, Side.BUY, QUANTITY),
        Close("c", "entry-1", "MSFT", Side.SELL, QUANTITY),
        Close("c", "entry-1", SYMBOL, Side.SELL, Decimal("NaN")),
    ],
    ids=["unknown", "side", "symbol", "quantity"],
)
def test_a_close_that_closes_nothing_cancels_nothing(
    alpaca: Alpaca, broker: AlpacaBroker, wrong: Close
) -> None:
    opened(alpaca, broker)
    assert failing(lambda broker: broker.submit(wrong), broker).permanent
    assert len(broker.open_orders()) == 2
    assert not [line for line in alpaca.lines if not line.startswith("GET")]
