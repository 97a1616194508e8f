"""The levels that the limits are counted from: on the equity curve, not sums of closed profits."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from execution.money import HUNDRED
from execution.prop_firm.days import MONEY, Day, NotMeasurable, check
from execution.prop_firm.rule_set import DailyLoss, Drawdown, Figure, Trail


class Curve(NamedTuple):
    """An account from its starting balance to now; the last of `days` is today.

    `days_done` are days that count, but that are not among `days`.
    """

    starting_balance: Decimal
    days: Sequence[Day]
    equity: Decimal
    balance: Decimal
    days_done: int = 0

    def now(self, figure: Figure) -> Decimal:
        """Return the present equity or balance."""
        return self.equity if figure == "equity" else self.balance

    @property
    def profit(self) -> Decimal:
        """Return the profit of closed trades since the start; negative if it is a loss."""
        return self.balance - self.starting_balance

    @property
    def daily_profits(self) -> list[Decimal]:
        """Return the profit of closed trades of each day; they add up to `profit`."""
        ends = [self.starting_balance, *(day.last_balance for day in self.days[:-1]), self.balance]
        return [end - start for start, end in pairwise(ends)]


class Level(NamedTuple):
    """Reaching `level` from above is a breach; the loss is counted from `basis`."""

    basis: Decimal
    level: Decimal


def checked(curve: Curve) -> Curve:
    """Return the curve itself.

    Raises `NotMeasurable` if it has no day, if its days are out of order, or if a figure is not a
    number.
    """
    check(starting_balance=curve.starting_balance, equity=curve.equity, balance=curve.balance)
    if curve.starting_balance <= 0:
        raise NotMeasurable(f"the starting balance is {curve.starting_balance}, not above 0")
    if not curve.days:
        raise NotMeasurable("no day is recorded yet: record a mark first")
    if any(later.day <= earlier.day for earlier, later in pairwise(curve.days)):
        raise NotMeasurable("the days are not in order, oldest first")
    for day in curve.days:
        check(**{field: figure for field, figure in day._asdict().items() if field in MONEY})
    return curve


def drawdown_level(rule: Drawdown, curve: Curve) -> Level:
    """Return the drawdown's present level. A trailing level never falls."""
    peak = _peak(rule.trail, curve) if rule.trail else curve.starting_balance
    whole = peak if rule.percent_of == "peak" else curve.starting_balance
    level = peak - whole * rule.percent / HUNDRED
    if rule.trail and rule.trail.stops_at_start:
        level = min(level, curve.starting_balance)
    return Level(peak, level)


def _peak(trail: Trail, curve: Curve) -> Decimal:
    if trail.rises == "at_day_end":
        reached = [_last(day, trail.peak) for day in curve.days[:-1]]
    else:
        reached = [_highest(day, trail.peak) for day in curve.days] + [curve.now(trail.peak)]
    return max([curve.starting_balance, *reached])


def _last(day: Day, figure: Figure) -> Decimal:
    return day.last_equity if figure == "equity" else day.last_balance


def _highest(day: Day, figure: Figure) -> Decimal:
    return day.highest_equity if figure == "equity" else day.highest_balance


def daily_level(rule: DailyLoss, curve: Curve) -> Level:
    """Return the level that the equity must not reach today."""
    today = curve.days[-1]
    basis = {
        "equity": today.first_equity,
        "balance": today.first_balance,
        "higher": max(today.first_equity, today.first_balance),
    }[rule.basis]
    whole = curve.starting_balance if rule.percent_of == "start" else basis
    return Level(basis, basis - whole * rule.percent / HUNDRED)
