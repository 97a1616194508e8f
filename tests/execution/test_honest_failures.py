"""What fails in a task makes the task fail, and stops nothing else."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection

from execution.decisions import batch
from execution.decisions.engine import execute_due, send_and_decide
from execution.models import Counterfactual, Decision, Failure
from execution.monitoring import counterfactuals
from execution.monitoring.monitor import monitor
from execution.orders import router
from execution.risk.sizing import Sizing
from signals.market.hours import ALWAYS_OPEN, TradingHours
from signals.market.instruments import Instrument
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    WIDE,
    Trading,
    codes_of,
    decision_of,
    position_of,
    quoted,
    states_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
BUG = KeyError("legs")


def failing(error: Exception) -> Callable[..., Any]:
    """Return a function that raises this error."""

    def fails(*arguments: object, **more: object) -> Any:  # noqa: ANN401
        raise error

    return fails


@pytest.mark.usefixtures("database")
def test_a_row_that_the_database_refuses_blocks_no_other_decision(trading: Trading) -> None:
    """Its order is there already: the decisions were restored from an older backup."""
    trading = trading.changed(limits=WIDE, sizing=Sizing(percent=Decimal("0.01")))
    old = trading.log()
    trading.decide()
    Decision.objects.filter(pk=old.pk).update(status="pending", due_at=trading.clock())
    fresh = quoted(trading, MSFT=100.0).log(symbol="MSFT")
    with pytest.raises(IntegrityError):
        send_and_decide(trading.context)
    assert (decision_of(old).status, decision_of(fresh).status) == ("pending", "executed")
    assert states_of(fresh)["entry"] == "accepted"
    trading.wait(minutes=16)
    send_and_decide(trading.context)
    assert codes_of(old) == ["stale"]


@pytest.mark.parametrize("error", [BUG, IntegrityError("twice")], ids=repr)
def test_an_order_that_cannot_be_sent_makes_the_task_fail(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(router, "adopt", failing(error))
    signal = trading.log()
    with pytest.raises(type(error)):
        send_and_decide(trading.context)
    assert (decision_of(signal).status, states_of(signal)["entry"]) == ("executed", "submitted")
    monkeypatch.undo()
    trading.wait(minutes=1)
    assert monitor(trading.context).sent == 1
    assert position_of(signal).quantity == 100


@pytest.mark.parametrize("where", ["intent_of", "compliance.broken_rules", "portfolio", "denials"])
def test_an_error_in_any_step_of_a_decision_makes_the_task_fail(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(f"execution.decisions.batch.{where}", failing(BUG))
    signal = trading.log()
    with pytest.raises(KeyError):
        send_and_decide(trading.context)
    assert decision_of(signal).status == "pending"
    monkeypatch.undo()
    trading.wait(seconds=6)
    assert send_and_decide(trading.context).executed == 1


@pytest.mark.parametrize("where", ["intent_of", "portfolio", "denials", "send"])
def test_a_database_that_fails_as_a_whole_ends_the_task_at_once(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(batch, where, failing(OperationalError("database is locked")))
    trading.log()
    with pytest.raises(DatabaseError):
        execute_due(trading.context)


@pytest.mark.parametrize(
    "where", ["send_due", "look_at_histories", "look_at_holdings", "take_fills", "halt_for_doubts",
              "refresh_open", "carry_positions", "mark_equity", "_close_if_due",
              "cancel_leftovers", "measure_excursions"]
)  # fmt: skip
def test_an_error_in_any_step_of_the_monitor_is_kept_for_health_and_stops_no_other(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    signal = trading.trade()
    skipped = quoted(trading, MSFT=100.0).log(symbol="MSFT", confidence=1.0)
    trading.decide()
    trading.day(100, 111, 99, 110, symbol="MSFT")
    trading.clock.pass_by(days=31)
    monkeypatch.setattr(f"execution.monitoring.monitor.{where}", failing(BUG))
    with pytest.raises(KeyError):
        trading.look()
    (failure,) = Failure.objects.all()
    assert str(BUG) in failure.error
    assert where == "_close_if_due" or states_of(signal)["close"] == "accepted"
    assert Counterfactual.objects.get(pk=skipped.pk).outcome == "win"
    monkeypatch.undo()
    trading.look()
    assert not Failure.objects.exists()


def not_traded(trading: Trading, symbol: str = "AAPL", **changes: Any) -> Signal:  # noqa: ANN401
    signal = quoted(trading, **{symbol: 100.0}).log(symbol=symbol, confidence=1.0, **changes)
    trading.decide()
    return signal


def _set(signal: Signal, column: str, value: str) -> None:
    """Change a stored signal as only another program can."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE signals SET {column} = %s WHERE id = %s", [value, signal.pk])


