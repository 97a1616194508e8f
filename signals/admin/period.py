"""The filter of signals by time: a year, a month or a day, or the first and the last day."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar, NamedTuple

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from signals.admin.changelist import AFTER
from signals.models import Signal
from signals.timestamps import moment_of

WITHIN = "in"
MOST_YEARS = 60
"""Years that are offered, the newest first."""
_PART = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


class Days(NamedTuple):
    """The first and the last day of a time; None has no bound."""

    first: date | None
    last: date | None


class Period(admin.ListFilter):
    """Filters by days (UTC) of the signal's time.

    `in` is a year, a month or a day, such as 2008-11; `since` and `until` are days, and either may
    be left out. A text that is no day selects nothing less.
    """

    title = "time"
    template = "admin/signals/period.html"
    NAMES: ClassVar = ("since", "until", WITHIN)

    def __init__(self, request: HttpRequest, params: dict[str, Any], *of: Any) -> None:  # noqa: ANN401
        super().__init__(request, params, *of)
        given = {name: params.pop(name, [""])[-1] for name in self.NAMES}
        self.own = Days(_day(given["since"]), _day(given["until"]))
        self.within = given[WITHIN] if days_in(given[WITHIN]) else ""
        self.kept = [
            (name, value)
            for name, values in request.GET.lists()
            if name not in (*self.NAMES, "p", AFTER)
            for value in values
        ]
        shown = {"since": self.own.first, "until": self.own.last, WITHIN: self.within}
        self.used_parameters = {name: str(value) for name, value in shown.items() if value}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.NAMES)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        def offered(parts: list[str]) -> list[tuple[str, str, bool]]:
            rest = ["since", "until"]
            return [
                (part, changelist.get_query_string({WITHIN: part}, rest), part == self.within)
                for part in parts
            ]

        year = self.within[:4]
        yield {
            "selected": not self.used_parameters,
            "kept": self.kept,
            "since": str(self.own.first or ""),
            "until": str(self.own.last or ""),
            "within": self.within,
            "years": offered(_years()),
            "months": offered([f"{year}-{number:02d}" for number in range(1, 13)] if year else []),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Signal]) -> QuerySet[Signal]:
        return queryset

    def selects(self) -> dict[str, Any]:
        """Return the fields of `SignalFilter` that the filter sets; all bounds must hold."""
        both = [self.own, days_in(self.within) or Days(None, None)]
        first = max((each.first for each in both if each.first), default=None)
        last = min((each.last for each in both if each.last), default=None)
        start = {"since": datetime.combine(first, time(), UTC)} if first else {}
        end = {"until": datetime.combine(last, time.max, UTC)} if last else {}
        return start | end


def days_in(text: str) -> Days | None:
    """Return the first and the last day of a year, a month or a day; None for another text."""
    found = _PART.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        last_month = month or 12
        last_day = day or monthrange(year, last_month)[1]
        return Days(date(year, month or 1, day or 1), date(year, last_month, last_day))
    except ValueError:  # no such month or day
        return None


def _day(text: str) -> date | None:
    """Return the day that a text means; None for other texts, which select nothing less."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _years() -> list[str]:
    """Return the years of the signals, newest first: from the oldest to the newest one."""
    texts = Signal.objects.values_list("timestamp", flat=True)
    oldest, newest = texts.order_by("timestamp").first(), texts.order_by("-timestamp").first()
    first, last = moment_of(oldest or ""), moment_of(newest or "")
    if first is None or last is None:
        return []
    return [f"{year:04d}" for year in range(last.year, first.year - 1, -1)[:MOST_YEARS]]
