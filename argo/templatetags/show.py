"""Filters that show values to people, as the columns of the admin site do."""

from decimal import Decimal

from django import template
from django.utils.html import format_html

from execution.money import exact_text
from signals.admin import columns, markup
from signals.status_text import Capped

register = template.Library()
NONE = "-"
register.filter("moment", markup.moment)
register.filter("side", markup.side)
register.filter("outcome", markup.outcome)
register.filter("signal_page", markup.signal_url)


@register.filter
def price(value: markup.Number | None) -> str:
    """Return a price with six significant digits."""
    return markup.number(value, columns.price)


@register.filter
def money(value: Decimal | None) -> str:
    """Return an amount with two decimal places."""
    return markup.number(value, lambda each: f"{each:,.2f}")


@register.filter
def signed(value: markup.Number | None, unit: str = "") -> str:
    """Return a gain or loss with its sign and colour; nothing without a value."""
    return markup.number(value, lambda each: f"{columns.gain(each)}{unit}", signed=True)


@register.filter
def plain(value: Decimal) -> str:
    """Return a quantity with all its digits."""
    return exact_text(value)


@register.filter
def thousands(value: int | Capped | None) -> str:
    """Return a count, with commas."""
    if isinstance(value, Capped):
        return str(value)
    return NONE if value is None else f"{value:,}"


@register.filter
def unit(value: float | None, name: str) -> str:
    """Return a measure with its unit; a dash if it is not known."""
    if value is None:
        return NONE
    text = f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return format_html('{} <small class="unit">{}</small>', text, name)


@register.filter
def share(value: float | None) -> str:
    """Return a share of 0 to 1 in percent; a dash if it is not known."""
    return NONE if value is None else f"{value:.1%}"
