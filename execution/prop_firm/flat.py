"""The times at which a firm allows no position."""

from datetime import UTC, date, datetime, timedelta

from execution.prop_firm.days import ONE_DAY, day_end, trading_day
from execution.prop_firm.rule_set import Flat, RuleSet
from signals.market.hours import TradingHours

WEEK = timedelta(days=7)
FRIDAY = 4
LONGEST_CLOSURE = timedelta(days=14)
"""No market is closed for longer. If no session is found, nothing may be held."""


def must_be_flat(rule_set: RuleSet, moment: datetime, hours: TradingHours) -> bool:
    """Return whether no position may be held at `moment` in a market with these `hours`.

    By `close`: from some minutes before a session ends until the next session begins. By `weekend`:
    the same, from the last session of a week to the first one of the next; a week ends on Saturday,
    so it works if Friday has no session. A market that trades on all seven days has neither. There,
    `close` is the end of the firm's trading day, and the weekend lasts from the end of the firm's
    Friday to the end of its Sunday (17:00 for days that begin at 17:00, otherwise midnight or the
    `reset`).

    True if nothing is known of the market's sessions. Raises `NotMeasurable` if the moment has no
    time zone.
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
    """Return whether `at` is near or past on a firm's day that must end without positions."""
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
    """Return the day and the end of the present session, or of the next one."""
    today = hours.day_of(moment)
    for day in hours.days(today, today + LONGEST_CLOSURE):
        end = hours.close_of(day)
        if end is not None and end >= moment:
            return day, end
    return None
