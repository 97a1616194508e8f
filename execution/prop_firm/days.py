"""A firm's trading days, and the equity curve that is kept of them: one row for each day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution.prop_firm.rule_set import RuleSet

ONE_DAY = timedelta(days=1)
NOON = 12


class NotMeasurable(ValueError):
    """The figures given cannot be measured; the message says which one is wrong."""


class Day(NamedTuple):
    """The equity and balance of one trading day, in the account's currency.

    The daily loss is counted from the `first` figures. `trades` is how many trades were opened.
    """

    day: date
    first_equity: Decimal
    first_balance: Decimal
    highest_equity: Decimal
    highest_balance: Decimal
    lowest_equity: Decimal
    last_equity: Decimal
    last_balance: Decimal
    trades: int


MONEY = tuple(name for name in Day._fields if name not in ("day", "trades"))
"""The fields of a day that are money."""


def moved(day: Day, amount: Decimal) -> Day:
    """Return the day as if `amount` had been paid in before it began; it is no profit of it."""
    return day._replace(**{name: getattr(day, name) + amount for name in MONEY}) if amount else day


def moved_within(day: Day, before: Decimal, amount: Decimal) -> Day:
    """Return the day as if `amount`, which its last figures include, had been paid in before it.

    `before` is the balance with which the day before ended. It shows if the first figures include
    the amount, too.
    """
    gain = day.first_balance - before
    if abs(gain - amount) < abs(gain):
        return day
    out = min(amount, Decimal(0))
    first = {name: getattr(day, name) + amount for name in ("first_equity", "first_balance")}
    return day._replace(
        **first,
        highest_equity=max(day.highest_equity + out, first["first_equity"], day.last_equity),
        highest_balance=max(day.highest_balance + out, first["first_balance"], day.last_balance),
        lowest_equity=min(day.lowest_equity + amount - out, day.last_equity),
    )


def day_start(rule_set: RuleSet, day: date) -> datetime:
    """Return when the firm's `day` begins, in UTC.

    If the reset is at noon or later, the day has the date of the next calendar day, as at futures
    exchanges: Friday begins on Thursday at 17:00. If the clocks skip the reset time, the
    day begins at the skip; if they show it twice, at the first time.
    """
    calendar_day = day - ONE_DAY if rule_set.reset.hour >= NOON else day
    return datetime.combine(calendar_day, rule_set.reset, rule_set.time_zone).astimezone(UTC)


def day_end(rule_set: RuleSet, day: date) -> datetime:
    """Return when the firm's `day` ends and the next one begins, in UTC."""
    return day_start(rule_set, day + ONE_DAY)


def trading_day(rule_set: RuleSet, moment: datetime) -> date:
    """Return the firm's trading day at `moment`.

    A later moment never has an earlier day, even when the clocks change. Raises `NotMeasurable` if
    the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise NotMeasurable(f"{moment} has no time zone")
    day = moment.astimezone(rule_set.time_zone).date() + ONE_DAY
    while day_start(rule_set, day) > moment:  # local times repeat an hour in autumn
        day -= ONE_DAY
    return day


def record(days: Sequence[Day], day: date, equity: Decimal, balance: Decimal, traded: int) -> Day:
    """Return the row that a new mark makes; it replaces the row of its day.

    `days` are the rows so far, oldest first; `traded` is how many trades were opened since the last
    mark. A mark of an earlier day (the clock went back) counts for the latest day. A loss between
    yesterday's last mark and today's first counts for today, because nobody knows when it happened:
    the first equity is the higher of the two. Raises `NotMeasurable` if a figure is not a number.
    """
    check(equity=equity, balance=balance)
    if traded < 0:
        raise NotMeasurable(f"the number of trades is {traded}, not 0 or above")
    latest = days[-1] if days else None
    if latest is None or day > latest.day:
        return _first(latest, day, equity, balance, traded)
    return latest._replace(
        highest_equity=max(latest.highest_equity, equity),
        highest_balance=max(latest.highest_balance, balance),
        lowest_equity=min(latest.lowest_equity, equity),
        last_equity=equity,
        last_balance=balance,
        trades=latest.trades + traded,
    )


def _first(before: Day | None, day: date, equity: Decimal, balance: Decimal, traded: int) -> Day:
    first_equity = max(equity, before.last_equity) if before else equity
    first_balance = max(balance, before.last_balance) if before else balance
    return Day(
        day,
        first_equity,
        first_balance,
        highest_equity=first_equity,
        highest_balance=first_balance,
        lowest_equity=equity,
        last_equity=equity,
        last_balance=balance,
        trades=int(traded),
    )


def check(**figures: Decimal) -> None:
    """Raise `NotMeasurable` for a figure that is not a number: it would pass every comparison."""
    for name, value in figures.items():
        if not value.is_finite():
            raise NotMeasurable(f"{name} is {value}, not a number")
