"""A limit is counted from a base that is stated: the starting balance, a stage, a restart."""

from dataclasses import replace
from datetime import time
from decimal import Decimal
from functools import partial

import pytest
from pytest_django import Settings

from execution.accounts import changes, halts
from execution.accounts.compliance import measures, warn_of_unstated_base
from execution.brokers.protocol import Account
from execution.models import AccountChange, EquityDay, TradingAccount
from execution.monitoring.problems import account_problems
from execution.monitoring.reconcile import reconcile, settle
from execution.prop_firm.days import trading_day
from execution.prop_firm.measures import Measure
from execution.prop_firm.rule_set import Drawdown, RuleSet, Trail
from execution.risk.model import Limits
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    ACCOUNT,
    Trading,
    codes_of,
    decision_of,
    figures,
    halt_codes,
    position_of,
    quoted,
    rule_set,
)

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]
FIRM = rule_set(drawdown=Drawdown(percent=Decimal(10)), min_days=4, target=Decimal(10))
AT_DAY_END = rule_set(
    drawdown=Drawdown(percent=Decimal(2), trail=Trail(peak="equity", rises="at_day_end"))
)


def measured(trading: Trading, firm: RuleSet = FIRM) -> dict[str, Measure]:
    money = trading.broker.account()
    return {each.code: each for each in measures(trading.context, firm, money)}


def problem_codes() -> list[str]:
    return [
        each.kind.code for each in account_problems(ACCOUNT, TradingAccount.objects.get().opened_at)
    ]


def test_fault_69_a_challenge_joined_midway_counts_from_its_stated_balance(
    trading: Trading,
) -> None:
    firm = trading.changed(rule_set=FIRM, starting_balance=Decimal(110_000), days_done=3)
    firm.look()
    found = measured(firm)
    assert figures(found["drawdown"].used, found["drawdown"].limit) == (10_000, 11_000)
    assert figures(found["min_days"].used, found["target"].used) == (3, -10_000)
    row = TradingAccount.objects.get()
    assert figures(row.base, row.peak_equity) == ("stated", 110_000)


def test_fault_69_a_new_account_without_a_stated_balance_is_refused(
    trading: Trading, settings: Settings
) -> None:
    settings.PROP_FIRM = "firm"
    firm = trading.changed(rule_set=FIRM, starting_balance=None)
    refused = firm.log()
    firm.decide()
    assert codes_of(refused) == ["prop_firm"]
    assert "account --starting-balance" in decision_of(refused).reasons[0]["text"]
    assert problem_codes() == ["execution.base"]
    changes.state_starting_balance(
        firm.context, Decimal(105_000), days_done=2, by="ann", why="the contract"
    )
    firm.log()
    assert firm.decide().executed == 1
    assert problem_codes() == []
    row = TradingAccount.objects.get()
    assert figures(row.start_balance, row.peak_equity, row.days_done) == (105_000, 105_000, 2)