def no_instrument(trading: Trading, signal: Signal) -> Trading:
    def instrument(name: str, asset_type: str = "") -> Instrument:
        if name == signal.symbol:
            raise LookupError("a bug")
        return trading.context.instrument(name, asset_type)

    return trading.changed(instrument=instrument)


def no_hours(trading: Trading, signal: Signal) -> Trading:
    def hours(symbol: str) -> TradingHours:
        if symbol == signal.symbol:
            raise LookupError("a bug")
        return ALWAYS_OPEN

    return trading.changed(hours=hours)


def no_feed(trading: Trading, signal: Signal) -> Trading:
    bars = trading.market.bars

    def fails(symbol: str, *times: Any) -> Any:  # noqa: ANN401
        if symbol == signal.symbol:
            raise RuntimeError("a bug")
        return bars(symbol, *times)

    trading.market.bars = fails  # type: ignore[method-assign,assignment]
    return trading


def no_side(trading: Trading, signal: Signal) -> Trading:
    _set(signal, "action", "HOLD")
    return trading


BROKEN = {
    "its instrument": no_instrument, "its hours": no_hours, "its bars": no_feed,
    "its side": no_side,
}  # fmt: skip


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_a_signal_that_cannot_be_followed_is_said_and_blocks_no_other(
    trading: Trading, spoil: Callable[[Trading, Signal], Trading]
) -> None:
    bad, good = not_traded(trading, "MSFT"), not_traded(trading)
    for symbol in ("MSFT", "AAPL"):
        row = (trading.clock() + timedelta(days=1), 100.0, 111.0, 99.0, 110.0, 1e6)
        trading.market.rows[symbol] = [row]
    trading.wait(days=2)
    broken = spoil(trading, bad)
    with pytest.raises((LookupError, RuntimeError, ValueError)):
        counterfactuals.follow(broken.context)
    ended = Counterfactual.objects.in_bulk()
    assert (ended[good.pk].outcome, ended[bad.pk].outcome) == ("win", None)
    due = ended[bad.pk].due_at
    assert due is not None
    assert due - trading.clock() >= counterfactuals.RECHECK_INTERVAL
    assert counterfactuals.follow(broken.context) == 0, "it is not due yet"
    trading.wait(days=60)
    with pytest.raises((LookupError, RuntimeError, ValueError)):
        counterfactuals.follow(broken.context)
    assert Counterfactual.objects.get(pk=bad.pk).due_at is None


@pytest.mark.parametrize("kind", ["warrant", "stock"])
def test_a_signal_whose_bars_end_before_its_entry_ends_some_day(
    trading: Trading, kind: str
) -> None:
    trading.day(100, 101, 99, 100)
    trading.clock.pass_by(hours=1)
    signal = not_traded(trading, asset_type=kind)
    for days in (1, 29, 29, 2):
        assert Counterfactual.objects.get(pk=signal.pk).due_at is not None
        trading.wait(days=days)
        assert counterfactuals.follow(trading.context) == 0
    found = Counterfactual.objects.get(pk=signal.pk)
    assert (found.due_at, found.exit_reason) == (None, "no_prices")
