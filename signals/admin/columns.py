"""Columns of the admin site that only format one attribute of a row, and the texts of values."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin

from signals.admin import markup


def column(label: str, name: str, formatted: Callable[[Any], str]) -> Callable[[Any, Any], str]:
    """Return a column that shows the attribute `name`.

    The title of a number and of a time has the exact value; a gain has a colour beside its sign.
    """

    @admin.display(description=label)
    def show(model_admin: object, row: object) -> str:
        value = getattr(row, name)
        if formatted is time:
            return markup.moment(value)
        if isinstance(value, Decimal | float | int):
            return markup.number(value, formatted, signed=formatted is gain)
        return formatted(value)

    return show


def time(moment: datetime | None) -> str:
    """Return the time in UTC without its fraction, which the row's own page shows."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def price(value: Decimal | float | None) -> str:
    """Return six significant digits; the row's own page shows them all."""
    return "" if value is None else f"{float(value):.6g}"


def money(value: Decimal | None) -> str:
    """Return the amount with two decimal places."""
    return "" if value is None else f"{value:,.2f}"


def gain(value: Decimal | float | None) -> str:
    """Return the amount with its sign and two decimal places, or four digits if it is huge."""
    if value is None:
        return ""
    return f"{value:+,.2f}" if abs(float(value)) < 1e15 else f"{value:+.4g}"


def percent(value: float | None) -> str:
    """Return two decimal places."""
    return "" if value is None else f"{value:.2f}"
