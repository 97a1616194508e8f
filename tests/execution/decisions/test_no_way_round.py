"""Ways round the rules that somebody tried."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution.accounts import halts
from execution.brokers.protocol import Account
from execution.decisions.queue import ask_for
from execution.models import Counterfactual, EquityDay, Order
from execution.prop_firm.rule_set import Drawdown, Flat, RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from signals.ledger.outcomes import record_outcome
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import (
    Trading,
    codes_of,
    decision_of,
    orders_of,
    position_of,
    states_of,
)

D = Decimal
WIDE = Limits(max_positions=None, max_per_symbol=9, orders_a_minute=None)
pytestmark = pytest.mark.django_db


def firm(**rules: Any) -> RuleSet:  # noqa: ANN401
    return RuleSet(name="firm", source="test", zone="UTC", **rules)


def with_another(trading: Trading, symbol: str = "MSFT") -> Trading:
    trading.market.quotes[symbol] = Quote(100.0, trading.clock())
    return trading


def test_a_lifted_halt_lets_nothing_pass_while_the_breach_stands(trading: Trading) -> None:
    firm_s = with_another(trading.changed(rule_set=firm(drawdown=Drawdown(percent=D("0.3")))))
    firm_s.trade()
    firm_s.move(95)
    halts.lift("paper", by="me", why="try it", now=firm_s.clock())
    signal = firm_s.log(symbol="MSFT")
    firm_s.market.quotes["MSFT"] = Quote(100.0, firm_s.clock())
    assert firm_s.decide().executed == 0
    assert codes_of(signal) == ["prop_firm"]


def test_a_breach_denies_before_the_monitor_has_seen_it(trading: Trading) -> None:
    firm_s = with_another(trading.changed(rule_set=firm(drawdown=Drawdown(percent=D("0.3")))))
    firm_s.trade()
    firm_s.clock.pass_by(seconds=1)
    firm_s.market.quotes["AAPL"] = Quote(95.0, firm_s.clock())
    firm_s.broker.broker.look()
    signal = firm_s.log(symbol="MSFT")
    firm_s.market.quotes["MSFT"] = Quote(100.0, firm_s.clock())
    firm_s.decide()
    assert codes_of(signal) == ["prop_firm"]


def test_nothing_is_entered_where_the_firm_wants_nothing_held(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=firm(flat=Flat(by="weekend")))
    firm_s.wait(days=3)  # a Saturday
    signal = firm_s.log()
    firm_s.decide()
    assert codes_of(signal) == ["flat"]


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_a_trade_risks_no_more_than_its_percent_at_the_price_it_is_made_at(
    trading: Trading, action: str
) -> None:
    price = 100.9 if action == "BUY" else 99.1
    trading.market.quotes["AAPL"] = Quote(price, trading.clock())
    signal = trading.log(action=action)
    trading.decide()
    entry = orders_of(signal)["entry"]
    risk = entry.quantity * abs(D(str(price)) - (95 if action == "BUY" else 105))
    assert 480 < risk <= 500


def test_a_size_leaves_room_for_what_is_held_of_the_symbol(trading: Trading) -> None:
    more = trading.changed(limits=WIDE, sizing=Sizing(by_risk=False, percent=D(8)))
    more.trade()
    second = more.log(confidence=95.0)
    more.decide()
    assert orders_of(second)["entry"].quantity == 20  # 2% of the equity


def test_a_halt_cancels_what_waits_for_a_price(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    halts.latch("paper", "by_hand", "enough", trading.clock(), by="me")
    trading.look()
    assert set(states_of(signal).values()) == {"canceled"}
    trading.move(100)
    assert set(states_of(signal).values()) == {"canceled"}
    assert Counterfactual.objects.filter(pk=signal.pk).exists()


def test_an_entry_does_not_wait_for_ever(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    trading.clock.pass_by(days=5)
    trading.look()
    assert states_of(signal)["entry"] == "accepted"
    trading.clock.pass_by(seconds=1)
    trading.look()
    assert states_of(signal)["entry"] == "canceled"


def test_a_clock_that_was_ahead_forgets_no_loss_of_today(trading: Trading) -> None:
    limited = with_another(trading.changed(limits=Limits(max_daily_loss=D("0.3"))))
    limited.trade()
    limited.move(94)
    limited.wait(days=1)
    limited.look()
    assert EquityDay.objects.count() == 2
    limited.wait(days=-1, seconds=1)
    signal = limited.log(symbol="MSFT")
    limited.decide()
    assert codes_of(signal) == ["daily_loss"]


def test_one_that_cannot_be_decided_on_blocks_no_other(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = trading.log(), with_another(trading).log(symbol="MSFT")
    context = replace(trading.context, instrument=_fails_on("AAPL", trading.context.instrument))
    replace(trading, context=context).decide()
    assert decision_of(good).status == "executed"
    assert decision_of(bad).status == "pending"
    trading.wait(minutes=16)
    replace(trading, context=context).decide()
    assert codes_of(bad) == ["stale"]


def _fails_on(symbol: str, instrument: Any) -> Any:  # noqa: ANN401
    def made(name: str) -> Any:  # noqa: ANN401
        if name == symbol:
            raise RuntimeError("a fault of ours")
        return instrument(name)

    return made


def test_what_was_ordered_after_the_money_was_counted_is_taken_off_it(trading: Trading) -> None:
    limits = replace(WIDE, max_position=D(100))
    rich = with_another(trading.changed(limits=limits, sizing=Sizing(by_risk=False, percent=D(60))))
    first, second = rich.log(), rich.log(symbol="MSFT")
    counted: list[Account] = [rich.context.broker.account()]
    rich.decide()
    assert orders_of(first)["entry"].quantity == 600
    assert orders_of(second)["entry"].quantity == 400  # what is left, by the broker's count

    third = rich.log(symbol="MSFT", confidence=95.0)
    rich.clock.pass_by(seconds=1)
    rich.broker.instead["account"] = counted.pop  # counted before any of it was ordered
    Order.objects.filter(leg="entry").update(updated_at=rich.clock() + timedelta(seconds=1))
    rich.decide()
    assert decision_of(third).status == "skipped"
    assert "too_small" in codes_of(third)


def test_a_signal_that_has_ended_is_not_traded(trading: Trading) -> None:
    signal = trading.log()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=105.0, who="me", why="seen",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    trading.decide()
    assert codes_of(signal) == ["ended"]


def test_what_is_traded_after_all_has_no_counterfactual(trading: Trading) -> None:
    off = trading.changed(auto_execute=False)
    signal = off.log()
    off.decide()
    assert Counterfactual.objects.filter(pk=signal.pk).exists()
    ask_for(signal.signal_id, "me", off.clock())
    off.decide()
    assert decision_of(signal).status == "executed"
    assert not Counterfactual.objects.filter(pk=signal.pk).exists()


def test_a_stop_that_is_gone_is_noticed_though_the_target_has_filled_a_part(
    trading: Trading,
) -> None:
    signal = trading.trade()
    Order.objects.filter(signal=signal, leg="target").update(state="partially_filled")
    Order.objects.filter(signal=signal, leg="stop").update(state="canceled")
    trading.look()
    assert position_of(signal).closing_for == "unprotected"


def test_a_stop_that_somebody_cancels_at_the_broker_is_noticed_at_the_next_look(
    trading: Trading,
) -> None:
    signal = trading.trade()
    trading.broker.broker.cancel(orders_of(signal)["stop"].broker_id)
    trading.look()
    assert position_of(signal).closing_for == "unprotected"


def test_what_must_be_closed_is_closed_though_the_account_cannot_be_measured(
    trading: Trading,
) -> None:
    signal = trading.trade()
    trading.clock.pass_by(days=31)
    trading.broker.before["account"] = RuntimeError("no account")
    with pytest.raises(RuntimeError, match="no account"):
        trading.look()
    assert position_of(signal).closing_for == "expired"


def test_a_day_counts_the_positions_that_were_opened_on_it_once(trading: Trading) -> None:
    firm_s = trading.changed(rule_set=firm(min_days=2))
    firm_s.trade()
    firm_s.look()
    firm_s.look()
    assert [day.trades for day in EquityDay.objects.all()] == [1]
