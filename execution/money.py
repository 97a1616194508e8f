"""Exact decimal arithmetic for money, prices and quantities."""

from decimal import Decimal
from fractions import Fraction

ZERO, ONE, TWO, HUNDRED = Decimal(0), Decimal(1), Decimal(2), Decimal(100)


def as_decimal(value: float) -> Decimal:
    """Return the shortest decimal that equals this float."""
    return Decimal(repr(float(value)))


def exact_text(value: Decimal) -> str:
    """Return plain digits without an exponent or trailing zeros: `100`, `0.0000001`.

    Equal numbers give the same text.
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_below(level: Decimal, value: Decimal) -> Decimal:
    """Return how far `value` is below `level`, in percent of `level`; negative if it is above."""
    return (level - value) / level * HUNDRED


def times(value: Decimal, ratio: Fraction) -> Decimal:
    """Return the value multiplied by a ratio; exact if the result has at most 28 digits."""
    return value if ratio == 1 else value * ratio.numerator / ratio.denominator
