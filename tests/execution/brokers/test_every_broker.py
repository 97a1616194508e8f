"""The contract of every broker, run on each of them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.brokers.protocol import Bracket, BrokerError, MoveKind, unread
from execution.types import Leg, OrderState, Side
from signals.instruments import name_of
from tests.execution.brokers.broker_cases import (
    QUANTITY,
    SYMBOL,
    BrokerCase,
    buying,
    closing,
    found,
    held,
    outside_of,
    protecting,
    selling,
    states,
    stop_of,
)

SIDES = pytest.mark.parametrize("bracket", [buying(), selling()], ids=["long", "short"])


def opened(broker_case: BrokerCase, bracket: Bracket) -> None:
    """Submit a bracket and fill its entry at 100."""
    broker_case.broker.submit(bracket)
    broker_case.move(name_of(bracket.symbol), "100")


def signed(bracket: Bracket) -> Decimal:
    return bracket.quantity if bracket.side is Side.BUY else -bracket.quantity


@SIDES
def test_a_bracket_is_placed_with_its_exits(broker_case: BrokerCase, bracket: Bracket) -> None:
    order = broker_case.broker.submit(bracket)
    assert order.client_order_id == bracket.client_order_id
    assert (order.leg, order.symbol, order.side) == (Leg.ENTRY, SYMBOL, bracket.side)
    assert (order.quantity, order.state.is_final) == (QUANTITY, False)
    assert {leg.leg for leg in order.legs} == {Leg.STOP, Leg.TARGET}
    assert {(leg.side, leg.quantity) for leg in order.legs} == {(bracket.side.opposite, QUANTITY)}
    ids = {order.broker_id, *(leg.broker_id for leg in order.legs)}
    assert len(ids) == 3


def test_an_order_is_found_as_it_was_placed(broker_case: BrokerCase) -> None:
    report = broker_case.broker.submit(buying())
    order = found(broker_case.broker)
    assert order.broker_id == report.broker_id
    assert {leg.broker_id for leg in order.legs} == {leg.broker_id for leg in report.legs}


def test_a_client_id_can_be_used_only_once(broker_case: BrokerCase) -> None:
    report = broker_case.broker.submit(buying())
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(buying())
    assert caught.value.duplicate
    assert found(broker_case.broker).broker_id == report.broker_id
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {SYMBOL: QUANTITY}


def test_an_unknown_order_is_not_found(broker_case: BrokerCase) -> None:
    broker_case.broker.submit(buying())
    assert broker_case.broker.find("entry-2") is None


@SIDES
def test_a_filled_entry_is_a_position(broker_case: BrokerCase, bracket: Bracket) -> None:
    opened(broker_case, bracket)
    (holding,) = broker_case.broker.positions()
    assert (holding.symbol, holding.quantity) == (SYMBOL, signed(bracket))
    assert abs(holding.average_price - 100) < 1
    assert abs(holding.price - 100) < 1
    order = found(broker_case.broker)
    assert (order.state, order.filled) == (OrderState.FILLED, QUANTITY)
    assert not any(leg.state.is_final for leg in order.legs)


@SIDES
def test_a_fill_keeps_its_id(broker_case: BrokerCase, bracket: Bracket) -> None:
    since = broker_case.broker.account().time - timedelta(days=1)
    opened(broker_case, bracket)
    (fill,) = broker_case.broker.fills(since)
    assert (fill.symbol, fill.side, fill.quantity) == (SYMBOL, bracket.side, QUANTITY)
    assert fill.broker_id == found(broker_case.broker).broker_id
    assert abs(fill.price - 100) < 1
    assert fill.fee >= 0
    assert fill.time.utcoffset() == timedelta(0)
    assert list(broker_case.broker.fills(since)) == [fill]


def test_fills_begin_at_the_given_moment(broker_case: BrokerCase) -> None:
    since = broker_case.broker.account().time - timedelta(days=1)
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "111")
    first, second = sorted(broker_case.broker.fills(since), key=lambda fill: fill.time)
    assert first.fill_id != second.fill_id
    assert list(broker_case.broker.fills(second.time)) == [second]
    assert list(broker_case.broker.fills(second.time + timedelta(microseconds=1))) == []


@SIDES
@pytest.mark.parametrize("leg", [Leg.TARGET, Leg.STOP])
def test_an_exit_ends_the_position_and_cancels_the_other(
    broker_case: BrokerCase, bracket: Bracket, leg: Leg
) -> None:
    opened(broker_case, bracket)
    upwards = (leg is Leg.TARGET) == (bracket.side is Side.BUY)
    broker_case.move(SYMBOL, "111" if upwards else "89")
    assert held(broker_case.broker) == {}
    other = Leg.STOP if leg is Leg.TARGET else Leg.TARGET
    assert states(found(broker_case.broker).legs) == {leg: "filled", other: "canceled"}
    broker_case.move(SYMBOL, "89" if upwards else "111")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


def test_prices_between_the_exits_close_nothing(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "109")
    broker_case.move(SYMBOL, "91")
    assert held(broker_case.broker) == {SYMBOL: QUANTITY}


def test_canceling_an_entry_cancels_its_exits(broker_case: BrokerCase) -> None:
    order = broker_case.broker.submit(buying())
    broker_case.broker.cancel(order.broker_id)
    order = found(broker_case.broker)
    assert states([order, *order.legs]) == {
        "entry": "canceled",
        "target": "canceled",
        "stop": "canceled",
    }
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


def test_canceling_a_final_or_unknown_order_is_no_error(broker_case: BrokerCase) -> None:
    order = broker_case.broker.submit(buying())
    broker_case.broker.cancel(order.broker_id)
    broker_case.broker.cancel(order.broker_id)
    broker_case.broker.cancel("9b6c7c1a-9eb2-4d4a-8a3a-1bf4c1d5cbaa")
    broker_case.broker.cancel("no-such-order")


def test_a_filled_entry_stays_filled_when_it_is_canceled(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.broker.cancel(found(broker_case.broker).broker_id)
    assert found(broker_case.broker).state is OrderState.FILLED
    assert held(broker_case.broker) == {SYMBOL: QUANTITY}


@SIDES
def test_a_close_ends_the_position_and_leaves_nothing(
    broker_case: BrokerCase, bracket: Bracket
) -> None:
    opened(broker_case, bracket)
    order = broker_case.broker.submit(closing(bracket))
    assert (order.leg, order.client_order_id) == (Leg.CLOSE, "close-1")
    assert (order.side, order.quantity) == (bracket.side.opposite, QUANTITY)
    assert states(found(broker_case.broker).legs) == {"stop": "canceled", "target": "canceled"}
    for price in ("100", "89", "111"):
        broker_case.move(SYMBOL, price)
        assert held(broker_case.broker) == {}
    assert found(broker_case.broker, "close-1").state is OrderState.FILLED
    assert list(broker_case.broker.open_orders()) == []


def test_a_position_can_be_closed_only_once(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.broker.submit(closing(buying()))
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(closing(buying()))
    assert caught.value.duplicate
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {}
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(closing(buying()))
    assert caught.value.duplicate, "it was report before, even if nothing is left to close"


def test_closing_one_bracket_does_not_change_another(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    opened(broker_case, buying("entry-2"))
    broker_case.broker.submit(closing(buying()))
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {SYMBOL: QUANTITY}
    assert not any(leg.state.is_final for leg in found(broker_case.broker, "entry-2").legs)
    broker_case.move(SYMBOL, "111")
    assert held(broker_case.broker) == {}


def test_a_close_after_an_exit_does_not_open_the_opposite(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "111")
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(closing(buying()))
    assert caught.value.permanent
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {}


def test_open_orders_are_those_that_may_fill(broker_case: BrokerCase) -> None:
    assert list(broker_case.broker.open_orders()) == []
    broker_case.broker.submit(buying())
    assert {order.leg for order in broker_case.broker.open_orders()} >= {Leg.ENTRY}
    broker_case.move(SYMBOL, "100")
    exits = broker_case.broker.open_orders()
    assert sorted(order.leg for order in exits) == [Leg.STOP, Leg.TARGET]
    wanted = {leg.broker_id for leg in found(broker_case.broker).legs}
    assert {order.broker_id for order in exits} == wanted


def test_a_symbol_has_one_spelling_in_every_answer(broker_case: BrokerCase) -> None:
    symbol = name_of(broker_case.other_spelling)
    assert symbol != broker_case.other_spelling
    since = broker_case.broker.account().time - timedelta(days=1)
    bracket = buying(symbol=broker_case.other_spelling)
    assert broker_case.broker.submit(bracket).symbol == symbol
    assert {order.symbol for order in broker_case.broker.open_orders()} == {symbol}
    broker_case.move(symbol, "100")
    assert found(broker_case.broker).symbol == symbol
    assert held(broker_case.broker) == {symbol: QUANTITY}
    assert {fill.symbol for fill in broker_case.broker.fills(since)} == {symbol}
    broker_case.broker.submit(closing(bracket))
    broker_case.move(symbol, "100")
    assert held(broker_case.broker) == {}


def test_open_positions_count_in_the_equity_but_not_in_the_balance(broker_case: BrokerCase) -> None:
    before = broker_case.broker.account()
    assert before.equity == before.balance == 100_000
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "105")
    account = broker_case.broker.account()
    assert account.equity == pytest.approx(account.balance + 50, abs=10)
    assert account.balance == pytest.approx(100_000, abs=10)
    assert account.time.utcoffset() == timedelta(0)


def test_a_closed_position_counts_in_the_balance(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "111")
    account = broker_case.broker.account()
    assert account.equity == account.balance
    assert 100_090 < account.balance < 100_120


def test_a_short_position_earns_when_the_price_falls(broker_case: BrokerCase) -> None:
    opened(broker_case, selling())
    broker_case.move(SYMBOL, "95")
    account = broker_case.broker.account()
    assert account.equity > account.balance
    broker_case.move(SYMBOL, "89")
    assert broker_case.broker.account().balance > 100_000


def test_money_is_exact(broker_case: BrokerCase) -> None:
    account = broker_case.broker.account()
    for amount in (account.equity, account.balance, account.buying_power):
        assert isinstance(amount, Decimal)
        assert amount.is_finite()


def test_a_quantity_has_a_step(broker_case: BrokerCase) -> None:
    step = broker_case.broker.step(SYMBOL)
    assert step > 0
    assert QUANTITY % step == 0


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "0", "-1"])
def test_an_invalid_quantity_is_refused_permanently(broker_case: BrokerCase, quantity: str) -> None:
    bracket = buying()
    wrong = Bracket(bracket.client_order_id, bracket.symbol, bracket.side, Decimal(quantity),
                    bracket.target, bracket.stop, bracket.reference)  # fmt: skip
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(wrong)
    assert caught.value.permanent
    assert broker_case.broker.find("entry-1") is None


def unprotected(broker_case: BrokerCase, bracket: Bracket) -> None:
    """Open a position, and let somebody cancel its stop."""
    opened(broker_case, bracket)
    broker_case.broker.cancel(stop_of(broker_case.broker).broker_id)


@pytest.mark.parametrize(
    ("bracket", "level", "beyond"), [(buying(), 95, "94"), (selling(), 105, "106")]
)
def test_a_stop_that_is_put_back_ends_the_position(
    broker_case: BrokerCase, bracket: Bracket, level: int, beyond: str
) -> None:
    unprotected(broker_case, bracket)
    order = broker_case.broker.submit(protecting(bracket, level=level))
    assert (order.leg, order.client_order_id) == (Leg.STOP, "stop-2")
    assert (order.side, order.quantity) == (bracket.side.opposite, QUANTITY)
    assert order.level == level
    assert order.broker_id in {each.broker_id for each in broker_case.broker.open_orders()}
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {SYMBOL: signed(bracket)}
    broker_case.move(SYMBOL, beyond)
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []
    assert found(broker_case.broker, "stop-2").filled == QUANTITY


def test_a_stop_is_put_back_only_once_under_one_id(broker_case: BrokerCase) -> None:
    unprotected(broker_case, buying())
    broker_case.broker.submit(protecting(buying()))
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(protecting(buying()))
    assert caught.value.duplicate


def test_no_stop_is_put_back_for_more_than_is_held(broker_case: BrokerCase) -> None:
    unprotected(broker_case, buying())
    order = broker_case.broker.submit(replace(protecting(buying()), quantity=Decimal(50)))
    assert order.quantity == QUANTITY


def test_no_stop_is_put_back_for_what_is_closed(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    broker_case.move(SYMBOL, "111")
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(protecting(buying()))
    assert caught.value.permanent
    broker_case.move(SYMBOL, "80")
    assert held(broker_case.broker) == {}


def test_a_close_cancels_the_stop_that_was_put_back(broker_case: BrokerCase) -> None:
    unprotected(broker_case, buying())
    stop = broker_case.broker.submit(protecting(buying()))
    broker_case.broker.submit(replace(closing(buying()), exits=(stop.broker_id,)))
    for price in ("100", "94", "80"):
        broker_case.move(SYMBOL, price)
        assert held(broker_case.broker) == {}
    assert found(broker_case.broker, "stop-2").state is OrderState.CANCELED


@pytest.mark.parametrize("kind", ["order_for_dollars", "order_several"])
def test_an_order_of_another_kind_hides_no_other(broker_case: BrokerCase, kind: str) -> None:
    opened(broker_case, buying())
    getattr(outside_of(broker_case), kind)()
    orders = broker_case.broker.open_orders()
    assert sorted(order.leg for order in orders) == [Leg.STOP, Leg.TARGET]
    assert unread(orders)
    assert all(each.row_id and each.text for each in unread(orders))
    assert found(broker_case.broker).state is OrderState.FILLED


def test_a_stop_that_was_moved_is_followed(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    before = stop_of(broker_case.broker)
    for level in ("92", "94"):
        outside_of(broker_case).move_stop("entry-1", level)
    stops = [leg for leg in found(broker_case.broker).exits if leg.leg is Leg.STOP]
    assert [(each.level, each.state.is_final) for each in stops] == [
        (Decimal(90), True), (Decimal(92), True), (Decimal(94), False),
    ]  # fmt: skip
    assert stops[0].broker_id == before.broker_id
    broker_case.move(SYMBOL, "93")
    assert held(broker_case.broker) == {}
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(closing(buying()))
    assert caught.value.permanent, "the stop that was moved has sold the shares"


def test_a_close_cancels_a_stop_that_was_moved(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    outside_of(broker_case).move_stop("entry-1", "95")
    broker_case.broker.submit(closing(buying()))
    for price in ("100", "94"):
        broker_case.move(SYMBOL, price)
        assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


@pytest.mark.parametrize("status", [403, 422, 500, 503])
def test_after_a_failed_close_the_position_can_be_protected_and_closed(
    broker_case: BrokerCase, status: int
) -> None:
    opened(broker_case, buying())
    outside = outside_of(broker_case)
    outside.refuse_closes(status)
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(closing(buying()))
    assert caught.value.permanent == (status < 500)
    assert broker_case.broker.find("close-1") is None
    stop = broker_case.broker.submit(protecting(buying()))
    outside.refuse_closes(0)
    broker_case.broker.submit(replace(closing(buying()), exits=(stop.broker_id,)))
    broker_case.move(SYMBOL, "80")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


def test_an_order_that_was_refused_and_placed_is_found(broker_case: BrokerCase) -> None:
    outside_of(broker_case).refuse_what_it_places()
    with pytest.raises(BrokerError):
        broker_case.broker.submit(buying())
    assert {leg.leg for leg in found(broker_case.broker).legs} == {Leg.STOP, Leg.TARGET}


@SIDES
@pytest.mark.parametrize(("new", "old"), [(10, 1), (3, 2), (1, 5)])
def test_a_split_changes_the_quantity_and_not_the_money(
    broker_case: BrokerCase, bracket: Bracket, new: int, old: int
) -> None:
    opened(broker_case, bracket)
    before = broker_case.broker.account().equity
    broker_case.split(SYMBOL, new, old)
    (held_now,) = broker_case.broker.positions()
    assert held_now.quantity == signed(bracket) * new / old
    assert held_now.average_price * abs(held_now.quantity) == pytest.approx(Decimal(1000), abs=1)
    assert broker_case.broker.account().equity == pytest.approx(before, abs=1)


@SIDES
def test_the_exits_follow_a_split(broker_case: BrokerCase, bracket: Bracket) -> None:
    opened(broker_case, bracket)
    broker_case.split(SYMBOL, 10, 1)
    exits = {each.leg: each for each in found(broker_case.broker).exits if not each.state.is_final}
    assert {each.quantity for each in exits.values()} == {Decimal(100)}
    assert exits[Leg.STOP].level == bracket.stop / 10
    assert exits[Leg.TARGET].level == bracket.target / 10


@SIDES
@pytest.mark.parametrize(("new", "old"), [(10, 1), (1, 5)])
def test_all_that_is_held_after_a_split_can_be_closed(
    broker_case: BrokerCase, bracket: Bracket, new: int, old: int
) -> None:
    opened(broker_case, bracket)
    broker_case.split(SYMBOL, new, old)
    quantity = bracket.quantity * new / old
    close = replace(closing(bracket), quantity=quantity, is_carried=True)
    assert broker_case.broker.submit(close).quantity == quantity
    broker_case.move(SYMBOL, str(100 * old / new))
    assert held(broker_case.broker) == {}


@SIDES
def test_a_dividend_is_income_and_no_transfer(broker_case: BrokerCase, bracket: Bracket) -> None:
    opened(broker_case, bracket)
    since = broker_case.broker.account().time
    broker_case.pay_dividend(SYMBOL, "0.5")
    (move,) = broker_case.broker.moves(since)
    assert (move.kind, move.amount) == (MoveKind.INCOME, signed(bracket) / 2)
    assert broker_case.broker.account().equity == pytest.approx(Decimal(100_000), abs=1)


@SIDES
def test_a_renamed_symbol_is_held_and_closed_under_its_new_name(
    broker_case: BrokerCase, bracket: Bracket
) -> None:
    opened(broker_case, bracket)
    broker_case.rename(SYMBOL, "ZZZZ")
    assert held(broker_case.broker) == {"ZZZZ": signed(bracket)}
    broker_case.broker.submit(replace(closing(bracket), symbol="ZZZZ", is_carried=True))
    broker_case.move("ZZZZ", "100")
    assert held(broker_case.broker) == {}


@SIDES
@pytest.mark.parametrize("leg", [Leg.STOP, Leg.TARGET])
def test_an_exit_ends_the_position_after_a_split(
    broker_case: BrokerCase, bracket: Bracket, leg: Leg
) -> None:
    opened(broker_case, bracket)
    broker_case.split(SYMBOL, 10, 1)
    upwards = (leg is Leg.TARGET) == (bracket.side is Side.BUY)
    broker_case.move(SYMBOL, "10.5")
    assert held(broker_case.broker) == {SYMBOL: signed(bracket) * 10}
    broker_case.move(SYMBOL, "11.1" if upwards else "8.9")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []
    gain = broker_case.broker.account().balance - 100_000
    assert gain == pytest.approx(Decimal(100 if leg is Leg.TARGET else -100), abs=20)


@SIDES
def test_a_dividend_is_reported_once_and_leaves_quantity_and_exits(
    broker_case: BrokerCase, bracket: Bracket
) -> None:
    opened(broker_case, bracket)
    since, before = broker_case.broker.account().time, found(broker_case.broker).exits
    broker_case.pay_dividend(SYMBOL, "0.5")
    (move,) = broker_case.broker.moves(since)
    assert list(broker_case.broker.moves(since)) == [move]
    assert held(broker_case.broker) == {SYMBOL: signed(bracket)}
    after = found(broker_case.broker).exits
    assert [each.quantity for each in after] == [each.quantity for each in before]
    assert not any(each.state.is_final for each in after)


@SIDES
def test_the_stop_of_a_renamed_symbol_works_under_its_new_name(
    broker_case: BrokerCase, bracket: Bracket
) -> None:
    opened(broker_case, bracket)
    since = broker_case.broker.account().time
    broker_case.rename(SYMBOL, "ZZZZ")
    assert {order.symbol for order in broker_case.broker.open_orders()} == {"ZZZZ"}
    broker_case.move("ZZZZ", "89" if bracket.side is Side.BUY else "111")
    assert held(broker_case.broker) == {}
    last = max(broker_case.broker.fills(since), key=lambda fill: fill.time)
    assert (last.symbol, last.broker_id) == ("ZZZZ", stop_of(broker_case.broker).broker_id)


@pytest.mark.parametrize("amount", ["5000", "-5000.25"])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_transfer_is_money_and_no_profit(
    broker_case: BrokerCase, amount: str, is_held: bool
) -> None:
    if is_held:
        opened(broker_case, buying())
        broker_case.move(SYMBOL, "105")
    before, since = broker_case.broker.account(), broker_case.broker.account().time
    broker_case.transfer(amount)
    after = broker_case.broker.account()
    assert after.equity - before.equity == Decimal(amount)
    assert after.balance - before.balance == Decimal(amount)
    assert after.buying_power - before.buying_power == Decimal(amount)
    assert all(each.kind is MoveKind.TRANSFER for each in broker_case.broker.moves(since))
    assert list(broker_case.broker.fills(since)) == []


def test_a_transfer_is_made_through_the_broker_or_reported_by_it(broker_case: BrokerCase) -> None:
    since = broker_case.broker.account().time - timedelta(days=1)
    broker_case.transfer("500")
    reported = list(broker_case.broker.moves(since))
    assert list(broker_case.broker.moves(since)) == reported
    try:
        broker_case.broker.transfer(Decimal(1))
    except BrokerError as error:
        assert error.permanent  # noqa: PT017
        assert [each.amount for each in reported] == [500]
    else:
        assert reported == [], "who makes the transfer knows of it"


def test_an_order_that_costs_too_much_is_refused_and_not_placed(broker_case: BrokerCase) -> None:
    broker_case.move(SYMBOL, "100")
    with pytest.raises(BrokerError, match="insufficient buying power") as caught:
        broker_case.broker.submit(replace(buying(), quantity=Decimal(1_001)))
    assert (caught.value.permanent, caught.value.duplicate) == (True, False)
    assert broker_case.broker.find("entry-1") is None
    assert list(broker_case.broker.open_orders()) == []
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {}


@pytest.mark.parametrize(
    "wrong", [{"side": Side.BUY}, {"entry": "entry-2"}, {"quantity": Decimal("NaN")}], ids=str
)
def test_a_close_that_makes_no_sense_is_refused_and_leaves_the_exits(
    broker_case: BrokerCase, wrong: dict[str, object]
) -> None:
    opened(broker_case, buying())
    with pytest.raises(BrokerError) as caught:
        broker_case.broker.submit(replace(closing(buying()), **wrong))  # type: ignore[arg-type]
    assert caught.value.permanent
    assert broker_case.broker.find("close-1") is None
    assert not any(leg.state.is_final for leg in found(broker_case.broker).legs)
    broker_case.move(SYMBOL, "89")
    assert held(broker_case.broker) == {}


def test_a_close_that_a_person_cancels_leaves_what_can_be_protected_and_closed(
    broker_case: BrokerCase,
) -> None:
    opened(broker_case, buying())
    close = broker_case.broker.submit(closing(buying()))
    broker_case.broker.cancel(close.broker_id)
    assert found(broker_case.broker, "close-1").state is OrderState.CANCELED
    broker_case.move(SYMBOL, "80")
    assert held(broker_case.broker) == {SYMBOL: QUANTITY}, "its exits are canceled, too"
    stop = broker_case.broker.submit(protecting(buying(), level=70))
    again = replace(closing(buying(), "close-2"), exits=(stop.broker_id,))
    broker_case.broker.submit(again)
    broker_case.move(SYMBOL, "69")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


def test_a_target_that_was_moved_is_followed(broker_case: BrokerCase) -> None:
    opened(broker_case, buying())
    outside_of(broker_case).move_target("entry-1", "105")
    targets = [leg for leg in found(broker_case.broker).exits if leg.leg is Leg.TARGET]
    assert [(each.level, each.state.is_final) for each in targets] == [
        (Decimal(110), True), (Decimal(105), False),
    ]  # fmt: skip
    broker_case.move(SYMBOL, "106")
    assert held(broker_case.broker) == {}
    assert list(broker_case.broker.open_orders()) == []


def test_an_entry_that_was_replaced_is_followed_with_its_exits(broker_case: BrokerCase) -> None:
    broker_case.broker.submit(buying())
    outside_of(broker_case).shrink_entry("entry-1", "4")
    broker_case.move(SYMBOL, "100")
    entry = found(broker_case.broker)
    assert [each.quantity for each in entry.chain] == [10, 4]
    assert [each.filled for each in entry.chain] == [0, 4]
    assert [each.state for each in entry.chain] == [OrderState.CANCELED, OrderState.FILLED]
    assert {each.quantity for each in entry.exits} == {4}
    assert held(broker_case.broker) == {SYMBOL: 4}
    assert broker_case.broker.submit(closing(buying())).quantity == 4
    broker_case.move(SYMBOL, "100")
    assert held(broker_case.broker) == {}
