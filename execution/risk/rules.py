"""The risk rules: each a pure function that denies a trade, with a code and a sentence, or not.

All are asked and all that deny are told. They fail closed: what is missing, is no number, or makes
a rule raise denies the trade.
"""

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution.risk.model import Intent, Limits, Portfolio

logger = logging.getLogger(__name__)

HUNDRED = Decimal(100)
MINUTE = timedelta(minutes=1)


class Denial(NamedTuple):
    """Why a trade is not made: a word to count by, and a sentence to read."""

    code: str
    text: str


Rule = Callable[[Intent, Portfolio, Limits, datetime], Denial | None]


def halted(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """A halt lasts until a person lifts it."""
    if portfolio.halt is None:
        return None
    return Denial("halt", f"trading is halted: {portfolio.halt}")


def figures(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Every figure is a number, and those that must be above 0 are."""
    above_zero = {
        "quantity": intent.quantity,
        "entry": intent.entry,
        "stop": intent.stop,
        "target": intent.target,
        "equity": portfolio.equity,
        "the day's first equity": portfolio.day_start,
        "the highest equity": portfolio.peak,
    }
    wrong = [name for name, value in above_zero.items() if not (value.is_finite() and value > 0)]
    if not portfolio.buying_power.is_finite():
        wrong.append("buying power")
    return Denial("figures", f"{', '.join(wrong)}: not a number above 0") if wrong else None


def confidence(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """The signal is sure enough."""
    wanted = limits.confidence_for(intent)
    if math.isfinite(intent.confidence) and intent.confidence >= wanted:
        return None
    return Denial("confidence", f"confidence {intent.confidence:g} is below {wanted:g}")


def symbol(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The symbol may be traded."""
    if intent.symbol in limits.restricted:
        return Denial("symbol", f"{intent.symbol} is restricted")
    if limits.allowed is not None and intent.symbol not in limits.allowed:
        return Denial("symbol", f"{intent.symbol} is none of the symbols that are allowed")
    return None


def session(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The market is open."""
    if intent.market_open:
        return None
    known = "is closed" if intent.market_open is False else "may be closed: that is not known"
    return Denial("session", f"the market of {intent.symbol} {known}")


def price(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """There is a fresh price."""
    if intent.price is None or intent.price_time is None:
        return Denial("price", f"there is no price of {intent.symbol}")
    if not (intent.price.is_finite() and intent.price > 0):
        return Denial("price", f"a price of {intent.price} is none")
    age = (now - intent.price_time).total_seconds()
    if abs(age) <= limits.price_max_age:
        return None
    return Denial("price", f"the price is {age:.0f} s old; it may be {limits.price_max_age:g} s")


def distance(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The price has not run away from the entry."""
    if intent.price is None:
        return None  # `price` denies
    off = abs(intent.price - intent.entry) / intent.entry * HUNDRED
    if off <= limits.max_distance:
        return None
    return Denial("distance", f"the price is {off:.2f}% from the entry; it may be "
                  f"{limits.max_distance}%")  # fmt: skip


def levels(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Stop and target lie on their sides of the price."""
    sign = 1 if intent.side == "BUY" else -1
    at = intent.price if intent.price is not None else intent.entry
    if sign * (at - intent.stop) > 0 and sign * (intent.target - at) > 0:
        return None
    return Denial("levels", f"at {at} the stop {intent.stop} or the target {intent.target} is "
                  "reached already")  # fmt: skip


def stop(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The stop is not too far away."""
    if limits.max_stop is None:
        return None
    away = abs(intent.entry - intent.stop) / intent.entry * HUNDRED
    if away <= limits.max_stop:
        return None
    return Denial("stop", f"the stop is {away:.2f}% from the entry; it may be {limits.max_stop}%")


def positions(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """There is room for one more position."""
    number = len(portfolio.holdings) + 1
    if limits.max_positions is None or number <= limits.max_positions:
        return None
    text = f"it would be position {number}; there may be {limits.max_positions}"
    return Denial("positions", text)


def held(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Nothing is held against it, and not too much of the same."""
    there = portfolio.of(intent.symbol)
    if any(holding.side is not intent.side for holding in there):
        return Denial("opposite", f"the opposite of it is held in {intent.symbol}")
    if len(there) < limits.max_per_symbol:
        return None
    return Denial("held", f"{intent.symbol} is held already, {len(there)} of at most "
                  f"{limits.max_per_symbol}")  # fmt: skip


def group(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Not too many positions that move together."""
    if limits.max_per_group is None:
        return None
    for members in limits.groups:
        held = [each.symbol for each in portfolio.holdings if each.symbol in members]
        if intent.symbol in members and len(held) >= limits.max_per_group:
            names = ", ".join(sorted(held))
            return Denial("group", f"{names} are held, which move like {intent.symbol}")
    return None


def size(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The position is not too large, what is held of the symbol included."""
    if limits.max_position is None:
        return None
    value = intent.value + sum(holding.value for holding in portfolio.of(intent.symbol))
    most = portfolio.equity * limits.max_position / HUNDRED
    if value <= most:
        return None
    return Denial("size", f"it would be worth {value:.2f}; {limits.max_position}% of the equity is "
                  f"{most:.2f}")  # fmt: skip


def buying_power(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """There is money for this very order."""
    if intent.value <= portfolio.buying_power:
        return None
    return Denial("buying_power", f"it costs {intent.value:.2f}; there is "
                  f"{portfolio.buying_power:.2f} to buy with")  # fmt: skip


def daily_loss(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """The day has not lost too much, open positions included."""
    if limits.max_daily_loss is None:
        return None
    lost = _percent_below(portfolio.day_start, portfolio.equity)
    if lost < limits.max_daily_loss:
        return None
    return Denial("daily_loss", f"the day has lost {lost:.2f}%; it may lose "
                  f"{limits.max_daily_loss}%")  # fmt: skip


def drawdown(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """The equity is not too far below its peak, open positions included."""
    if limits.max_drawdown is None:
        return None
    below = _percent_below(portfolio.peak, portfolio.equity)
    if below < limits.max_drawdown:
        return None
    return Denial("drawdown", f"the equity is {below:.2f}% below its peak; it may be "
                  f"{limits.max_drawdown}%")  # fmt: skip


def _percent_below(level: Decimal, equity: Decimal) -> Decimal:
    return (level - equity) / level * HUNDRED


def pace(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Not too many orders in a minute."""
    if limits.orders_a_minute is None:
        return None
    recent = sum(now - MINUTE < moment for moment in portfolio.orders)
    if recent < limits.orders_a_minute:
        return None
    return Denial("pace", f"{recent} orders in the last minute; there may be "
                  f"{limits.orders_a_minute}")  # fmt: skip


def cooldown(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """After several losses in a row there is a pause."""
    if len(portfolio.losses) < limits.losses_in_a_row:
        return None
    passed = (now - max(portfolio.losses)).total_seconds()
    if passed >= limits.cooldown:
        return None
    return Denial("cooldown", f"{len(portfolio.losses)} losses in a row, the last {passed:.0f} s "
                  f"ago; the pause is {limits.cooldown:g} s")  # fmt: skip


RULES: tuple[Rule, ...] = (
    halted, figures, confidence, symbol, session, price, distance, levels, stop, positions, held,
    group, size, buying_power, daily_loss, drawdown, pace, cooldown,
)  # fmt: skip


def denials(
    intent: Intent,
    portfolio: Portfolio,
    limits: Limits,
    now: datetime,
    rules: tuple[Rule, ...] = RULES,
) -> list[Denial]:
    """Everything that speaks against the trade; it may be made only where this is empty."""
    found = (_asked(rule, intent, portfolio, limits, now) for rule in rules)
    return [denial for denial in found if denial is not None]


def _asked(
    rule: Rule, intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    try:
        return rule(intent, portfolio, limits, now)
    except Exception as error:
        name = getattr(rule, "__name__", "a rule")
        logger.exception("The rule %s failed on signal %s", name, intent.signal_id)
        return Denial("rule_failed", f"the rule {name} could not decide: {error!r}")
