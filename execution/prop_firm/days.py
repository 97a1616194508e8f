"""A firm's trading days, and the equity curve that is kept of them, a row for each day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution.prop_firm.rule_set import RuleSet

ONE_DAY = timedelta(days=1)
NOON = 12


class NotMeasurable(ValueError):
    """What was given does not say how an account stands; the message says which figure is wrong."""


class Day(NamedTuple):
    """What is known of one trading day: money, in the account's currency.

    The `first` figures are those that the daily loss is counted from. `trades` were opened on it.
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


def day_start(rule_set: RuleSet, day: date) -> datetime:
    """When the firm's `day` begins, in UTC.

    A day that begins at noon or later has most of its hours on the next calendar day, and is named
    after that, as futures exchanges do: Friday's begins on Thursday at 17:00. A reset that the
    clocks skip comes with the skip; one that they show twice, the first time.
    """
    calendar_day = day - ONE_DAY if rule_set.reset.hour >= NOON else day
    return datetime.combine(calendar_day, rule_set.reset, rule_set.time_zone).astimezone(UTC)


def day_end(rule_set: RuleSet, day: date) -> datetime:
    """When the firm's `day` ends and the next begins, in UTC."""
    return day_start(rule_set, day + ONE_DAY)


def trading_day(rule_set: RuleSet, moment: datetime) -> date:
    """The firm's trading day at `moment`, whatever the clocks do: a later moment is never of an
    earlier day.

    Raises `NotMeasurable` for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise NotMeasurable(f"{moment} has no time zone")
    day = moment.astimezone(rule_set.time_zone).date() + ONE_DAY
    while day_start(rule_set, day) > moment:  # instants: wall clocks repeat an hour in autumn
        day -= ONE_DAY
    return day


def record(days: Sequence[Day], day: date, equity: Decimal, balance: Decimal, traded: int) -> Day:
    """The row that a new mark makes, to be kept in place of the one of its `day`.

    `days` are those kept, oldest first; `traded` is how many trades were opened since the last
    mark. A mark of a day before the latest (the clock went back) counts for the latest. What was
    lost since the last mark of the day before counts for the new day: nobody saw when it was lost,
    and a loss must not fall between two days. Raises `NotMeasurable` for what is no number.
    """
    check(equity=equity, balance=balance)
    if traded < 0:
        raise NotMeasurable(f"{traded} trades cannot have been opened")
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
    """Raise `NotMeasurable` for a figure that is no number: it would pass every comparison."""
    for name, value in figures.items():
        if not value.is_finite():
            raise NotMeasurable(f"{name} is {value}, not a number")
