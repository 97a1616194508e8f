"""How much to trade: pure functions of money, prices and the instrument's step.

Every quantity is rounded down to the step, so that rounding never breaks a limit. Zero means that
even one step would be too much.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

from execution.money import HUNDRED, ONE, ZERO
from execution.risk.model import Intent, Limits, Portfolio
from execution.types import Denial, Reason

_DOWN = Context(rounding=ROUND_DOWN)


class NoSize(ValueError):
    """The figures give no quantity; the message says which figure is wrong."""


@dataclass(frozen=True)
class Sizing:
    """The sizing policy: `percent` of the equity is put at risk, or spent.

    `by_risk`: a trade may lose that share at its stop; otherwise it may cost that share.
    `is_scaled`: trade less if the confidence is below 100 or the instrument is more volatile than
    usual; never more.
    """

    by_risk: bool = True
    percent: Decimal = Decimal("0.5")
    is_scaled: bool = False

    def quantity(self, equity: Decimal, intent: Intent, threshold: float, step: Decimal) -> Decimal:
        """Return the quantity in multiples of `step`; 0 if one step would be too much.

        `threshold` is the lowest confidence that is traded, 0 to 100. Raises `NoSize`.
        """
        percent = self.percent * (self._scale(intent, threshold) if self.is_scaled else ONE)
        if percent == ZERO:
            return ZERO
        if self.by_risk:
            return fixed_risk(equity, intent.at_risk, intent.stop, percent, step)
        return fixed_fraction(equity, intent.dearest, percent, step)

    def _scale(self, intent: Intent, threshold: float) -> Decimal:
        if intent.volatility is None or intent.usual_volatility is None:
            raise NoSize(f"there are too few bars of {intent.symbol} to measure its volatility")
        return scale(
            Decimal(str(intent.confidence)),
            Decimal(str(threshold)),
            intent.volatility,
            intent.usual_volatility,
        )


def sized(
    sizing: Sizing, intent: Intent, portfolio: Portfolio, limits: Limits, step: Decimal
) -> Decimal:
    """Return the quantity that the policy gives, capped by what the trade may cost.

    0 if not even one step may be traded. Raises `NoSize` or `ArithmeticError` if the figures give
    no quantity.
    """
    threshold = limits.confidence_for(intent)
    wanted = sizing.quantity(portfolio.equity, intent, threshold, step)
    return min(wanted, to_step(most_affordable(intent, portfolio, limits) / intent.dearest, step))


def with_quantity(
    sizing: Sizing, intent: Intent, portfolio: Portfolio, limits: Limits, step: Decimal
) -> tuple[Intent, list[Denial]]:
    """Return the intent with the quantity that sizing and the limits allow, and any denial."""
    try:
        quantity = sized(sizing, intent, portfolio, limits, step)
    except (NoSize, ArithmeticError) as error:
        return intent, [Denial(Reason.SIZING, f"no quantity can be calculated: {error}")]
    if quantity <= ZERO:
        text = f"not even one step of {step} {intent.symbol} may be traded"
        return intent, [Denial(Reason.TOO_SMALL, text)]
    return intent.of_quantity(quantity), []


def most_affordable(intent: Intent, portfolio: Portfolio, limits: Limits) -> Decimal:
    """Return the most that this trade may cost: the buying power, and what the limit of a position
    leaves after the value already held of its symbol."""
    if limits.max_position is None:
        return portfolio.buying_power
    room = limits.most_per_position(portfolio.equity) - portfolio.value_of(intent.symbol)
    return min(portfolio.buying_power, room)


def to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` that is not above `quantity`; never below 0.

    Raises `NoSize` if `step` is not above 0 or `quantity` is not a number.
    """
    if not (quantity.is_finite() and step.is_finite() and step > 0):
        _check(quantity=quantity)
        _check_above_zero(step=step)
    if quantity <= 0:
        return ZERO
    steps = _DOWN.divide(quantity, step)  # the division is rounded down, too
    return _DOWN.multiply(_DOWN.to_integral_value(steps), step)


def fixed_risk(
    equity: Decimal, entry: Decimal, stop: Decimal, percent: Decimal, step: Decimal
) -> Decimal:
    """Return the quantity that loses at most `percent` of the equity if the stop is reached.

    Tharp, "Trade Your Way to Financial Freedom", 1998, calls it the percent risk model. It ignores
    slippage past the stop and fees. Raises `NoSize`.
    """
    _check(equity=equity, percent=percent)
    _check_above_zero(entry=entry, stop=stop)
    distance = abs(entry - stop)
    if distance == 0:
        raise NoSize("the stop is at the entry: nothing would be at risk")
    return to_step(equity * percent / HUNDRED / distance, step)


def fixed_fraction(equity: Decimal, entry: Decimal, percent: Decimal, step: Decimal) -> Decimal:
    """Return the quantity that costs at most `percent` of the equity at the entry.

    Raises `NoSize`.
    """
    _check(equity=equity, percent=percent)
    _check_above_zero(entry=entry)
    return to_step(equity * percent / HUNDRED / entry, step)


def scale(
    confidence: Decimal,
    threshold: Decimal,
    volatility: Decimal,
    usual_volatility: Decimal,
    cap: Decimal = ONE,
) -> Decimal:
    """Return the factor that a quantity is multiplied by, from 0 to `cap`.

    It is 0.5 at the threshold of confidence and 1 at a confidence of 100, linear between them, and
    0 below the threshold. It is multiplied by the usual volatility divided by the present one, so
    that a more volatile instrument is traded in smaller size. Raises `NoSize`.
    """
    _check(confidence=confidence, threshold=threshold)
    _check_above_zero(volatility=volatility, usual_volatility=usual_volatility, cap=cap)
    if confidence < threshold:
        return ZERO
    room = HUNDRED - threshold
    sure = (confidence - threshold) / room if room > 0 else ONE
    return min(cap, (ONE + sure) / 2 * usual_volatility / volatility)


def _check(**figures: Decimal) -> None:
    for name, value in figures.items():
        if not value.is_finite():
            raise NoSize(f"{name} is {value}, not a number")


def _check_above_zero(**figures: Decimal) -> None:
    for name, value in figures.items():
        if not value.is_finite():
            raise NoSize(f"{name} is {value}, not a number")
        if value <= 0:
            raise NoSize(f"{name} is {value}, not above 0")
