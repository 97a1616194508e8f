"""Which day's report is due: that of the last day of the account that is over."""

from datetime import date, datetime, time, timedelta

from execution import factory
from execution.prop_firm.days import ONE_DAY, day_end, trading_day
from execution.prop_firm.rule_set import RuleSet


def end_of(day: date) -> datetime:
    """Return when the account's `day` ends, in UTC: a report of it has what was known then."""
    return day_end(_rules(), day)


def last_complete(now: datetime) -> date:
    """Return the last day of the account that is over."""
    return trading_day(_rules(), now) - ONE_DAY


def due_day(now: datetime, at: time) -> date:
    """Return the last day whose report is due: each is at the first `at` of the clock, in the
    account's time zone, when the day is over."""
    day = last_complete(now)
    return day if now >= _due(day, at) else day - ONE_DAY


def _due(day: date, at: time) -> datetime:
    end, zone = end_of(day), _rules().time_zone
    found = datetime.combine(end.astimezone(zone).date(), at, zone)
    return found if found >= end else found + timedelta(days=1)


def _rules() -> RuleSet:
    return factory.rule_set() or factory.days_without_firm()
