"""When a firm wants nothing to be held."""

from datetime import UTC, date, datetime, timedelta

from execution.prop_firm.days import ONE_DAY, day_end, trading_day
from execution.prop_firm.rule_set import Flat, RuleSet
from signals.market.hours import TradingHours

WEEK = timedelta(days=7)
FRIDAY = 4
LONGEST_CLOSURE = timedelta(days=14)
"""No market stays closed for longer; past it nothing is known, and nothing may be held."""


def must_be_flat(rule_set: RuleSet, moment: datetime, hours: TradingHours) -> bool:
    """Whether nothing may be held at `moment` of what trades in `hours`.

    By `close`: so many minutes before a session ends, and until the next one begins. By `weekend`:
    the same of the week's last session and the next week's first; weeks end on Saturday, so that
    this holds where Friday is free too. A market that trades on all seven days has neither: there
    `close` is the end of the firm's trading day, and the weekend lasts from the end of the firm's
    Friday to that of its Sunday (17:00 for days that begin at 17:00, else midnight or as `reset`
    says).

    Where nothing is known of the market's sessions the answer is yes. Raises `NotMeasurable` for a
    moment without a time zone.
    """
    flat = rule_set.flat
    if flat is None:
        return False
    today = trading_day(rule_set, moment)
    if _past_time(rule_set, flat, today, moment):
        return True
    market_day = hours.day_of(moment)
    if len(hours.days(market_day - WEEK + ONE_DAY, market_day)) == WEEK.days:
        return _past_firms_day(rule_set, flat, today, moment)
    return _past_session(flat, moment, hours)


def _past_time(rule_set: RuleSet, flat: Flat, today: date, moment: datetime) -> bool:
    """Whether it is about `at` or later, on a firm's day that has to end without positions."""
    if flat.at is None or (flat.by == "weekend" and today.weekday() != FRIDAY):
        return False
    zone, end = rule_set.time_zone, day_end(rule_set, today)
    calendar_day = end.astimezone(zone).date()
    latest = datetime.combine(calendar_day, flat.at, zone).astimezone(UTC)
    if latest > end:
        latest = datetime.combine(calendar_day - ONE_DAY, flat.at, zone).astimezone(UTC)
    return moment >= latest - timedelta(minutes=flat.minutes_before)


def _past_firms_day(rule_set: RuleSet, flat: Flat, today: date, moment: datetime) -> bool:
    ending = moment >= day_end(rule_set, today) - timedelta(minutes=flat.minutes_before)
    if flat.by == "close":
        return ending
    return today.weekday() > FRIDAY or (today.weekday() == FRIDAY and ending)


def _past_session(flat: Flat, moment: datetime, hours: TradingHours) -> bool:
    session = _session(moment, hours)
    if session is None:
        return True
    day, end = session
    ending = moment >= end - timedelta(minutes=flat.minutes_before)
    closed = not hours.is_open(moment)
    if flat.by == "close":
        return ending or closed
    sunday = day - timedelta(days=day.isoweekday() % WEEK.days)
    is_first = not hours.days(sunday, day - ONE_DAY)
    is_last = not hours.days(day + ONE_DAY, sunday + WEEK - ONE_DAY)
    return (is_last and ending) or (is_first and closed)


def _session(moment: datetime, hours: TradingHours) -> tuple[date, datetime] | None:
    """The session under way, or the next one, and when it ends."""
    today = hours.day_of(moment)
    for day in hours.days(today, today + LONGEST_CLOSURE):
        end = hours.close_of(day)
        if end is not None and end >= moment:
            return day, end
    return None
