"""Charts as SVG: no script, no network, sharp on paper. Each has a text that says what it shows."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 10, 26
Point = tuple[float, float]


class Axis(NamedTuple):
    """A scale from values to places on the paper."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        span = self.high - self.low or 1.0
        return self.begin + (value - self.low) / span * (self.end - self.begin)


def line_chart(
    title: str, labels: Sequence[str], values: Sequence[float], *, form: str, filled: bool = False
) -> SafeString:
    """Return a line through the values, with three labels below; `filled` colours it up to 0."""
    if len(values) < 2:
        return SafeString("")
    low, high = min(values), max(values)
    if filled:
        high = max(high, 0.0) or 0.0  # never -0.0
    across, up = _across(0, len(values) - 1), _up(low, high)
    points = [(across.at(place), up.at(value)) for place, value in enumerate(values)]
    if filled:
        points = [(points[0][0], up.at(0)), *points, (points[-1][0], up.at(0))]
    shape = format_html(
        '<polyline class="{}" points="{}"/>', "area" if filled else "line", _text(points)
    )
    middle = len(labels) // 2
    below = [(across.at(place), labels[place]) for place in (0, middle, len(labels) - 1)]
    return _svg(title, _grid(up, form) + shape + _below(below))


def time_chart(
    title: str,
    lines: Sequence[Sequence[Point]],
    span: Point,
    labels: Sequence[str],
    *,
    form: str,
) -> SafeString:
    """Return lines through points of (time, value) over a span of time, from 0 up.

    A line of one point is a dot. The three labels are at the begin, the middle and the end.
    """
    high = max((value for line in lines for _, value in line), default=0.0)
    across, up = _across(*span), _up(0, high or 1.0)
    places = [[(across.at(time), up.at(value)) for time, value in line] for line in lines]
    drawn = format_html_join(
        "", '<polyline class="line" points="{}"/>', ((_text(line),) for line in places if line[1:])
    )
    dots = format_html_join(
        "",
        '<circle class="dot" cx="{}" cy="{}" r="2"/>',
        ((round(line[0][0], 1), round(line[0][1], 1)) for line in places if not line[1:]),
    )
    below = zip((LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT), labels, strict=True)
    return _svg(title, _grid(up, form) + drawn + dots + _below(list(below)))


def bar_chart(title: str, spans: Sequence[Point], heights: Sequence[float]) -> SafeString:
    """Return a bar for each span, red left of 0; labels below in percent."""
    if not heights:
        return SafeString("")
    across, up = _across(spans[0][0], spans[-1][1]), _up(0, max(heights))
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        (
            (
                "loss" if high <= 0 else "gain",
                round(across.at(low) + 0.5, 1),
                round(up.at(height), 1),
                round(max(0.5, across.at(high) - across.at(low) - 1), 1),
                round(up.at(0) - up.at(height), 1),
            )
            for (low, high), height in zip(spans, heights, strict=True)
        ),
    )
    ends = (spans[0][0], 0.0, spans[-1][1])
    inside = sorted({value for value in ends if spans[0][0] <= value <= spans[-1][1]})
    below = [(across.at(value), f"{value:+.1f}%") for value in inside]
    return _svg(title, _grid(up, ",.0f") + bars + _below(below))


def reliability_chart(
    title: str, points: Sequence[Point], bands: Sequence[tuple[float, float] | None]
) -> SafeString:
    """Return the share of events by confidence, with bands; true ones are on the diagonal."""
    if not points:
        return SafeString("")
    across, up = _across(0, 1), _up(0, 1)
    diagonal = format_html(
        '<line class="ideal" x1="{}" y1="{}" x2="{}" y2="{}"/>',
        across.at(0), up.at(0), across.at(1), up.at(1),
    )  # fmt: skip
    whiskers = format_html_join(
        "",
        '<line class="band" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>',
        (
            (round(across.at(x), 1), round(up.at(band[0]), 1), round(up.at(band[1]), 1))
            for (x, _), band in zip(points, bands, strict=True)
            if band is not None
        ),
    )
    dots = format_html_join(
        "",
        '<circle class="dot" cx="{}" cy="{}" r="4"/>',
        ((round(across.at(x), 1), round(up.at(y), 1)) for x, y in points),
    )
    below = [(across.at(value), f"{value:.0%}") for value in (0.0, 0.5, 1.0)]
    return _svg(title, _grid(up, ".0%") + diagonal + whiskers + dots + _below(below))


def _across(low: float, high: float) -> Axis:
    return Axis(low, high, LEFT, WIDTH - RIGHT)


def _up(low: float, high: float) -> Axis:
    return Axis(low, high, HEIGHT - BOTTOM, TOP)


def _text(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _grid(up: Axis, form: str) -> SafeString:
    """Return four lines across, each with its value."""
    values = [up.low + (up.high - up.low) * part / 3 for part in range(3)] + [up.high]
    return format_html_join(
        "",
        '<line class="grid" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>'
        '<text class="side" x="{3}" y="{4}">{5}</text>',
        (
            (LEFT, round(y, 1), WIDTH - RIGHT, LEFT - 6, round(y + 4, 1), format(value, form))
            for value, y in ((value, up.at(value)) for value in values)
        ),
    )


def _below(labels: Sequence[tuple[float, str]]) -> SafeString:
    return format_html_join(
        "",
        '<text class="{}" x="{}" y="{}">{}</text>',
        (
            (_anchor(place, len(labels)), round(x, 1), HEIGHT - 6, text)
            for place, (x, text) in enumerate(labels)
        ),
    )


def _anchor(place: int, count: int) -> str:
    if place == 0:
        return "first"
    return "last" if place == count - 1 else "middle"


def _svg(title: str, content: SafeString) -> SafeString:
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>',
        title, WIDTH, HEIGHT, content,
    )  # fmt: skip
