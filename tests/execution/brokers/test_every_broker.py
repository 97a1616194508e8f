"""What every broker does, on each of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.brokers.protocol import Bracket, BrokerError
from execution.types import Leg, OrderState, Side
from signals.market.instruments import normalised
from tests.execution.brokers.broker_cases import (
    QUANTITY,
    SYMBOL,
    House,
    buying,
    closing,
    found,
    held,
    selling,
    states,
)

SIDES = pytest.mark.parametrize("bracket", [buying(), selling()], ids=["long", "short"])


def opened(house: House, bracket: Bracket) -> None:
    """A bracket whose entry is filled at 100."""
    house.broker.submit(bracket)
    house.move(normalised(bracket.symbol), "100")


def signed(bracket: Bracket) -> Decimal:
    return bracket.quantity if bracket.side is Side.BUY else -bracket.quantity


@SIDES
def test_a_bracket_is_placed_with_its_exits(house: House, bracket: Bracket) -> None:
    order = house.broker.submit(bracket)
    assert order.client_order_id == bracket.client_order_id
    assert (order.leg, order.symbol, order.side) == (Leg.ENTRY, SYMBOL, bracket.side)
    assert (order.quantity, order.state.is_final) == (QUANTITY, False)
    assert {leg.leg for leg in order.legs} == {Leg.STOP, Leg.TARGET}
    assert {(leg.side, leg.quantity) for leg in order.legs} == {(bracket.side.opposite, QUANTITY)}
    ids = {order.broker_id, *(leg.broker_id for leg in order.legs)}
    assert len(ids) == 3


def test_an_order_is_found_as_it_was_placed(house: House) -> None:
    placed = house.broker.submit(buying())
    order = found(house.broker)
    assert order.broker_id == placed.broker_id
    assert {leg.broker_id for leg in order.legs} == {leg.broker_id for leg in placed.legs}


def test_a_client_id_is_taken_once(house: House) -> None:
    placed = house.broker.submit(buying())
    with pytest.raises(BrokerError) as caught:
        house.broker.submit(buying())
    assert caught.value.duplicate
    assert found(house.broker).broker_id == placed.broker_id
    house.move(SYMBOL, "100")
    assert held(house.broker) == {SYMBOL: QUANTITY}


def test_an_order_that_never_was_is_not_found(house: House) -> None:
    house.broker.submit(buying())
    assert house.broker.find("entry-2") is None


@SIDES
def test_an_entry_that_fills_is_a_position(house: House, bracket: Bracket) -> None:
    opened(house, bracket)
    (holding,) = house.broker.positions()
    assert (holding.symbol, holding.quantity) == (SYMBOL, signed(bracket))
    assert abs(holding.average_price - 100) < 1
    assert abs(holding.price - 100) < 1
    order = found(house.broker)
    assert (order.state, order.filled) == (OrderState.FILLED, QUANTITY)
    assert not any(leg.state.is_final for leg in order.legs)


@SIDES
def test_a_fill_is_told_with_an_id_that_stays(house: House, bracket: Bracket) -> None:
    since = house.broker.account().time - timedelta(days=1)
    opened(house, bracket)
    (fill,) = house.broker.fills(since)
    assert (fill.symbol, fill.side, fill.quantity) == (SYMBOL, bracket.side, QUANTITY)
    assert fill.broker_id == found(house.broker).broker_id
    assert abs(fill.price - 100) < 1
    assert fill.fee >= 0
    assert fill.time.utcoffset() == timedelta(0)
    assert list(house.broker.fills(since)) == [fill]


def test_fills_begin_with_the_moment_that_is_asked_for(house: House) -> None:
    since = house.broker.account().time - timedelta(days=1)
    opened(house, buying())
    house.move(SYMBOL, "111")
    first, second = sorted(house.broker.fills(since), key=lambda fill: fill.time)
    assert first.fill_id != second.fill_id
    assert list(house.broker.fills(second.time)) == [second]
    assert list(house.broker.fills(second.time + timedelta(microseconds=1))) == []


@SIDES
@pytest.mark.parametrize("leg", [Leg.TARGET, Leg.STOP])
def test_an_exit_ends_the_position_and_cancels_the_other(
    house: House, bracket: Bracket, leg: Leg
) -> None:
    opened(house, bracket)
    upwards = (leg is Leg.TARGET) == (bracket.side is Side.BUY)
    house.move(SYMBOL, "111" if upwards else "89")
    assert held(house.broker) == {}
    other = Leg.STOP if leg is Leg.TARGET else Leg.TARGET
    assert states(found(house.broker).legs) == {leg: "filled", other: "canceled"}
    house.move(SYMBOL, "89" if upwards else "111")
    assert held(house.broker) == {}
    assert list(house.broker.open_orders()) == []


def test_prices_between_the_exits_end_nothing(house: House) -> None:
    opened(house, buying())
    house.move(SYMBOL, "109")
    house.move(SYMBOL, "91")
    assert held(house.broker) == {SYMBOL: QUANTITY}


def test_an_entry_that_is_canceled_takes_its_exits_along(house: House) -> None:
    order = house.broker.submit(buying())
    house.broker.cancel(order.broker_id)
    order = found(house.broker)
    assert states([order, *order.legs]) == {
        "entry": "canceled",
        "target": "canceled",
        "stop": "canceled",
    }
    house.move(SYMBOL, "100")
    assert held(house.broker) == {}
    assert list(house.broker.open_orders()) == []


def test_canceling_what_is_done_or_was_never_there_is_no_error(house: House) -> None:
    order = house.broker.submit(buying())
    house.broker.cancel(order.broker_id)
    house.broker.cancel(order.broker_id)
    house.broker.cancel("9b6c7c1a-9eb2-4d4a-8a3a-1bf4c1d5cbaa")
    house.broker.cancel("no-such-order")


def test_a_filled_entry_stays_filled_when_it_is_canceled(house: House) -> None:
    opened(house, buying())
    house.broker.cancel(found(house.broker).broker_id)
    assert found(house.broker).state is OrderState.FILLED
    assert held(house.broker) == {SYMBOL: QUANTITY}


@SIDES
def test_a_close_ends_the_position_and_leaves_nothing(house: House, bracket: Bracket) -> None:
    opened(house, bracket)
    order = house.broker.submit(closing(bracket))
    assert (order.leg, order.client_order_id) == (Leg.CLOSE, "close-1")
    assert (order.side, order.quantity) == (bracket.side.opposite, QUANTITY)
    assert states(found(house.broker).legs) == {"stop": "canceled", "target": "canceled"}
    for price in ("100", "89", "111"):
        house.move(SYMBOL, price)
        assert held(house.broker) == {}
    assert found(house.broker, "close-1").state is OrderState.FILLED
    assert list(house.broker.open_orders()) == []


def test_a_close_is_taken_once(house: House) -> None:
    opened(house, buying())
    house.broker.submit(closing(buying()))
    with pytest.raises(BrokerError) as caught:
        house.broker.submit(closing(buying()))
    assert caught.value.duplicate
    house.move(SYMBOL, "100")
    assert held(house.broker) == {}
    with pytest.raises(BrokerError) as caught:
        house.broker.submit(closing(buying()))
    assert caught.value.duplicate, "nothing is left, but that it was placed is what counts"


def test_a_close_of_one_bracket_leaves_another_alone(house: House) -> None:
    opened(house, buying())
    opened(house, buying("entry-2"))
    house.broker.submit(closing(buying()))
    house.move(SYMBOL, "100")
    assert held(house.broker) == {SYMBOL: QUANTITY}
    assert not any(leg.state.is_final for leg in found(house.broker, "entry-2").legs)
    house.move(SYMBOL, "111")
    assert held(house.broker) == {}


def test_a_close_after_an_exit_does_not_open_the_opposite(house: House) -> None:
    opened(house, buying())
    house.move(SYMBOL, "111")
    with pytest.raises(BrokerError) as caught:
        house.broker.submit(closing(buying()))
    assert caught.value.permanent
    house.move(SYMBOL, "100")
    assert held(house.broker) == {}


def test_open_orders_are_those_that_may_be_filled(house: House) -> None:
    assert list(house.broker.open_orders()) == []
    house.broker.submit(buying())
    assert {order.leg for order in house.broker.open_orders()} >= {Leg.ENTRY}
    house.move(SYMBOL, "100")
    exits = house.broker.open_orders()
    assert sorted(order.leg for order in exits) == [Leg.STOP, Leg.TARGET]
    wanted = {leg.broker_id for leg in found(house.broker).legs}
    assert {order.broker_id for order in exits} == wanted


def test_a_symbol_has_one_spelling_in_every_answer(house: House) -> None:
    symbol = normalised(house.spelt)
    assert symbol != house.spelt
    since = house.broker.account().time - timedelta(days=1)
    bracket = buying(symbol=house.spelt)
    assert house.broker.submit(bracket).symbol == symbol
    assert {order.symbol for order in house.broker.open_orders()} == {symbol}
    house.move(symbol, "100")
    assert found(house.broker).symbol == symbol
    assert held(house.broker) == {symbol: QUANTITY}
    assert {fill.symbol for fill in house.broker.fills(since)} == {symbol}
    house.broker.submit(closing(bracket))
    house.move(symbol, "100")
    assert held(house.broker) == {}


def test_the_account_counts_open_positions_in_its_equity_alone(house: House) -> None:
    before = house.broker.account()
    assert before.equity == before.balance == 100_000
    opened(house, buying())
    house.move(SYMBOL, "105")
    account = house.broker.account()
    assert account.equity == pytest.approx(account.balance + 50, abs=10)
    assert account.balance == pytest.approx(100_000, abs=10)
    assert account.time.utcoffset() == timedelta(0)


def test_a_position_that_is_closed_is_in_the_balance(house: House) -> None:
    opened(house, buying())
    house.move(SYMBOL, "111")
    account = house.broker.account()
    assert account.equity == account.balance
    assert 100_090 < account.balance < 100_120


def test_a_short_position_earns_where_the_price_falls(house: House) -> None:
    opened(house, selling())
    house.move(SYMBOL, "95")
    account = house.broker.account()
    assert account.equity > account.balance
    house.move(SYMBOL, "89")
    assert house.broker.account().balance > 100_000


def test_money_is_exact(house: House) -> None:
    account = house.broker.account()
    for amount in (account.equity, account.balance, account.buying_power):
        assert isinstance(amount, Decimal)
        assert amount.is_finite()


def test_a_quantity_has_a_step(house: House) -> None:
    step = house.broker.step(SYMBOL)
    assert step > 0
    assert QUANTITY % step == 0


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "0", "-1"])
def test_no_quantity_is_refused_for_good(house: House, quantity: str) -> None:
    bracket = buying()
    wrong = Bracket(bracket.client_order_id, bracket.symbol, bracket.side, Decimal(quantity),
                    bracket.target, bracket.stop, bracket.reference)  # fmt: skip
    with pytest.raises(BrokerError) as caught:
        house.broker.submit(wrong)
    assert caught.value.permanent
    assert house.broker.find("entry-1") is None
