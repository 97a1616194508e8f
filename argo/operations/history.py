"""The page of figures over time: a chart for each, and one table of all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.http import HttpRequest

from argo.metrics import history
from argo.models import MetricSample
from argo.operations.period import PERIODS, Period, chosen
from argo.reports.svg import Point, time_chart
from signals.clock import utc_now
from signals.status_text import share

MOST_SPACE = 2.5
"""A line is broken where the next sample begins so many steps later: Argo did not run."""


@dataclass(frozen=True)
class Figure:
    """A figure of a sample: its heading, its unit, the form of its values, and how it is read.

    `axis` is the form of the values beside a chart, where there is little room.
    """

    title: str
    unit: str
    form: str
    read: Callable[[MetricSample], float | None]
    axis: str = ",.3g"

    def text(self, sample: MetricSample) -> str:
        """Return the value for people; a dash if it is missing."""
        value = self.read(sample)
        return "-" if value is None else format(value, self.form)


FIGURES = (
    Figure("Live signals", "a minute", ",.3g", lambda each: each.signals / each.minutes),
    Figure("95% stored within", "ms", ",.3g", lambda each: each.p95),
    Figure("Delivered to Alpine", "a minute", ",.3g", lambda each: each.delivered / each.minutes),
    Figure("Success", "of what ended", ".1%",
           lambda each: share(each.delivered, each.delivered + each.dead), axis=".0%"),
    Figure("Waiting for Alpine", "deliveries, at most", ",.0f", lambda each: each.waiting),
    Figure("Executed", "decisions", ",.0f", lambda each: each.executed),
    Figure("Skipped", "decisions", ",.0f", lambda each: each.skipped),
)  # fmt: skip


def content(request: HttpRequest) -> dict[str, Any]:
    """Return the charts of the period and the rows of its table."""
    now, period = utc_now(), chosen(request)
    begin = now - period.length
    samples = history.since(begin)
    drawn = samples if period.length <= history.FINE_FOR else list(_each(samples, history.HOUR))
    return {
        "period": period,
        "periods": PERIODS.values(),
        "figures": FIGURES,
        "charts": [_chart(figure, drawn, period, begin, now) for figure in FIGURES]
        if len(samples) > 1
        else [],
        "rows": [
            (each.at, [figure.text(each) for figure in FIGURES])
            for each in reversed(list(_each(samples, period.step)))
        ],
        "is_fine": period.step == history.HOUR,
    }


def _each(samples: Iterable[MetricSample], step: timedelta) -> Iterator[MetricSample]:
    """Yield one sample for each hour or day."""
    for begin, group in groupby(samples, lambda each: _begin(each.at, step)):
        yield history.merged(group, begin)


def _begin(at: datetime, step: timedelta) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if step == history.HOUR else hour.replace(hour=0)


def _chart(
    figure: Figure, samples: Sequence[MetricSample], period: Period, begin: datetime, end: datetime
) -> dict[str, Any]:
    step = history.EVERY if period.length <= history.FINE_FOR else history.HOUR
    points = [
        (each.at.timestamp(), value) for each in samples if (value := figure.read(each)) is not None
    ]
    span = (begin.timestamp(), end.timestamp())
    title = f"{figure.title} ({figure.unit})"
    lines = _segments(points, step.total_seconds() * MOST_SPACE)
    return {"title": title, "svg": time_chart(title, lines, span, period.labels(begin, end),
                                              form=figure.axis)}  # fmt: skip


def _segments(points: Iterable[Point], most_space: float) -> list[list[Point]]:
    """Return the points as lines that are broken where samples are missing."""
    lines: list[list[Point]] = []
    for point in points:
        if lines and point[0] - lines[-1][-1][0] <= most_space:
            lines[-1].append(point)
        else:
            lines.append([point])
    return lines
