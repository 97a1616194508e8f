"""The prop firm's rules, measured on an account now."""

from datetime import date, datetime

from execution.accounts.equity import as_day, latest_day, marked
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay
from execution.prop_firm.days import Day
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import Measure, measure
from execution.prop_firm.rule_set import RuleSet
from execution.types import Denial, Reason


def days_of(account: str) -> list[Day]:
    """Return the account's equity curve, oldest day first."""
    return [as_day(row) for row in EquityDay.objects.filter(account=account).order_by("day")]


def measures(context: TradingContext, rule_set: RuleSet, money: Account) -> list[Measure]:
    """Return how the account does by the firm's rules now; nothing is written.

    Raises `NotMeasurable` if a figure is not a number.
    """
    today = as_day(marked(context, latest_day(context.account), money))
    before = days_of(context.account)
    days = [day for day in before if day.day < today.day]
    start = account_row(context.account, money).start_balance
    days.append(_from_the_highest(today, context.day_of(money.time), before))
    return measure(rule_set, start, days, money.equity, money.balance)


def _from_the_highest(latest: Day, today: date, days: list[Day]) -> Day:
    """Keep the loss of today if the clock was ahead for a while and began later days."""
    begun = [day for day in days if day.day >= today] or [latest]
    return latest._replace(
        first_equity=max(latest.first_equity, *(day.first_equity for day in begun)),
        first_balance=max(latest.first_balance, *(day.first_balance for day in begun)),
    )


def broken_rules(context: TradingContext, money: Account) -> list[Denial]:
    """Return the firm's broken rules: each is a reason against every new trade.

    A broken rule counts even if its halt was lifted.
    """
    if context.rule_set is None:
        return []
    broken = [each for each in measures(context, context.rule_set, money) if each.breached]
    return [Denial(Reason.PROP_FIRM, f"{context.rule_set.name}: {each.text}") for each in broken]


def flat_time(context: TradingContext, symbol: str, now: datetime) -> list[Denial]:
    """Return the firm's reason against a trade at a time when nothing may be held."""
    if context.rule_set is None or not must_be_flat(
        context.rule_set, now, context.hours(symbol)
    ):
        return []
    return [Denial(Reason.FLAT, f"{context.rule_set.name} allows no position in {symbol} now")]
