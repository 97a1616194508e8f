"""The risk rules: each is a pure function that returns a `Denial` or None.

All rules are asked, and every denial is reported. The rules fail closed: a missing figure, a figure
that is not a number, or an exception in a rule denies the trade.
"""

import logging
import math
from collections.abc import Callable
from datetime import datetime

from execution.money import HUNDRED, ONE
from execution.risk.model import Intent, Limits, Portfolio
from execution.types import Denial, Reason, Side

logger = logging.getLogger(__name__)

Rule = Callable[[Intent, Portfolio, Limits, datetime], Denial | None]


def halted(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny while trading is halted; only a person lifts a halt."""
    if portfolio.halt is None:
        return None
    return Denial(Reason.HALT, f"trading is halted: {portfolio.halt}")


def figures(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if a figure is not a number, or not above 0 though it must be."""
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
    return Denial(Reason.FIGURES, f"{', '.join(wrong)}: not a number above 0") if wrong else None


def confidence(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """Deny if the confidence is too low."""
    wanted = limits.confidence_for(intent)
    if math.isfinite(intent.confidence) and intent.confidence >= wanted:
        return None
    return Denial(Reason.CONFIDENCE, f"confidence {intent.confidence:g} is below {wanted:g}")


def symbol(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny a symbol that may not be traded."""
    if intent.symbol in limits.restricted:
        return Denial(Reason.SYMBOL, f"{intent.symbol} is restricted")
    if limits.allowed is not None and intent.symbol not in limits.allowed:
        return Denial(Reason.SYMBOL, f"{intent.symbol} is not among the allowed symbols")
    return None


def currency(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny a price that is not in the account's currency: no figure would be right."""
    if intent.currency in limits.currencies:
        return None
    known = f"is in {intent.currency}" if intent.currency else "is in an unknown currency"
    text = f"the price of {intent.symbol} {known}; the account is in "
    return Denial(Reason.CURRENCY, text + ", ".join(sorted(limits.currencies)))


def multiplier(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """Deny if one unit is not worth its price, as with most futures: no figure would be right."""
    if intent.unit_value == ONE:
        return None
    if intent.unit_value is None:
        text = f"it is not known how much one {intent.symbol} is worth"
    else:
        text = f"one {intent.symbol} is worth {intent.unit_value} times its price"
    return Denial(Reason.MULTIPLIER, text)


def session(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny unless the market is known to be open."""
    if intent.market_open:
        return None
    known = "is closed" if intent.market_open is False else "may be closed: its state is not known"
    return Denial(Reason.SESSION, f"the market of {intent.symbol} {known}")


def price(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny without a fresh, valid price."""
    if intent.price is None or intent.price_time is None:
        return Denial(Reason.PRICE, f"there is no price of {intent.symbol}")
    if not (intent.price.is_finite() and intent.price > 0):
        return Denial(Reason.PRICE, f"a price of {intent.price} is not valid")
    age = (now - intent.price_time).total_seconds()
    if abs(age) <= limits.price_max_age:
        return None
    return Denial(
        Reason.PRICE, f"the price is {age:.0f} s old; the limit is {limits.price_max_age:g} s"
    )


def distance(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the price has moved too far from the entry."""
    if intent.price is None:
        return None  # `price` denies
    off = abs(intent.price - intent.entry) / intent.entry * HUNDRED
    if off <= limits.max_distance:
        return None
    return Denial(Reason.DISTANCE, f"the price is {off:.2f}% from the entry; the "
                  f"limit is {limits.max_distance}%")  # fmt: skip


def levels(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the stop or the target is on the wrong side of the price."""
    sign = 1 if intent.side is Side.BUY else -1
    at = intent.price if intent.price is not None else intent.entry
    if sign * (at - intent.stop) > 0 and sign * (intent.target - at) > 0:
        return None
    return Denial(Reason.LEVELS, f"at {at} the stop {intent.stop} or the target {intent.target} is "
                  "already reached")  # fmt: skip


def stop(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the stop is too far from the entry."""
    if limits.max_stop is None:
        return None
    away = abs(intent.entry - intent.stop) / intent.entry * HUNDRED
    if away <= limits.max_stop:
        return None
    return Denial(
        Reason.STOP, f"the stop is {away:.2f}% from the entry; the limit is {limits.max_stop}%"
    )


def positions(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if there is no room for one more position."""
    number = len(portfolio.holdings) + 1
    if limits.max_positions is None or number <= limits.max_positions:
        return None
    text = f"it would be position {number}; the limit is {limits.max_positions}"
    return Denial(Reason.POSITIONS, text)


def held(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the opposite is held, or too many positions of the same symbol."""
    there = portfolio.of(intent.symbol)
    if any(holding.side is not intent.side for holding in there):
        return Denial(
            Reason.OPPOSITE, f"a position on the opposite side of {intent.symbol} is held"
        )
    if len(there) < limits.max_per_symbol:
        return None
    return Denial(Reason.HELD, f"{intent.symbol} is already held, {len(there)} of at most "
                  f"{limits.max_per_symbol} times")  # fmt: skip


def group(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if too many positions that move together are held."""
    if limits.max_per_group is None:
        return None
    for members in limits.groups:
        held = portfolio.in_group(members)
        if intent.symbol in members and len(held) >= limits.max_per_group:
            names = ", ".join(sorted(each.symbol for each in held))
            return Denial(Reason.GROUP, f"{names} are held, which move like {intent.symbol}")
    return None


def size(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the position would be too large, including what is already held of the symbol."""
    if limits.max_position is None:
        return None
    value = intent.value + portfolio.value_of(intent.symbol)
    most = limits.most_per_position(portfolio.equity)
    if value <= most:
        return None
    share = f"{limits.max_position}% of the equity"
    return Denial(Reason.SIZE, f"it would be worth {value:.2f}; {share} is {most:.2f}")


def buying_power(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """Deny if there is not enough buying power for this order."""
    if intent.value <= portfolio.buying_power:
        return None
    return Denial(Reason.BUYING_POWER, f"it costs {intent.value:.2f}; the buying power "
                  f"is {portfolio.buying_power:.2f}")  # fmt: skip


def daily_loss(
    intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime
) -> Denial | None:
    """Deny if the day has lost too much, open positions included."""
    if limits.max_daily_loss is None:
        return None
    lost = portfolio.lost_today
    if lost < limits.max_daily_loss:
        return None
    return Denial(Reason.DAILY_LOSS, f"the day has lost {lost:.2f}%; the limit is "
                  f"{limits.max_daily_loss}%")  # fmt: skip


def drawdown(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if the equity is too far below its peak, open positions included."""
    if limits.max_drawdown is None:
        return None
    below = portfolio.below_peak
    if below < limits.max_drawdown:
        return None
    return Denial(Reason.DRAWDOWN, f"the equity is {below:.2f}% below its peak; the limit is "
                  f"{limits.max_drawdown}%")  # fmt: skip


def pace(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny if there were too many orders within one minute."""
    if limits.orders_a_minute is None:
        return None
    recent = portfolio.orders_in_last_minute(now)
    if recent < limits.orders_a_minute:
        return None
    return Denial(Reason.PACE, f"{recent} orders in the last minute; the limit is "
                  f"{limits.orders_a_minute}")  # fmt: skip


def cooldown(intent: Intent, portfolio: Portfolio, limits: Limits, now: datetime) -> Denial | None:
    """Deny during the pause that follows several losses in a row."""
    if not limits.is_cooling_down(portfolio, now):
        return None
    passed = portfolio.seconds_since_loss(now)
    losses = f"{len(portfolio.losses)} losses in a row, the last {passed:.0f} s ago"
    return Denial(Reason.COOLDOWN, f"{losses}; the pause is {limits.cooldown:g} s")


RULES: tuple[Rule, ...] = (
    halted, figures, confidence, symbol, currency, multiplier, session, price, distance, levels,
    stop, positions, held, group, size, buying_power, daily_loss, drawdown, pace, cooldown,
)  # fmt: skip


def denials(
    intent: Intent,
    portfolio: Portfolio,
    limits: Limits,
    now: datetime,
    rules: tuple[Rule, ...] = RULES,
) -> list[Denial]:
    """Return every denial of the trade; it may be made only if there is none."""
    found = []
    for rule in rules:
        try:
            denial = rule(intent, portfolio, limits, now)
        except Exception as error:
            name = getattr(rule, "__name__", "a rule")
            logger.exception("The rule %s failed on signal %s", name, intent.signal_id)
            denial = Denial(Reason.RULE_FAILED, f"the rule {name} could not decide: {error!r}")
        if denial is not None:
            found.append(denial)
    return found