def test_an_account_of_an_earlier_version_keeps_its_balance_with_a_warning(
    trading: Trading, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PROP_FIRM = "firm"
    firm = trading.changed(rule_set=FIRM, starting_balance=None)
    firm.look()
    TradingAccount.objects.update(base="first_balance")
    firm.log()
    assert firm.decide().executed == 1
    warn_of_unstated_base(firm.context)
    assert "Confirm or correct it with account --starting-balance" in caplog.text
    assert problem_codes() == ["execution.base"]


def test_without_a_firm_nothing_needs_to_be_stated(trading: Trading) -> None:
    free = trading.changed(starting_balance=None)
    free.log()
    assert free.decide().executed == 1
    assert problem_codes() == []


def test_a_stage_begins_with_its_own_days_and_peak(trading: Trading) -> None:
    firm = trading.changed(rule_set=AT_DAY_END)
    firm.trade()
    firm.move(109.0)
    firm.wait(days=1)
    firm.move(115.0)
    assert measured(firm, FIRM)["min_days"].used == 1
    changes.begin_stage(firm.context, by="ann", why="the verification")
    found = measured(firm, FIRM)
    assert figures(found["min_days"].used, found["target"].used) == (0, 0)
    assert found["drawdown"].used == 0
    change = AccountChange.objects.get()
    assert (change.kind, change.why) == ("stage", "the verification")
    firm.wait(days=1)
    firm.look()
    assert measured(firm, AT_DAY_END)["drawdown"].used == 0


def test_a_stage_may_state_its_balance(trading: Trading) -> None:
    trading.look()
    changes.begin_stage(trading.context, Decimal(120_000), days_done=1, by="ann", why="funded")
    found = measured(trading)
    assert figures(found["drawdown"].used, found["min_days"].used) == (20_000, 1)


def test_a_starting_balance_that_was_a_slip_leaves_no_peak(trading: Trading) -> None:
    trading.trade()
    trading.move(105.0)
    for amount in (900_000, 90_000):
        changes.state_starting_balance(trading.context, Decimal(amount), by="ann", why="a test")
    row = TradingAccount.objects.get()
    assert figures(row.start_balance, row.peak_equity) == (90_000, 100_500)


@pytest.mark.parametrize("close", [True, False])
def test_a_trade_of_the_stage_before_is_no_day_of_the_new_one(
    trading: Trading, close: bool
) -> None:
    firm = trading.changed(rule_set=FIRM)
    firm.trade()
    firm.wait(hours=1)
    changes.begin_stage(firm.context, by="ann", why="passed")
    firm.move(111.0 if close else 101.0)
    firm.wait(days=1)
    firm.look()
    assert measured(firm)["min_days"].used == 0
    quoted(firm, MSFT=100.0).trade(symbol="MSFT")
    assert measured(firm)["min_days"].used == 1


def test_a_stage_that_begins_while_something_is_held_counts_its_loss_from_then_on(
    trading: Trading,
) -> None:
    firm = trading.changed(rule_set=AT_DAY_END)
    firm.trade()
    firm.move(96.0)
    changes.begin_stage(firm.context, Decimal(100_000), by="ann", why="a test")
    found = measured(firm, AT_DAY_END)["drawdown"]
    assert figures(found.used, found.left) == (400, 1_600)
    row, today = TradingAccount.objects.get(), EquityDay.objects.get()
    assert row.counts_since == today.began_at == today.marked_at == firm.clock()
    assert figures(row.peak_equity, row.start_equity) == (100_000, 100_000)


def test_fault_71_a_person_can_restart_the_count_after_a_drawdown(trading: Trading) -> None:
    limits = Limits(max_drawdown=Decimal("0.4"), max_daily_loss=Decimal("0.4"), losses_in_a_row=9)
    limited = quoted(trading.changed(limits=limits), MSFT=100.0)
    limited.trade()
    limited.move(94.0)
    quoted(limited, MSFT=100.0)
    denied = limited.log(symbol="MSFT")
    limited.decide()
    assert codes_of(denied) == ["daily_loss", "drawdown"]
    changes.restart_count(limited.context, by="ann", why="the loss is accepted")
    limited.log(symbol="MSFT")
    assert limited.decide().executed == 1
    change = AccountChange.objects.get()
    assert (change.kind, change.by, change.why) == ("restart", "ann", "the loss is accepted")
    assert Decimal(change.before["peak_equity"]) > Decimal(change.after["peak_equity"])


def test_fault_71_after_a_restart_a_firms_halt_can_be_lifted_for_good(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(drawdown=Drawdown(percent=Decimal("0.3"))))
    firm.trade()
    firm.move(94.0)
    assert halt_codes() == ["drawdown"]
    changes.restart_count(firm.context, by="ann", why="the firm has reset it")
    assert halt_codes() == ["drawdown"]  # only a person lifts it
    halts.lift(ACCOUNT, by="ann", why="reset", now=firm.clock())
    firm.look()
    assert halt_codes() == []


def test_a_restart_while_something_is_held_counts_from_its_value(trading: Trading) -> None:
    drawdown = Drawdown(percent=Decimal("0.3"))
    firm = trading.changed(rule_set=rule_set(close_on_breach=True, drawdown=drawdown))
    signal = firm.trade()
    firm.move(98.0)
    for _ in range(2):
        firm.wait(minutes=1)
        changes.restart_count(firm.context, by="ann", why="a test")
    firm.move(96.0)
    assert halt_codes() == []  # 400 below the first balance, 200 below the restart
    firm.move(95.5)
    assert halt_codes() == []
    assert position_of(signal).status == "open"
    assert measured(firm, firm.context.rule_set or FIRM)["drawdown"].left > 0


def test_fault_71_a_breach_by_an_open_loss_can_be_lifted_after_a_restart(
    trading: Trading,
) -> None:
    firm = trading.changed(rule_set=rule_set(drawdown=Drawdown(percent=Decimal("0.3"))))
    firm.trade()
    firm.move(96.0)
    assert halt_codes() == ["drawdown"]
    changes.restart_count(firm.context, by="ann", why="the loss is accepted")
    halts.lift(ACCOUNT, by="ann", why="accepted", now=firm.clock())
    firm.look()
    assert halt_codes() == []
    firm.move(95.1)
    assert halt_codes() == []
    found = measured(firm, firm.context.rule_set or FIRM)["drawdown"]
    assert figures(found.used) == (90,)


def test_another_rule_set_keeps_the_base_and_counts_no_trade_twice(trading: Trading) -> None:
    other = RuleSet(
        name="other", source="test", zone="America/New_York", reset=time(17), min_days=4,
        drawdown=Drawdown(percent=Decimal(5)),
    )  # fmt: skip
    firm = trading.changed(rule_set=FIRM, starting_balance=Decimal(102_000))
    firm.trade()
    firm.clock.now = firm.clock.now.replace(hour=23)  # the next day at the other firm
    changed = firm.changed(rule_set=other, day_of=partial(trading_day, other))
    for each in (firm, changed, firm, changed):
        each.wait(seconds=5)
        each.look()
    found = measured(changed, other)
    assert figures(found["drawdown"].used, found["min_days"].used) == (2_000, 1)
    assert halt_codes() == []


def test_a_restart_counts_no_day_before_it_after_the_clock_was_ahead(trading: Trading) -> None:
    trading.trade()
    trading.wait(days=2)
    trading.look()
    trading.wait(days=-2, seconds=5)
    trading.move(90.0)
    changes.restart_count(trading.context, by="ann", why="a test")
    signal = quoted(trading, MSFT=100.0).log(symbol="MSFT")
    trading.changed(limits=Limits(max_daily_loss=Decimal("0.1"), losses_in_a_row=9)).decide()
    assert "daily_loss" not in codes_of(signal)


def test_fault_70_another_account_under_the_same_name_halts(trading: Trading) -> None:
    trading.look()
    before = EquityDay.objects.values().get()
    other = trading.restarted()
    poor = other.broker.broker.account()
    other.broker.instead["account"] = lambda: renamed(poor, "paper:another", "40000")
    signal = other.log()
    other.decide()
    assert halt_codes() == ["another_account"]
    assert "halt" in codes_of(signal)
    other.look()
    assert EquityDay.objects.values().get() == before
    assert TradingAccount.objects.get().peak_equity == 100_000
    halts.lift(ACCOUNT, by="ann", why="it is the same", now=other.clock())
    reconcile(other.context)
    assert halt_codes() == ["another_account"]


def renamed(money: Account, account_id: str, equity: str) -> Account:
    amount = Decimal(equity)
    return replace(money, account_id=account_id, equity=amount, balance=amount)


def test_fault_70_a_restart_accepts_the_other_account(trading: Trading) -> None:
    trading.look()
    other = trading.restarted()
    poor = renamed(other.broker.broker.account(), "paper:another", "40000")
    other.broker.instead["account"] = lambda: poor
    other.look()
    changes.restart_count(other.context, by="ann", why="a new account")
    halts.lift(ACCOUNT, by="ann", why="a new account", now=other.clock())
    other.look()
    assert halt_codes() == []
    row = TradingAccount.objects.get()
    assert figures(row.broker_id, row.start_balance, row.peak_equity) == (
        "paper:another",
        40_000,
        40_000,
    )


def test_an_account_without_an_id_is_the_one_that_it_was(trading: Trading) -> None:
    trading.look()
    money = trading.broker.broker.account()
    trading.broker.instead["account"] = lambda: replace(money, account_id="")
    trading.look()
    changes.restart_count(trading.context, by="ann", why="a test")
    assert TradingAccount.objects.get().broker_id == "paper:paper"
    assert halt_codes() == []


def test_the_same_id_at_another_broker_is_another_account(trading: Trading) -> None:
    trading.look()
    money = trading.broker.broker.account()
    trading.broker.instead["account"] = lambda: replace(money, account_id="alpaca:paper")
    trading.look()
    assert halt_codes() == ["another_account"]
    del trading.broker.instead["account"]
    trading.look()
    assert halt_codes() == ["another_account"]  # only a person lifts it
    halts.lift(ACCOUNT, by="ann", why="the right keys", now=trading.clock())
    trading.look()
    assert halt_codes() == []


def test_an_id_that_was_not_stored_yet_is_stored(trading: Trading) -> None:
    """An earlier version stored none."""
    trading.look()
    TradingAccount.objects.update(broker_id="")
    trading.look()
    assert TradingAccount.objects.get().broker_id == "paper:paper"
    assert halt_codes() == []


def test_fault_68_a_day_that_ended_unwatched_ends_with_the_first_look_after_it(
    trading: Trading,
) -> None:
    """The worker was down when the equity of the day's end was 102,000."""
    firm = trading.changed(rule_set=AT_DAY_END, limits=Limits(max_position=Decimal(100)))
    firm.trade()
    firm.wait(hours=12)
    firm.move(108.0)
    first, second = EquityDay.objects.order_by("day")
    assert figures(first.last_equity, first.highest_equity) == (100_800, 100_800)
    assert second.first_equity == 100_800
    assert measured(firm, AT_DAY_END)["drawdown"].limit == 2_000
    assert measured(firm, AT_DAY_END)["drawdown"].left == 2_000


def test_fault_68_a_trade_that_closed_before_the_days_end_counts_for_that_day(
    trading: Trading,
) -> None:
    """After it nothing was held: the first look after the day says nothing about its end."""
    signal = trading.trade()
    trading.wait(hours=2)
    quoted(trading, AAPL=111.0)
    trading.broker.broker.look()
    trading.wait(hours=10)
    trading.look()
    assert decision_of(signal).status == "executed"
    first, second = EquityDay.objects.order_by("day")
    assert figures(first.last_balance, first.last_equity) == (101_100, 101_100)
    assert figures(second.first_equity, second.lowest_equity) == (101_100, 101_100)


def test_a_day_with_a_trade_of_unknown_profit_ends_no_lower_than_it_was(trading: Trading) -> None:
    trading.trade()
    trading.move(105.0)
    trading.move(101.0)
    trading.wait(seconds=5)
    trading.broker.instead["positions"] = list
    settle(trading.context, by="ann", why="sold by hand")
    trading.wait(days=1)
    trading.look()
    first = EquityDay.objects.order_by("day")[0]
    assert first.last_equity == first.highest_equity == 100_500


def test_a_day_whose_end_was_watched_stays_as_it_ended(trading: Trading) -> None:
    trading.trade()
    trading.clock.now = trading.clock.now.replace(hour=23, minute=58)
    quoted(trading, AAPL=101.0)
    trading.look()
    trading.clock.pass_by(hours=3)
    quoted(trading, AAPL=108.0)
    trading.look()
    first = EquityDay.objects.order_by("day")[0]
    assert first.last_equity == 100_100
