"""What the limits are counted from: levels on the equity curve, never sums of closed profits."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from execution.money import HUNDRED
from execution.prop_firm.days import Day, NoStanding, check
from execution.prop_firm.rule_set import DailyLoss, Drawdown, Figure, Trail


class Curve(NamedTuple):
    """An account from its starting balance to now; the last of `days` is the day under way."""

    starting_balance: Decimal
    days: Sequence[Day]
    equity: Decimal
    balance: Decimal

    def now(self, figure: Figure) -> Decimal:
        """The equity or the balance as it is."""
        return self.equity if figure == "equity" else self.balance

    @property
    def profit(self) -> Decimal:
        """Of closed trades since the start; below 0 a loss."""
        return self.balance - self.starting_balance

    @property
    def daily_profits(self) -> list[Decimal]:
        """Of closed trades, one for each day, adding up to `profit`."""
        ends = [self.starting_balance, *(day.last_balance for day in self.days[:-1]), self.balance]
        return [end - start for start, end in pairwise(ends)]


class Level(NamedTuple):
    """`level` must not be reached from above; `basis` is what the loss is counted from."""

    basis: Decimal
    level: Decimal


def checked(curve: Curve) -> Curve:
    """The curve itself.

    Raises `NoStanding` for one without a day, with days out of order, or with what is no number.
    """
    check(starting_balance=curve.starting_balance, equity=curve.equity, balance=curve.balance)
    if curve.starting_balance <= 0:
        raise NoStanding(f"the starting balance is {curve.starting_balance}, not above 0")
    if not curve.days:
        raise NoStanding("no day is recorded yet: record the mark before it is measured")
    if any(later.day <= earlier.day for earlier, later in pairwise(curve.days)):
        raise NoStanding("the days are not in order, the oldest first")
    for day in curve.days:
        check(**{field: figure for field, figure in day._asdict().items() if field in MONEY})
    return curve


MONEY = frozenset(Day._fields) - {"day", "trades"}


def drawdown_level(rule: Drawdown, curve: Curve) -> Level:
    """The level of the drawdown now. A trailing one never falls from one mark to the next."""
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
    """The level that the equity must not reach on the day under way."""
    today = curve.days[-1]
    basis = {
        "equity": today.first_equity,
        "balance": today.first_balance,
        "higher": max(today.first_equity, today.first_balance),
    }[rule.basis]
    whole = curve.starting_balance if rule.percent_of == "start" else basis
    return Level(basis, basis - whole * rule.percent / HUNDRED)
