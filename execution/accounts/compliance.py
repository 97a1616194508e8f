"""The prop firm's rules, measured on an account now."""

import logging
from datetime import date, datetime

from execution.accounts.day_end import as_day, completed
from execution.accounts.equity import curve_days, days_since, marked
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay, TradingAccount
from execution.models.account import UNSTATED
from execution.prop_firm.days import Day
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.measures import Measure, measure
from execution.prop_firm.rule_set import RuleSet
from execution.types import Denial, Reason

logger = logging.getLogger(__name__)


def days_of(row: TradingAccount) -> list[EquityDay]:
    """Return the account's days that count, oldest first."""
    return days_since(row.name, row.counted_from or date.min)


def curve_of(context: TradingContext, row: TradingAccount, money: Account) -> list[Day]:
    """Return the account's equity curve that counts, with its present value; nothing is written.

    Raises `NotMeasurable` if a figure is not a number.
    """
    rows, today = days_of(row), context.day_of(money.time)
    missed = completed(context, row, rows[-1], today, money.equity) if rows else []
    rows += [day for day in missed if day is not rows[-1]]
    latest = rows[-1] if rows else None
    before = curve_days(rows)
    present = as_day(marked(context, latest, money))
    days = [day for day in before if day.day < present.day]
    return [*days, _from_the_highest(present, today, before)]


def measures(context: TradingContext, rule_set: RuleSet, money: Account) -> list[Measure]:
    """Return how the account does by the firm's rules now; nothing is written.

    Raises `NotMeasurable` if a figure is not a number.
    """
    row = account_row(context, money)
    days = curve_of(context, row, money)
    return measure(
        rule_set, row.start_balance, days, money.equity, money.balance, days_done=row.days_done
    )


def _from_the_highest(latest: Day, today: date, days: list[Day]) -> Day:
    """Keep the loss of today if the clock was ahead for a while and began later days."""
    begun = [day for day in days if day.day >= today] or [latest]
    return latest._replace(
        first_equity=max(latest.first_equity, *(day.first_equity for day in begun)),
        first_balance=max(latest.first_balance, *(day.first_balance for day in begun)),
    )


def unstated_base(context: TradingContext, row: TradingAccount) -> str | None:
    """Return what to do if the firm's rules would count from a balance that nobody has stated."""
    if context.rule_set is None or row.base != TradingAccount.Base.FIRST_SEEN:
        return None
    return (
        f"{context.rule_set.name} needs the balance that its stage began with; Argo first saw "
        f"{row.start_balance:.2f}. State it with account --starting-balance"
    )


def warn_of_unstated_base(context: TradingContext) -> None:
    """Ask in the log to confirm a starting balance that was never stated."""
    row = TradingAccount.objects.filter(name=context.account).first()
    if context.rule_set is not None and row is not None and row.base in UNSTATED:
        logger.warning(
            "%s counts from %.2f, the first balance that Argo saw. Confirm or correct it with "
            "account --starting-balance", context.rule_set.name, row.start_balance,
        )  # fmt: skip


def broken_rules(context: TradingContext, money: Account) -> list[Denial]:
    """Return the firm's broken rules: each is a reason against every new trade.

    A broken rule counts even if its halt was lifted. Without a stated starting balance no rule can
    be measured, so every trade is denied.
    """
    if context.rule_set is None:
        return []
    if why := unstated_base(context, account_row(context, money)):
        return [Denial(Reason.PROP_FIRM, why)]
    broken = [each for each in measures(context, context.rule_set, money) if each.breached]
    return [Denial(Reason.PROP_FIRM, f"{context.rule_set.name}: {each.text}") for each in broken]


def flat_time(context: TradingContext, symbol: str, now: datetime) -> list[Denial]:
    """Return the firm's reason against a trade at a time when nothing may be held."""
    if context.rule_set is None or not must_be_flat(context.rule_set, now, context.hours(symbol)):
        return []
    return [Denial(Reason.FLAT, f"{context.rule_set.name} allows no position in {symbol} now")]
