"""The base that each limit is counted from: how much, since when, and where it comes from."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.accounts.equity import latest_day
from execution.brokers.protocol import Account
from execution.models import TradingAccount
from execution.prop_firm.measures import Measure
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Portfolio
from execution.types import HaltCode, Reason

DAY = "the day's first equity, or the last one before it if that was higher"
PEAK = "the highest equity so far"


class Base(NamedTuple):
    """The figure that a limit is counted from, in money; `at` is None if the moment is not known.

    Transfers are included: they move every base.
    """

    amount: Decimal
    at: datetime | None
    source: str


def own_bases(row: TradingAccount, held: Portfolio) -> Mapping[str, Base]:
    """Return the bases of the user's own limits, by the limit's code."""
    return {
        Reason.DAILY_LOSS: Base(held.day_start, _day_began(row), DAY),
        Reason.DRAWDOWN: Base(held.peak, row.peak_at, PEAK),
    }


def firm_bases(
    row: TradingAccount, rule_set: RuleSet, money: Account, found: Iterable[Measure]
) -> Mapping[str, Base]:
    """Return the bases of the firm's rules, by the rule's code; `found` are its measures now."""
    return {each.code: _firm_base(row, rule_set, money, each) for each in found}


def _firm_base(row: TradingAccount, rule_set: RuleSet, money: Account, found: Measure) -> Base:
    start = f"the starting balance: {row.get_base_display()}"
    if found.code == HaltCode.DAILY_LOSS:
        return Base(found.used + money.equity, _day_began(row), DAY)
    if found.code == HaltCode.DRAWDOWN and rule_set.drawdown and rule_set.drawdown.trail:
        is_equity = rule_set.drawdown.watched == "equity"
        amount = found.used + (money.equity if is_equity else money.balance)
        text = f"the highest {rule_set.drawdown.trail.peak} so far, or if it is higher {start}"
        return Base(amount, row.counts_since, text)
    return Base(row.start_balance, row.counts_since, start)


def _day_began(row: TradingAccount) -> datetime | None:
    """Return when the latest day was looked at first."""
    latest = latest_day(row.name)
    return latest.began_at if latest else None
