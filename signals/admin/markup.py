"""Values as HTML for people: rounded, with the exact value in the title, and never colour alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from signals.timestamps import moment_of

Number = Decimal | float | int
SIDES = {"BUY": "note", "SELL": "care"}
OUTCOMES = {"win": "good", "loss": "bad", "breakeven": "", "expired": "", "open": "note"}
"""The colour of each outcome; those of an older system have none."""


def number(
    value: Number | None, formatted: Callable[[Number], str], *, signed: bool = False
) -> str:
    """Return the formatted number; `signed` colours it by its sign, which the text has too."""
    if value is None:
        return ""
    text, exact = formatted(value), f"{value:f}" if isinstance(value, Decimal) else f"{value!r}"
    names = ["number"]
    if signed and value:
        names.append("gain" if value > 0 else "loss")
    return format_html('<span class="{}" title="{}">{}</span>', " ".join(names), exact, text)


def moment(value: datetime | str | None) -> str:
    """Return a time to the second in the current zone: UTC, unless the user has chosen one.

    A script shows how long ago it was, in the browser's zone if none is chosen. A text that is not
    a time is shown as it is.
    """
    at = moment_of(value) if isinstance(value, str) else value
    if at is None:
        return str(value or "")
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip("."),
        f"{localtime(at):%Y-%m-%d %H:%M:%S}",
    )  # fmt: skip


def side(value: str | None) -> str:
    """Return BUY or SELL as a tag."""
    return tag(value, SIDES.get(str(value), "")) if value else ""


def outcome(value: str | None, *, edited: bool = False) -> SafeString:
    """Return an outcome as a tag; a signal without one is open."""
    text = value or "open"
    return tag(f"{text} (edited)" if edited else text, OUTCOMES.get(text, ""))


def tag(text: str | None, kind: str = "") -> SafeString:
    """Return a short word in a box; `kind` is good, bad, care, note or empty."""
    return format_html('<span class="tag {}">{}</span>', kind, text)


def signal_url(signal_id: str) -> str:
    """Return the address of a signal's page; an id may have any characters."""
    return f"{reverse('signal')}?{urlencode({'id': signal_id})}"


def signal_link(signal_id: str, text: str) -> SafeString:
    """Return a link to the signal's page."""
    return format_html('<a href="{}">{}</a>', signal_url(signal_id), text)
