"""Periods by their names, and the times that they mean."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from argo.reports.periods import period_of
from argo.reports.query import ReportQuery

TODAY = date(2026, 3, 1)  # a Sunday
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "name", "after", "before"),
    [
        ("today", "2026-03-01", date(2026, 3, 2), "2026-02-28"),
        ("yesterday", "2026-02-28", date(2026, 3, 1), "2026-02-27"),
        ("this-week", "2026-W09", date(2026, 3, 2), "2026-W08"),
        ("last-week", "2026-W08", date(2026, 2, 23), "2026-W07"),
        ("this-month", "2026-03", date(2026, 4, 1), "2026-02"),
        ("last-month", "2026-02", date(2026, 3, 1), "2026-01"),
        ("this-year", "2026", date(2027, 1, 1), "2025"),
        ("last-year", "2025", date(2026, 1, 1), "2024"),
        ("2024-02", "2024-02", date(2024, 3, 1), "2024-01"),
        ("2020-W53", "2020-W53", date(2021, 1, 4), "2020-W52"),
        ("2024", "2024", date(2025, 1, 1), "2023"),
    ],
)
def test_a_name_means_a_period(text: str, name: str, after: date, before: str) -> None:
    found = period_of(text, TODAY)
    assert (found.name, found.after, found.previous.name) == (name, after, before)
    assert period_of(found.name, TODAY) == found


@pytest.mark.parametrize("text", ["", "2026-13", "2026-02-30", "2026-W54", "9999", "0001", "month"])
def test_a_name_that_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this-month"):
        period_of(text, TODAY)


def test_a_period_lasts_from_midnight_to_midnight_whatever_the_clocks_do() -> None:
    begin, end = period_of("2026-03", TODAY).times(NEW_YORK)
    assert begin == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert end == datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC)  # summer time since 8 March


def test_a_period_is_resolved_when_it_is_asked_for() -> None:
    chosen = ReportQuery(period="today").selection(datetime(2026, 3, 1, 4, tzinfo=UTC))
    assert chosen.since == datetime(2026, 2, 28, 5, tzinfo=UTC)  # still 28 February in New York


def test_a_period_is_not_combined_with_times() -> None:
    with pytest.raises(ValidationError, match="cannot be combined"):
        ReportQuery.model_validate({"period": "2026", "since": "2026-01-01T00:00:00Z"})
