"""How much to trade: pure functions of money, prices and the instrument's step.

Every quantity is rounded down to the step, so that no limit is passed by rounding. Zero means that
even one step would be too much.
"""

from decimal import ROUND_DOWN, Decimal, localcontext

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)


class NoSize(ValueError):
    """What was given makes no quantity; the message says which figure is wrong."""


def to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of `step` that is not above `quantity`, and not below 0.

    Raises `NoSize` for a step that is not above 0 and for a quantity that is no number.
    """
    _check(quantity=quantity)
    _check_above_zero(step=step)
    if quantity <= 0:
        return ZERO
    with localcontext(rounding=ROUND_DOWN):  # of the division, too
        return (quantity / step).to_integral_value() * step


def fixed_risk(
    equity: Decimal, entry: Decimal, stop: Decimal, percent: Decimal, step: Decimal
) -> Decimal:
    """The quantity that loses at most `percent` of the equity where the stop is reached.

    Tharp, "Trade Your Way to Financial Freedom", 1998, calls it the percent risk model. Slippage
    past the stop and fees are not in it. Raises `NoSize`.
    """
    _check(equity=equity, percent=percent)
    _check_above_zero(entry=entry, stop=stop)
    distance = abs(entry - stop)
    if distance == 0:
        raise NoSize("the stop is at the entry: nothing would be at risk")
    return to_step(equity * percent / HUNDRED / distance, step)


def fixed_fraction(equity: Decimal, entry: Decimal, percent: Decimal, step: Decimal) -> Decimal:
    """The quantity that costs at most `percent` of the equity at the entry. Raises `NoSize`."""
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
    """The factor by which a quantity is multiplied, from 0 to `cap`.

    Half at the threshold of confidence and whole at 100, in proportion between them; times the
    usual volatility over the present one, so that a wilder instrument is traded smaller. Below the
    threshold it is 0. Raises `NoSize`.
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
    _check(**figures)
    for name, value in figures.items():
        if value <= 0:
            raise NoSize(f"{name} is {value}, not above 0")
