"""Daily rows become bars that close when New York does."""

from datetime import UTC, date, datetime

import pytest

from signals.market.bars import BadBars
from signals.market.daily import DailyColumns, daily_bars, session_close, session_day


def rows(*days: str) -> DailyColumns:
    count = len(days)
    return DailyColumns(
        date=list(days),
        open=[10.0] * count,
        high=[12.0] * count,
        low=[9.0] * count,
        close=[10.0] * count,
        volume=[1000] * count,
        adj_close=[5.0] * count,
    )


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [
        (date(2008, 1, 15), 21),
        (date(2008, 7, 15), 20),
        (date(2006, 3, 20), 21),  # summer time began in April until 2007,
        (date(2007, 3, 20), 20),  # and in March from then on
    ],
)
def test_a_session_closes_at_16_in_new_york(day: date, utc_hour: int) -> None:
    assert session_close(day) == datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC)
    assert session_close(day).tzinfo is UTC


def test_a_day_is_the_exchanges_not_utcs() -> None:
    assert session_day(datetime(2008, 1, 16, 4, 59, tzinfo=UTC)) == date(2008, 1, 15)
    assert session_day(datetime(2008, 1, 16, 5, 0, tzinfo=UTC)) == date(2008, 1, 16)


def test_bars_close_with_their_session_and_are_adjusted() -> None:
    bars = daily_bars("TEST", rows("2008-03-07", "2008-03-10"))
    assert [bars.time_at(index).hour for index in (0, 1)] == [21, 20]
    assert bars.close.tolist() == [5.0, 5.0]
    assert bars.high.tolist() == [6.0, 6.0]
    assert bars.volume.tolist() == [2000.0, 2000.0]


@pytest.mark.parametrize(
    "days", [("2008-03-10", "2008-03-07"), ("2008-03-07", "2008-03-07")], ids=["order", "twice"]
)
def test_unordered_and_duplicate_days_are_refused_by_name(days: tuple[str, str]) -> None:
    with pytest.raises(BadBars, match=r"TEST 2008-03-07T21.*does not come after"):
        daily_bars("TEST", rows(*days))


def test_what_is_not_a_date_is_refused_by_name() -> None:
    with pytest.raises(BadBars, match=r"TEST: '2008-02-30' is not a date"):
        daily_bars("TEST", rows("2008-02-30"))


def test_rows_are_checked_before_they_are_adjusted() -> None:
    bad = rows("2008-03-07")
    bad["close"] = [0.0]
    with pytest.raises(BadBars, match=r"TEST 2008-03-07.*: close is not a number above 0"):
        daily_bars("TEST", bad)
