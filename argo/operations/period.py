"""The periods that a page of history shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest


@dataclass(frozen=True)
class Period:
    """How far back a page looks, and the step of its table."""

    name: str
    title: str
    length: timedelta
    step: timedelta

    def labels(self, begin: datetime, end: datetime) -> list[str]:
        """Return the texts of the beginning, the middle and the end of a time axis, in UTC."""
        form = "%H:%M" if self.length <= timedelta(days=1) else "%d %b"
        return [f"{moment:{form}}" for moment in (begin, begin + (end - begin) / 2, end)]


DAY = Period("day", "Last day", timedelta(days=1), timedelta(hours=1))
MONTH = Period("month", "Last month", timedelta(days=30), timedelta(days=1))
PERIODS = {period.name: period for period in (DAY, MONTH)}


def chosen(request: HttpRequest) -> Period:
    """Return the period that the address names; the last day if it names none that there is."""
    return PERIODS.get(request.GET.get("period", ""), DAY)
