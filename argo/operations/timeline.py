"""A chart of when problems existed: a row for each kind, a bar for each problem."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, LEFT, RIGHT, ROW, BELOW = 720, 190, 8, 24, 20
LEAST = 2.0
"""The width of a bar that would be too narrow to see."""


class Bar(NamedTuple):
    """A problem: its row, its begin and end as shares of the period, and what a pointer shows."""

    row: str
    begin: float
    end: float
    text: str
    is_open: bool


def timeline(title: str, bars: Sequence[Bar], labels: Sequence[str]) -> SafeString:
    """Return the chart with its labels at the begin, the middle and the end; nothing if no bar."""
    if not bars:
        return SafeString("")
    rows = list(dict.fromkeys(bar.row for bar in bars))
    height = len(rows) * ROW + BELOW
    drawn = format_html_join("", "{}", ((part,) for part in _parts(rows, bars, labels, height)))
    return format_html(
        '<svg class="timeline-chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>',
        title, WIDTH, height, drawn,
    )  # fmt: skip


def _parts(
    rows: Sequence[str], bars: Sequence[Bar], labels: Sequence[str], height: int
) -> Iterator[SafeString]:
    for place, row in enumerate(rows):
        middle = place * ROW + ROW / 2
        yield format_html(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
            '<text class="side" x="{3}" y="{4}">{5}</text>',
            LEFT, WIDTH - RIGHT, middle, LEFT - 8, middle + 4, row,
        )  # fmt: skip
    for bar in bars:
        begin = min(_across(bar.begin), WIDTH - RIGHT - LEAST)
        yield format_html(
            '<rect class="bar {}" x="{}" y="{}" width="{}" height="{}" rx="3">'
            "<title>{}</title></rect>",
            "bad" if bar.is_open else "care", round(begin, 1), rows.index(bar.row) * ROW + 5,
            round(max(LEAST, _across(bar.end) - begin), 1), ROW - 10, bar.text,
        )  # fmt: skip
    for share, name, text in zip((0.0, 0.5, 1.0), ("first", "middle", "last"), labels, strict=True):
        yield format_html(
            '<text class="{}" x="{}" y="{}">{}</text>', name, _across(share), height - 5, text
        )


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)
