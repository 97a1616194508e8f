"""Deposits and withdrawals are no profit and no loss: they move what limits are counted from."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from argo.errors import InvalidInput
from execution.accounts import changes
from execution.accounts.compliance import measures
from execution.accounts.equity import closes_since, curve_days, latest_day
from execution.brokers.protocol import Account, BrokerError, MoneyMove, MoveKind
from execution.models import AccountChange, EquityDay, TradingAccount
from execution.monitoring.monitor import mark_equity
from execution.prop_firm.measures import Measure
from execution.prop_firm.rule_set import DailyLoss, Drawdown, RuleSet, Trail
from execution.risk.model import Limits
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    ACCOUNT,
    Trading,
    codes_of,
    figures,
    halt_codes,
    quoted,
    rule_set,
)

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]
DAILY = DailyLoss(percent=Decimal("0.3"), basis="equity")


def transfer(trading: Trading, amount: object) -> AccountChange:
    return changes.transfer(trading.context, Decimal(str(amount)), by="ann", why="a test")


def measured(trading: Trading, firm: RuleSet) -> dict[str, Measure]:
    money = trading.broker.account()
    return {each.code: each for each in measures(trading.context, firm, money)}


def test_fault_67_a_deposit_hides_no_loss_of_the_day(trading: Trading) -> None:
    limited = quoted(trading.changed(limits=Limits(max_daily_loss=Decimal("0.3"))), MSFT=100.0)
    limited.trade()
    limited.move(94.0)
    transfer(limited, 50_000)
    quoted(limited, MSFT=100.0)
    signal = limited.log(symbol="MSFT")
    limited.decide()
    assert codes_of(signal) == ["daily_loss"]  # 600 of 150,000


@pytest.mark.parametrize("figure", ["equity", "balance", "higher"])
def test_fault_67_a_payout_is_no_breach(trading: Trading, figure: str) -> None:
    daily = replace(DAILY, basis=figure)  # type: ignore[arg-type]
    firm = trading.changed(
        rule_set=rule_set(
            close_on_breach=True, daily_loss=daily, drawdown=Drawdown(percent=Decimal(5))
        )
    )
    firm.trade()
    firm.move(101.0)
    transfer(firm, -20_000)
    firm.move(101.0)
    assert halt_codes() == []
    firm.move(97.0)
    assert halt_codes() == ["daily_loss"]  # a real loss still is one


def test_fault_67_a_deposit_meets_no_target(trading: Trading) -> None:
    firm = rule_set(
        target=Decimal(10), consistency=Decimal(40), min_days=1, min_day_profit=Decimal(1)
    )
    trading.look()
    transfer(trading, 20_000)
    trading.look()
    found = measured(trading, firm)
    assert figures(found["target"].used, found["target"].limit) == (0, 12_000)
    assert figures(found["consistency"].used, found["min_days"].used) == (0, 0)


@pytest.mark.parametrize("rises", ["at_once", "at_day_end"])
def test_a_trailing_level_moves_with_a_transfer(trading: Trading, rises: str) -> None:
    trail = Trail(peak="equity", rises=rises)  # type: ignore[arg-type]
    firm = rule_set(drawdown=Drawdown(percent=Decimal(3), trail=trail))
    trading.trade()
    trading.move(105.0)
    trading.wait(days=1)
    trading.look()
    trading.wait(days=1)
    transfer(trading, -40_000)
    trading.look()
    found = measured(trading, firm)["drawdown"]
    assert figures(found.used, found.limit) == (0, 1_800)
    assert found.left == 1_800


def test_the_days_before_keep_their_real_money(trading: Trading) -> None:
    trading.look()
    trading.wait(days=1)
    trading.look()
    transfer(trading, 10_000)
    trading.wait(days=1)
    trading.look()
    rows = list(EquityDay.objects.order_by("day"))
    assert [row.last_equity for row in rows] == [100_000, 110_000, 110_000]
    assert [row.transferred for row in rows] == [0, 10_000, 0]
    assert {day.last_equity for day in curve_days(rows)} == {110_000}
    assert {day.first_equity for day in curve_days(rows)} == {110_000}
    ends = [(day.day, day.last_equity) for day in curve_days(rows)]
    assert closes_since(rows[0].account, date.min) == ends
    assert closes_since(rows[0].account, rows[1].day) == ends[1:]


def test_a_transfer_is_a_row_with_its_reason_and_both_figures(trading: Trading) -> None:
    trading.look()
    change = transfer(trading, "2500.50")
    row = TradingAccount.objects.get()
    assert (row.start_balance, row.peak_equity) == (Decimal("102500.50"), Decimal("102500.50"))
    stored = AccountChange.objects.get()
    assert stored == change
    assert (stored.kind, stored.amount, stored.moved) == (
        "transfer",
        Decimal("2500.5"),
        stored.amount,
    )
    assert (stored.by, stored.why) == ("ann", "a test")
    assert stored.before["start_balance"] == "100000"
    assert stored.after["start_balance"] == "102500.5"


def test_no_more_than_is_free_can_be_taken_out(trading: Trading) -> None:
    trading.trade()
    before = TradingAccount.objects.values().first()
    with pytest.raises(BrokerError, match=r"only 90000\.00 is free"):
        transfer(trading, -90_001)
    assert TradingAccount.objects.values().first() == before
    assert trading.broker.account().equity == 100_000
    transfer(trading, -90_000)
    assert trading.broker.account().buying_power == 0


@pytest.mark.parametrize(("amount", "why"), [(0, "a test"), (5, " "), (5, "a\0b")])
def test_a_transfer_needs_an_amount_and_a_reason(trading: Trading, amount: int, why: str) -> None:
    with pytest.raises(InvalidInput):
        changes.transfer(trading.context, Decimal(amount), by="ann", why=why)
    assert not AccountChange.objects.exists()


def test_money_moved_between_two_questions_is_asked_for_again(trading: Trading) -> None:
    """The broker reports a deposit after its money was read: is it in that money or not?"""
    trading.look()
    paid = MoneyMove("m1", MoveKind.TRANSFER, Decimal(7_000), trading.clock(), "CSD")
    moves: list[MoneyMove] = []
    account = trading.broker.broker.account

    def paid_in_meanwhile() -> Account:
        before = account()
        if not moves:
            trading.broker.broker.transfer(paid.amount)
            moves.append(paid)
        return before

    trading.broker.instead.update(account=paid_in_meanwhile, moves=lambda since: moves)
    mark_equity(trading.context)
    row, day = TradingAccount.objects.get(), latest_day(ACCOUNT)
    assert day is not None
    assert figures(row.peak_equity, day.first_equity, day.last_equity) == (107_000,) * 3
    mark_equity(trading.context)
    assert TradingAccount.objects.get().peak_equity == 107_000  # counted once


def test_a_base_that_another_process_moved_is_read_again(trading: Trading) -> None:
    firm = trading.changed(rule_set=rule_set(daily_loss=DAILY))
    firm.look()
    other, account = firm.restarted(), firm.broker.broker.account
    asked: list[Account] = []

    def late() -> Account:
        asked.append(account())
        if len(asked) == 1:
            transfer(other, 50_000)
        return asked[-1]

    firm.broker.instead["account"] = late
    mark_equity(firm.context)
    assert len(asked) == 2
    assert halt_codes() == []
    day = latest_day(ACCOUNT)
    assert day is not None
    assert figures(day.first_equity, day.last_equity, day.lowest_equity) == (150_000,) * 3
