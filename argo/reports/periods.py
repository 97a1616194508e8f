"""Names periods, such as `this-month` or `2026-11`, and says when they begin and end."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

ONE_DAY, ONE_SECOND = timedelta(days=1), timedelta(seconds=1)
DAY, WEEK, MONTH, YEAR = "day", "week", "month", "year"
FORMS = (
    "`today`, `yesterday`, `this-week`, `last-week`, `this-month`, `last-month`, `this-year`, "
    "`last-year`, a day `2026-11-28`, a week `2026-W48`, a month `2026-11`, or a year `2026`"
)
_WORDS = {
    "today": DAY, "this-week": WEEK, "this-month": MONTH, "this-year": YEAR,
    "yesterday": DAY, "last-week": WEEK, "last-month": MONTH, "last-year": YEAR,
}  # fmt: skip
_NOW = frozenset(("today", "this-week", "this-month", "this-year"))
_READERS: tuple[tuple[str, re.Pattern[str], Callable[[str], date]], ...] = (
    (DAY, re.compile(r"\d{4}-\d\d-\d\d"), date.fromisoformat),
    (WEEK, re.compile(r"\d{4}-W\d\d"), lambda text: date.fromisoformat(f"{text}-1")),
    (MONTH, re.compile(r"\d{4}-\d\d"), lambda text: date.fromisoformat(f"{text}-01")),
    (YEAR, re.compile(r"\d{4}"), lambda text: date.fromisoformat(f"{text}-01-01")),
)
_NAMES = {DAY: "%Y-%m-%d", WEEK: "%G-W%V", MONTH: "%Y-%m", YEAR: "%Y"}


class Period(NamedTuple):
    """A day, week, month or year, and its first day. Weeks begin on Monday."""

    kind: str
    first: date

    @property
    def name(self) -> str:
        """Return its name, which `period_of` reads."""
        return self.first.strftime(_NAMES[self.kind])

    @property
    def after(self) -> date:
        """Return the first day of the next period of this kind."""
        longest = {DAY: 1, WEEK: 7, MONTH: 31, YEAR: 366}[self.kind]
        return _first(self.kind, self.first + longest * ONE_DAY)

    @property
    def previous(self) -> "Period":
        """Return the period of this kind before it."""
        return Period(self.kind, _first(self.kind, self.first - ONE_DAY))

    def times(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return its first and its last second, in UTC; days begin at midnight in `zone`."""
        begin, end = (
            datetime.combine(day, time.min, zone).astimezone(UTC)
            for day in (self.first, self.after)
        )
        return begin, end - ONE_SECOND


def period_of(text: str, today: date) -> Period:
    """Return the period of this name. Raises ValueError, with the names that there are."""
    if kind := _WORDS.get(text):
        present = Period(kind, _first(kind, today))
        return present if text in _NOW else present.previous
    for kind, form, read in _READERS:
        if form.fullmatch(text):
            return _read(kind, text, read)
    raise ValueError(f"must be {FORMS}")


def _read(kind: str, text: str, read: Callable[[str], date]) -> Period:
    try:
        made = Period(kind, read(text))
        _ = made.after, made.previous  # both must be in the calendar of Python
    except (ValueError, OverflowError):
        raise ValueError(f"{text} is not in the calendar; use {FORMS}") from None
    return made


def _first(kind: str, day: date) -> date:
    """Return the first day of the period with this day."""
    if kind == WEEK:
        return day - day.weekday() * ONE_DAY
    if kind == MONTH:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if kind == YEAR else day
