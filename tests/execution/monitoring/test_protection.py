"""No position is left without a stop, and no order by hand hides what must be closed."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.accounts import halts
from execution.brokers.protocol import (
    Bracket,
    BrokerError,
    Close,
    FillReport,
    OrderReport,
    Stop,
)
from execution.models import Fill, Order
from execution.monitoring.monitor import ask_to_close
from execution.monitoring.problems import account_problems
from execution.monitoring.reconcile import reconcile, settle
from execution.prop_firm.rule_set import Flat
from execution.risk.model import Limits
from execution.types import ExitReason, HaltCode
from signals.models import Signal
from tests.execution.brokers.alpaca.alpaca_exchange import Refused, Row
from tests.execution.monitoring.alpaca_account import AlpacaAccount
from tests.execution.trading_fixtures import (
    ACCOUNT,
    SYMBOL,
    Trading,
    as_stored,
    halt_codes,
    orders_of,
    position_of,
    quoted,
    rule_set,
    states_of,
)
from tests.signals.market.alpaca_server import in_json

pytestmark = pytest.mark.django_db
ORDERS_BY_HAND = pytest.mark.parametrize("kind", ["order_for_dollars", "order_several"])


def problems(account: AlpacaAccount) -> list[str]:
    now = account.trading.clock()
    return [each.kind.code for each in account_problems(ACCOUNT, now)]


def closing(account: AlpacaAccount, signal: Signal) -> None:
    """Have the position closed, and let the monitor look."""
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    account.trading.look()


def stops(signal: Signal) -> list[tuple[Any, ...]]:
    rows = Order.objects.filter(signal=signal, leg="stop").order_by("number")
    return list(rows.values_list("number", "state", "level"))


@ORDERS_BY_HAND
@pytest.mark.parametrize("why", ["expired", "flat", "breach", "manual"])
def test_an_order_by_hand_that_cannot_be_read_stops_no_close(
    account: AlpacaAccount, kind: str, why: str
) -> None:
    signal = account.trade()
    getattr(account.outside, kind)()
    flat = Flat(by="close", minutes_before=5, at=time(16, 0))
    trading = account.trading.changed(rule_set=rule_set(flat=flat, close_on_breach=True))
    if why == "expired":
        account.wait(days=31)
    elif why == "flat":
        account.wait(minutes=56)
    elif why == "breach":
        halts.latch(ACCOUNT, HaltCode.DAILY_LOSS, "too much lost", trading.clock())
    else:
        ask_to_close(position_of(signal), ExitReason.MANUAL)
    trading.look()
    assert position_of(signal).closing_for == why
    account.move("101")
    assert position_of(signal).status == "closed"


@ORDERS_BY_HAND
def test_an_order_by_hand_that_cannot_be_read_is_a_finding(
    account: AlpacaAccount, kind: str
) -> None:
    signal = account.trade()
    getattr(account.outside, kind)()
    found = reconcile(account.trading.context)
    assert {each.code for each in found} == {"unreadable"}
    assert halt_codes() == ["mismatch"]
    account.move("111")
    assert as_stored(signal).outcome == "win"
    assert any("look at it" in text for text in settle(account.trading.context, by="ann", why="me"))


def test_a_position_that_cannot_be_read_stops_no_close_and_is_not_missing(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    row = account.exchange.position(SYMBOL)
    account.alpaca.instead("GET /positions", in_json([row | {"current_price": None}]))
    (finding,) = reconcile(account.trading.context)
    assert (finding.code, finding.name) == ("unreadable", SYMBOL)
    settle(account.trading.context, by="ann", why="to be sure")
    assert (position_of(signal).status, len(account.live_stops())) == ("open", 1)
    closing(account, signal)
    account.alpaca.troubles.clear()
    account.move("101")
    assert position_of(signal).status == "closed"


def test_an_order_of_ours_that_cannot_be_read_hurts_itself_alone(account: AlpacaAccount) -> None:
    limits = Limits(max_per_symbol=2, max_position=Decimal(50))
    account.trading = account.trading.changed(limits=limits)
    bad, good = account.trade(), account.trade()
    account.at_exchange(bad, "entry")["filled_qty"] = "?"
    for _ in range(2):
        assert [each.code for each in reconcile(account.trading.context)] == ["unreadable"]
    ask_to_close(position_of(good), ExitReason.MANUAL)
    account.exchange.cancel(account.at_exchange(bad, "target")["id"])
    with pytest.raises(BrokerError, match="filled_qty"):
        account.trading.look()
    account.exchange.move(SYMBOL, "101")
    with pytest.raises(BrokerError, match="filled_qty"):
        account.trading.look()
    assert (position_of(good).status, position_of(bad).status) == ("closed", "open")


@pytest.mark.parametrize("wrong", [{"qty": "?"}, {"price": None}, {"side": "hold"}])
def test_a_fill_that_cannot_be_read_halts_once_and_hides_no_other(
    account: AlpacaAccount, wrong: Row
) -> None:
    first = account.trade()
    account.exchange.by_hand(type="market", limit_price=None)
    account.exchange.move(SYMBOL, "100")
    account.exchange.activities[-1] |= wrong
    account.move("100")
    assert halt_codes() == []
    account.exchange.move(SYMBOL, "111")
    target = account.exchange.activities[-1]
    right = dict(target)
    target |= wrong
    account.move("111")
    assert (halt_codes(), position_of(first).status) == (["overfill"], "open")
    halts.lift(ACCOUNT, by="ann", why="I looked", now=account.trading.clock())
    account.trading.look()
    assert halt_codes() == []
    target |= right
    account.trading.look()
    assert as_stored(first).outcome == "win"


@pytest.mark.parametrize("hides_replaced", [False, True])
def test_a_stop_that_a_person_moved_protects_the_position(
    account: AlpacaAccount, hides_replaced: bool
) -> None:
    signal = account.trade()
    account.exchange.hides_replaced = hides_replaced
    for level in ("97", "98.5"):
        account.outside.move_stop(orders_of(signal)["entry"].client_order_id, level)
        account.trading.look()
    assert stops(signal) == [
        (1, "canceled", 95), (2, "canceled", 97), (3, "accepted", Decimal("98.5"))
    ]  # fmt: skip
    assert position_of(signal).closing_for == ""
    assert reconcile(account.trading.context) == []
    assert problems(account) == []
    account.move("98")
    position = position_of(signal)
    assert [position.status, position.exit_reason, position.exit_price] == ["closed", "stop", 98]
    assert Order.objects.may_fill(ACCOUNT) == []
    assert reconcile(account.trading.context) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "market", "stop_price": None},
        {"type": "trailing_stop", "stop_price": None, "trail_percent": "2"},
        {"type": "stop_limit", "limit_price": "94"},
        {"qty": "60"},
    ],
    ids=["market", "trailing", "limit", "quantity"],
)
def test_a_stop_that_was_replaced_by_another_kind_is_still_the_stop(
    account: AlpacaAccount, changes: Row
) -> None:
    signal = account.trade()
    account.exchange.replace(account.at_exchange(signal, "stop"), **changes)
    account.trading.look()
    assert [state for _, state, _ in stops(signal)] == ["canceled", "accepted"]
    assert reconcile(account.trading.context) == []
    assert settle(account.trading.context, by="ann", why="to be sure") == []
    assert position_of(signal).closing_for == ""


def test_an_entry_and_a_target_that_a_person_changed_are_followed(account: AlpacaAccount) -> None:
    account.quote(100.0)
    signal = account.trading.log()
    account.trading.decide()
    entry = account.at_exchange(signal, "entry")
    new = account.exchange.replace(entry, qty="40")
    for leg in account.exchange.legs(entry):
        leg["parent"] = new["id"]
        leg["qty"] = "40"
    account.trading.look()
    account.move("100")
    assert position_of(signal).quantity == 40
    account.exchange.replace(account.at_exchange(signal, "target"), limit_price="104")
    account.trading.look()
    account.move("105")
    assert [position_of(signal).status, position_of(signal).exit_price] == ["closed", 105]
    assert halt_codes() == []


def test_a_close_that_a_person_changed_is_followed(account: AlpacaAccount) -> None:
    signal = account.trade()
    closing(account, signal)
    close = account.at_exchange(signal, "close")
    account.exchange.replace(close, type="limit", limit_price="101")
    account.trading.look()
    assert [row.state for row in Order.objects.filter(leg="close")] == ["canceled", "accepted"]
    assert reconcile(account.trading.context) == []
    account.wait(minutes=5)
    account.move("102")
    position = position_of(signal)
    assert [position.status, position.exit_reason, position.exit_price] == ["closed", "manual", 102]


def test_a_fill_before_and_after_a_replacement_counts_once(account: AlpacaAccount) -> None:
    signal = account.trade()
    stop = account.at_exchange(signal, "stop")
    account.exchange.prices[SYMBOL] = Decimal(95)
    account.exchange.fill(stop, "30")
    account.exchange.replace(stop, qty="70", filled_qty="0", stop_price="94")
    account.move("93")
    account.trading.look()
    assert position_of(signal).status == "closed"
    assert sorted(Fill.objects.values_list("quantity", flat=True)) == [30, 70, 100]
    assert halt_codes() == []


@pytest.mark.parametrize("status", [403, 422, 500, 503])
def test_after_a_failed_close_the_stop_is_put_back_or_it_is_said(
    account: AlpacaAccount, status: int
) -> None:
    signal = account.trade()
    account.outside.refuse_closes(status)
    closing(account, signal)
    said = "execution.unprotected" in problems(account)
    assert said or len(account.live_stops()) == 1
    account.wait(seconds=11)
    account.trading.look()
    (stop,) = account.live_stops()
    assert (stop["stop_price"], stop["qty"]) == ("95", "100")
    assert "execution.unprotected" not in problems(account)
    assert reconcile(account.trading.context) == []
    account.outside.refuse_closes(0)
    account.wait(seconds=60)
    account.trading.look()
    account.move("99")
    position = position_of(signal)
    assert [position.status, position.exit_reason, position.exit_price] == ["closed", "manual", 99]
    assert account.live_stops() == []
    assert reconcile(account.trading.context) == []


def test_a_stop_that_was_put_back_works_and_leaves_nothing(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.outside.refuse_closes(403)
    closing(account, signal)
    account.move("94")
    position = position_of(signal)
    assert [position.status, position.exit_reason, position.profit] == ["closed", "stop", -600]
    assert as_stored(signal).outcome == "loss"
    assert account.exchange.positions == {}
    assert Order.objects.may_fill(ACCOUNT) == []


def test_a_stop_is_put_back_after_each_failed_close(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.outside.refuse_closes(403)
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    for minutes in (1, 5, 30):
        account.trading.look()
        assert len(account.live_stops()) == 1
        account.wait(minutes=minutes, seconds=30)
    states = [state for _, state, _ in stops(signal)]
    assert states == ["canceled", "canceled", "canceled", "accepted"]


def test_a_stop_that_cannot_be_put_back_is_a_problem_and_is_tried_again(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    account.exchange.refuse = lambda asked: Refused(403, 40310000, "no")
    closing(account, signal)
    for _ in range(4):
        account.trading.look()
    assert problems(account).count("execution.unprotected") == 1
    assert len(stops(signal)) == 2, "a refused stop is tried again after a pause"
    account.outside.refuse_closes(403)
    account.wait(minutes=1)
    account.trading.look()
    assert len(account.live_stops()) == 1
    assert "execution.unprotected" not in problems(account)


def test_a_broker_that_is_down_during_a_close_is_said_at_once(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.alpaca.instead("POST /orders", in_json({"code": 1, "message": "down"}, 503))
    closing(account, signal)
    assert account.live_stops() == []
    assert "execution.unprotected" in problems(account)
    account.alpaca.troubles.clear()
    account.wait(seconds=11)
    account.trading.look()
    assert len(account.live_stops()) == 1


def test_a_stop_put_back_is_canceled_if_the_position_closes_otherwise(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    account.outside.refuse_closes(403)
    closing(account, signal)
    target = orders_of(signal)["target"]
    row = account.exchange.order(target.broker_id)
    row["status"] = "new"
    account.exchange.prices[SYMBOL] = Decimal(111)
    account.exchange.fill(row)
    account.trading.look()
    account.trading.look()
    assert position_of(signal).status == "closed"
    assert account.live_stops() == []


def test_an_order_that_was_refused_and_placed_is_adopted(account: AlpacaAccount) -> None:
    account.outside.refuse_what_it_places()
    signal = account.trade()
    assert states_of(signal) == {"entry": "filled", "stop": "accepted", "target": "accepted"}
    assert position_of(signal).quantity == 100
    closing(account, signal)
    account.move("101")
    assert position_of(signal).status == "closed"
    assert reconcile(account.trading.context) == []


def test_an_order_that_the_broker_has_for_another_quantity_is_counted_as_it_is(
    account: AlpacaAccount,
) -> None:
    """An earlier Argo sent it, before its database was restored."""
    account.quote(100.0)
    account.exchange.refuse = lambda asked: Refused(422, 40010001, "client_order_id must be unique")
    place = account.exchange._place
    account.exchange.places_refused = True
    account.exchange._place = lambda asked: place(asked | {"qty": "150"})  # type: ignore[method-assign]
    signal = account.trading.log()
    account.trading.decide()
    account.exchange.refuse, account.exchange.places_refused = lambda asked: None, False
    account.move("100")
    assert position_of(signal).quantity == 150
    assert halt_codes() == []
    account.move("111")
    assert as_stored(signal).outcome == "win"
    assert Order.objects.may_fill(ACCOUNT) == []
    assert reconcile(account.trading.context) == []


def test_a_target_that_fills_during_a_look_is_no_lost_stop(trading: Trading) -> None:
    """The broker cancels the stop when the target fills, after the fills were taken."""
    signal = trading.trade()
    fills, asked = trading.broker.broker.fills, []
    before = fills(trading.clock() - timedelta(days=1))

    def late(since: datetime) -> Sequence[FillReport]:
        asked.append(since)
        return before if len(asked) == 1 else fills(since)

    trading.broker.instead["fills"] = late
    trading.clock.pass_by(seconds=1)
    quoted(trading, AAPL=111.0).broker.broker.look()
    trading.look()
    assert len(asked) == 2
    assert (position_of(signal).exit_reason, "close" in states_of(signal)) == ("target", False)


def renamed(account: AlpacaAccount, name: str, ratio: int = 1) -> None:
    """Let the exchange call the shares by another name, as after a merger."""
    quantity, price = account.exchange.positions.pop(SYMBOL)
    account.exchange.positions[name] = (quantity * ratio, price / ratio)
    account.exchange.prices[name] = account.exchange.prices[SYMBOL] / ratio


@pytest.mark.parametrize("orders_too", [False, True])
@pytest.mark.parametrize("ratio", [1, 4])
def test_settling_after_a_rename_keeps_the_stop(
    account: AlpacaAccount, orders_too: bool, ratio: int
) -> None:
    signal = account.trade()
    renamed(account, "META", ratio)
    if orders_too:
        for row in account.exchange.orders:
            row["symbol"] = "META"
    before = [row["id"] for row in account.live_stops()]
    texts = settle(account.trading.context, by="ann", why="it is gone")
    assert any("renamed" in text for text in texts)
    assert [row["id"] for row in account.live_stops()] == before
    assert (position_of(signal).status, states_of(signal)["stop"]) == ("open", "accepted")


def test_settling_after_a_merger_into_a_held_symbol_keeps_the_stop(account: AlpacaAccount) -> None:
    limits = Limits(max_position=Decimal(40))
    account.trading = account.trading.changed(limits=limits)
    quoted(account.trading, MSFT=100.0)
    account.exchange.prices["MSFT"] = Decimal(100)
    other = account.trading.log(symbol="MSFT")
    gone = account.trade()
    account.exchange.move("MSFT", "100")
    account.trading.look()
    shares = position_of(gone).quantity
    del account.exchange.positions[SYMBOL]
    account.exchange.positions["MSFT"] = (position_of(other).quantity + shares, Decimal(100))
    settle(account.trading.context, by="ann", why="it is gone")
    assert (position_of(gone).status, len(account.live_stops())) == ("open", 2)


def test_settling_a_position_that_is_gone_cancels_its_orders(account: AlpacaAccount) -> None:
    """The other symbol is held on the other side, so it is no new name."""
    signal = account.trade()
    del account.exchange.positions[SYMBOL]
    account.exchange.prices["MSFT"] = Decimal(100)
    account.exchange.positions["MSFT"] = (Decimal(-5), Decimal(100))
    settle(account.trading.context, by="ann", why="sold by hand")
    assert position_of(signal).status == "closed"
    assert account.live_stops() == []


def test_settling_one_of_two_positions_cancels_only_its_stop(account: AlpacaAccount) -> None:
    limits = Limits(max_per_symbol=2, max_position=Decimal(50))
    account.trading = account.trading.changed(limits=limits)
    first, second = account.trade(), account.trade()
    account.exchange.positions[SYMBOL] = (position_of(second).quantity, Decimal(100))
    settle(account.trading.context, by="ann", why="sold by hand")
    assert (position_of(first).status, position_of(second).status) == ("closed", "open")
    (stop,) = account.live_stops()
    assert stop["id"] == orders_of(second)["stop"].broker_id


def test_a_paper_position_without_a_stop_whose_close_fails_gets_one(trading: Trading) -> None:
    signal = trading.trade()
    trading.broker.broker.cancel(orders_of(signal)["stop"].broker_id)
    submit = trading.broker.broker.submit

    def refusing(order: Bracket | Close | Stop) -> OrderReport:
        if isinstance(order, Close):
            raise BrokerError("no", permanent=True)
        return submit(order)

    trading.broker.instead["submit"] = refusing
    trading.look()
    assert [state for _, state, _ in stops(signal)] == ["canceled", "accepted"]
    trading.move(94.0)
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "stop")
    assert reconcile(trading.context) == []
