"""How an account does by its firm's rules: used, limit and what is left of each."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from execution.money import HUNDRED, ZERO
from execution.prop_firm.curve import Curve, Level, checked, daily_level, drawdown_level
from execution.prop_firm.days import Day, NotMeasurable, check, record
from execution.prop_firm.rule_set import RuleSet
from execution.types import HaltCode

LIMITS = (HaltCode.DRAWDOWN, HaltCode.DAILY_LOSS)
"""The codes of the rules that end the account when they are broken."""


class Measure(NamedTuple):
    """One rule, and how the account does by it.

    For a limit (`is_breach`: breaking it ends the account), `limit` is the money between the basis
    of the loss and the level, `used` is the loss so far (negative if there is a gain), and `left`
    is what may still be lost: used + left = limit. Reaching the level exactly breaks the limit.

    Other rules are conditions for a payout or the next stage, never a breach: `used` is what is
    there, `limit` is what is needed (for `consistency`: what the best day may have made), and
    `left` is what is missing. The unit is money; days for `min_days`.
    """

    code: str
    text: str
    used: Decimal
    limit: Decimal
    left: Decimal
    met: bool
    is_breach: bool

    @property
    def breached(self) -> bool:
        """Return whether a limit is broken: nothing may be traded any more."""
        return self.is_breach and not self.met

    @property
    def percent_used(self) -> Decimal | None:
        """Return `used` in percent of `limit`; None if the limit is 0."""
        return self.used / self.limit * HUNDRED if self.limit else None


def measure(
    rule_set: RuleSet,
    starting_balance: Decimal,
    days: Sequence[Day],
    equity: Decimal,
    balance: Decimal,
    *,
    days_done: int = 0,
) -> list[Measure]:
    """Return every rule of the set that can be measured, limits first.

    `days` are all days since the account began, oldest first, including today: record the present
    mark before. `days_done` are days before them. Raises `NotMeasurable` if a figure is not a
    number or if there is no day.
    """
    curve = checked(Curve(starting_balance, days, equity, balance, days_done))
    found = (ask(rule_set, curve) for ask in MEASURES)
    return [each for each in found if each is not None]


def after_loss(
    rule_set: RuleSet,
    starting_balance: Decimal,
    days: Sequence[Day],
    equity: Decimal,
    balance: Decimal,
    loss: Decimal,
    *,
    days_done: int = 0,
) -> list[Measure]:
    """Return the measures after a loss of `loss` now, closed, as a trade at its stop would make it.

    Equity and balance both fall by it; the peaks stay. Raises `NotMeasurable` as `measure` does,
    and if the loss is negative.
    """
    check(loss=loss)
    if loss < 0:
        raise NotMeasurable(f"the loss is {loss}, not 0 or above")
    checked(Curve(starting_balance, days, equity, balance))
    today = record(days, days[-1].day, equity, balance, 0)  # the present equity may be a peak
    return measure(
        rule_set, starting_balance, [*days[:-1], today], equity - loss, balance - loss,
        days_done=days_done,
    )  # fmt: skip


def drawdown(rule_set: RuleSet, curve: Curve) -> Measure | None:
    """Return the loss since the start or since the peak."""
    if rule_set.drawdown is None:
        return None
    watched = rule_set.drawdown.watched
    level = drawdown_level(rule_set.drawdown, curve)
    return _limit(HaltCode.DRAWDOWN, level, watched, curve.now(watched))


def daily_loss(rule_set: RuleSet, curve: Curve) -> Measure | None:
    """Return the loss of today, open positions included."""
    if rule_set.daily_loss is None:
        return None
    level = daily_level(rule_set.daily_loss, curve)
    return _limit(HaltCode.DAILY_LOSS, level, "equity", curve.equity)


def _limit(code: str, level: Level, figure: str, now: Decimal) -> Measure:
    left = now - level.level
    where = f"{left:.2f} above" if left > 0 else f"{-left:.2f} below"
    text = f"the {figure} of {now:.2f} is {where} the level of {level.level:.2f}"
    return Measure(
        code, text, level.basis - now, level.basis - level.level, left, met=left > 0, is_breach=True
    )


def min_days(rule_set: RuleSet, curve: Curve) -> Measure | None:
    """Return the number of days that count so far."""
    if rule_set.min_days is None:
        return None
    done, wanted = Decimal(_days_that_count(rule_set, curve)), Decimal(rule_set.min_days)
    text = f"{done} of {wanted} trading days are done"
    return _condition("min_days", text, done, wanted)


def _days_that_count(rule_set: RuleSet, curve: Curve) -> int:
    if rule_set.min_day_profit is None:
        return curve.days_done + sum(day.trades > 0 for day in curve.days)
    least = curve.starting_balance * rule_set.min_day_profit / HUNDRED
    return curve.days_done + sum(profit >= least for profit in curve.daily_profits)


def target(rule_set: RuleSet, curve: Curve) -> Measure | None:
    """Return the profit of closed trades so far."""
    if rule_set.target is None:
        return None
    wanted = curve.starting_balance * rule_set.target / HUNDRED
    text = f"a profit of {curve.profit:.2f} is closed; the target is {wanted:.2f}"
    return _condition("target", text, curve.profit, wanted)


def _condition(code: str, text: str, used: Decimal, limit: Decimal) -> Measure:
    left = max(limit - used, ZERO)
    return Measure(code, text, used, limit, left, met=left == 0, is_breach=False)


def consistency(rule_set: RuleSet, curve: Curve) -> Measure | None:
    """Return the share of the best day; `left` is the profit that other days must still make."""
    if rule_set.consistency is None:
        return None
    best, most = max(curve.daily_profits), curve.profit * rule_set.consistency / HUNDRED
    left = max(best * HUNDRED / rule_set.consistency - curve.profit, ZERO)
    met = curve.profit > 0 and best <= most
    text = f"the best day made {best:.2f} of a profit of {curve.profit:.2f}; it may have made "
    text += f"{rule_set.consistency}% of it"
    return Measure("consistency", text, best, max(most, ZERO), left, met, is_breach=False)


MEASURES: tuple[Callable[[RuleSet, Curve], Measure | None], ...] = (
    drawdown, daily_loss, min_days, consistency, target,
)  # fmt: skip
