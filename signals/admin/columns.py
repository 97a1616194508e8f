"""Columns of the admin site that only format one attribute of a row."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin


def column(
    label: str, name: str, formatted: Callable[[Any], str], *, sorts: bool = False
) -> Callable[[Any, Any], str]:
    """Return a column that shows the attribute `name`; `sorts` lets people order by it."""

    @admin.display(description=label, ordering=name if sorts else None)
    def show(model_admin: object, row: object) -> str:
        return formatted(getattr(row, name))

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
