"""Small charts of the dashboard, as SVG: each has a text that says what it shows."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, GAP = 360, 48, 2


class Bar(NamedTuple):
    """A bar, with the word that a pointer on it shows."""

    label: str
    value: int


def day_bars(title: str, bars: Sequence[Bar]) -> SafeString:
    """Return one bar for each day, a low grey one for 0; nothing if all are 0."""
    most = max((bar.value for bar in bars), default=0)
    if not most:
        return SafeString("")
    step = WIDTH / len(bars)
    drawn = format_html_join(
        "",
        '<rect class="bar {}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        (
            (
                "" if bar.value else "none",
                round(place * step, 1),
                HEIGHT - height,
                round(step - GAP, 1),
                height,
                *bar,
            )
            for place, bar in enumerate(bars)
            for height in (max(1.0, round(bar.value / most * (HEIGHT - 2), 1)),)
        ),
    )
    return format_html(
        '<svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none">{}</svg>',
        title, WIDTH, HEIGHT, drawn,
    )  # fmt: skip


def levels_bar(title: str, stop: float, target: float, price: float, entry: float) -> SafeString:
    """Return a line from the stop to the target with marks for the entry and the price.

    A price beyond one of them is drawn at that end.
    """
    if stop == target:
        return SafeString("")
    at = [
        round(4 + 112 * min(1.0, max(0.0, (value - stop) / (target - stop))), 1)
        for value in (entry, price)
    ]
    return format_html(
        '<svg class="levels" role="img" aria-label="{0}" viewBox="0 0 120 16">'
        '<line class="lost" x1="4" x2="{1}" y1="8" y2="8"/>'
        '<line class="won" x1="{1}" x2="116" y1="8" y2="8"/>'
        '<line class="entry" x1="{1}" x2="{1}" y1="2" y2="14"/>'
        '<circle class="price" cx="{2}" cy="8" r="4"/></svg>',
        title, *at,
    )  # fmt: skip
