"""A prop firm's rules, asked of an account as it is now."""

from datetime import date, datetime

from execution.accounts.equity import account_row, as_day, latest_day, marked
from execution.brokers.protocol import Account
from execution.context import Desk
from execution.models import EquityDay
from execution.prop_firm.days import Day
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import Measure, measure
from execution.prop_firm.rule_set import RuleSet
from execution.risk.rules import Denial


def days_of(account: str) -> list[Day]:
    """The account's equity curve, oldest day first."""
    return [as_day(row) for row in EquityDay.objects.filter(account=account).order_by("day")]


def measures(desk: Desk, rule_set: RuleSet, money: Account) -> list[Measure]:
    """How the account stands with the firm's rules, now; nothing is written."""
    today = as_day(marked(desk, latest_day(desk.account), money))
    before = days_of(desk.account)
    days = [day for day in before if day.day < today.day]
    start = account_row(desk, money).start_balance
    days.append(_from_the_highest(today, desk.day_of(money.time), before))
    return measure(rule_set, start, days, money.equity, money.balance)


def _from_the_highest(latest: Day, today: date, days: list[Day]) -> Day:
    """Where the clock was ahead for a while, the loss of today counts all the same."""
    begun = [day for day in days if day.day >= today] or [latest]
    return latest._replace(
        first_equity=max(latest.first_equity, *(day.first_equity for day in begun)),
        first_balance=max(latest.first_balance, *(day.first_balance for day in begun)),
    )


def denials(desk: Desk, money: Account, symbol: str, now: datetime) -> list[Denial]:
    """What the firm has against a new trade: a broken rule, whether or not a halt stands for it,
    and a time at which nothing may be held."""
    if desk.rule_set is None:
        return []
    broken = [each for each in measures(desk, desk.rule_set, money) if each.breached]
    found = [Denial("prop_firm", f"{desk.rule_set.name}: {each.text}") for each in broken]
    if must_be_flat(desk.rule_set, now, desk.hours(symbol)):
        found.append(Denial("flat", f"{desk.rule_set.name} wants nothing held of {symbol} now"))
    return found
