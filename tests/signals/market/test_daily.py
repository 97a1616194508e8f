"""Daily rows become bars that close with their sessions; irregular rows are reported."""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from signals.market.bars import BadBars
from signals.market.daily import Findings, daily_bars
from signals.market.hours import ALWAYS_OPEN, exchange_hours

NEW_YORK = exchange_hours("XNYS")
FRIDAY, MONDAY, TUESDAY = "2008-03-07", "2008-03-10", "2008-03-11"


def rows(*days: object, closes: Sequence[float] | None = None, **changes: object) -> pd.DataFrame:
    """Return one valid row for each day, with these changes."""
    count = len(days)
    good: dict[str, object] = {
        "date": list(days),
        "open": [10.0] * count,
        "high": [12.0] * count,
        "low": [9.0] * count,
        "close": closes or [10.0] * count,
        "volume": [1000] * count,
    }
    return pd.DataFrame(good | changes)


def refused(bad: pd.DataFrame) -> str:
    with pytest.raises(BadBars) as raised:
        daily_bars("TEST", bad, NEW_YORK)
    return str(raised.value)


def test_bars_close_with_their_session_early_closes_and_summer_time_included() -> None:
    bars, findings = daily_bars("TEST", rows("2007-11-21", "2007-11-23", FRIDAY, MONDAY), NEW_YORK)
    assert [bars.time_at(index) for index in range(4)] == [
        datetime(2007, 11, 21, 21, tzinfo=UTC),
        datetime(2007, 11, 23, 18, tzinfo=UTC),
        datetime(2008, 3, 7, 21, tzinfo=UTC),
        datetime(2008, 3, 10, 20, tzinfo=UTC),
    ]
    assert findings.gaps[:1] == [date(2007, 11, 26)]


def test_values_stay_unchanged() -> None:
    bars, _ = daily_bars("TEST", rows(FRIDAY, MONDAY, closes=[10.0, 11.0]), NEW_YORK)
    assert bars.symbol == "TEST"
    assert (bars.open.tolist(), bars.high.tolist()) == ([10.0, 10.0], [12.0, 12.0])
    assert (bars.low.tolist(), bars.close.tolist()) == ([9.0, 9.0], [10.0, 11.0])
    assert bars.volume.tolist() == [1000.0, 1000.0]


def test_prices_are_brought_to_the_scale_of_the_adjusted_close() -> None:
    bars, _ = daily_bars("TEST", rows(FRIDAY, MONDAY, adj_close=[5.0, 10.0]), NEW_YORK)
    assert bars.close.tolist() == [5.0, 10.0]
    assert bars.open.tolist() == [5.0, 10.0]
    assert bars.high.tolist() == [6.0, 12.0]
    assert bars.low.tolist() == [4.5, 9.0]
    assert bars.volume.tolist() == [2000.0, 1000.0]


def test_unordered_rows_are_sorted_and_reported() -> None:
    bars, findings = daily_bars("TEST", rows(MONDAY, FRIDAY, closes=[11.0, 10.0]), NEW_YORK)
    assert bars.close.tolist() == [10.0, 11.0]
    assert findings == Findings("TEST", [], [], [], unordered=True)
    assert str(findings) == "the rows were not in time order"


def test_equal_duplicates_are_kept_once_and_reported() -> None:
    twice = rows(FRIDAY, FRIDAY, FRIDAY, MONDAY)
    bars, findings = daily_bars("TEST", twice, NEW_YORK)
    assert len(bars) == 2
    assert findings == Findings("TEST", [], [date(2008, 3, 7)], [])
    assert str(findings) == "1 days appear more than once (2008-03-07)"


def test_duplicates_that_differ_only_in_ignored_columns_are_equal() -> None:
    twice = rows(FRIDAY, FRIDAY, source=["one", "another"])
    assert len(daily_bars("TEST", twice, NEW_YORK)[0]) == 1


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume", "adj_close"])
def test_duplicates_that_contradict_each_other_are_refused_by_date(name: str) -> None:
    bad = rows(FRIDAY, MONDAY, MONDAY, adj_close=[10.0] * 3)
    bad[name] = [10, 10, 10.5]
    assert "TEST 2008-03-10: there are several rows that differ" in refused(bad)


def test_sessions_without_a_row_are_reported() -> None:
    bars, findings = daily_bars("TEST", rows("2008-06-30", "2008-07-02", "2008-07-07"), NEW_YORK)
    assert len(bars) == 3
    assert findings == Findings("TEST", [date(2008, 7, 1), date(2008, 7, 3)], [], [])
    assert str(findings) == "2 sessions have no bar (2008-07-01, 2008-07-03)"


def test_rows_of_days_without_a_session_are_left_out_and_reported() -> None:
    holidays = rows("2008-07-03", "2008-07-04", "2008-07-05", "2008-07-07")
    bars, findings = daily_bars("TEST", holidays, NEW_YORK)
    assert [bars.time_at(index).day for index in (0, -1)] == [3, 7]
    assert findings == Findings("TEST", [], [], [date(2008, 7, 4), date(2008, 7, 5)])
    assert "2 bars were left out: no session on their day (2008-07-04, 2008-07-05)" in str(findings)


def test_crypto_has_bars_on_weekends() -> None:
    days = ("2008-07-04", "2008-07-05", "2008-07-06")
    bars, findings = daily_bars("BTC-USD", rows(*days), ALWAYS_OPEN)
    assert bars.time_at(-1) == datetime(2008, 7, 7, tzinfo=UTC)
    assert (len(bars), str(findings)) == (3, "")


def test_a_date_that_means_never_is_left_out() -> None:
    bars, findings = daily_bars("BTC-USD", rows("2008-07-04", "9999-12-31"), ALWAYS_OPEN)
    assert (len(bars), findings.closed) == (1, [date.max])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "is 'nan', not a number"),
        ("", "is '', not a number"),
        ("1,5", "is '1,5', not a number"),
        (float("inf"), "is not a number above 0"),
        (0.0, "is not a number above 0"),
        (-1.0, "is not a number above 0"),
    ],
)
@pytest.mark.parametrize("name", ["open", "high", "low", "close", "adj_close"])
def test_an_invalid_price_is_refused_with_symbol_and_date(
    name: str, value: object, why: str
) -> None:
    bad = rows(MONDAY, FRIDAY, TUESDAY, adj_close=[10.0] * 3).astype({name: object})
    bad.loc[0, name] = value
    assert re.match(rf"TEST 2008-03-10.*: ({name}|adjusted close) {why}", refused(bad))


@pytest.mark.parametrize("value", [float("nan"), "many", -1.0])
def test_an_invalid_volume_is_refused_with_symbol_and_date(value: object) -> None:
    message = refused(rows(FRIDAY, MONDAY, volume=[1000, value]))
    assert message.startswith("TEST 2008-03-10")
    assert "volume is" in message


def test_prices_outside_of_low_and_high_are_refused_before_they_are_adjusted() -> None:
    message = refused(rows(FRIDAY, MONDAY, high=[12.0, 9.5], adj_close=[10.0, 10.0]))
    assert message.startswith("TEST 2008-03-10")
    assert "high is below open or close" in message


def test_numbers_may_be_written_as_text() -> None:
    bars, _ = daily_bars("TEST", rows(FRIDAY, open=["10.5"], volume=["1e3"]), NEW_YORK)
    assert (bars.open.tolist(), bars.volume.tolist()) == ([10.5], [1000.0])


@pytest.mark.parametrize("name", ["date", "open", "high", "low", "close", "volume"])
def test_a_column_that_is_missing_is_named(name: str) -> None:
    message = refused(rows(FRIDAY).drop(columns=name).assign(price=1.0))
    assert f"TEST: the columns {name} are missing; there are: " in message
    assert "price" in message


@pytest.mark.parametrize("name", ["date", "close", "adj_close"])
def test_a_column_that_appears_twice_is_named(name: str) -> None:
    once = rows(FRIDAY, adj_close=[10.0])
    message = refused(pd.concat([once, once[[name]]], axis="columns"))
    assert f"TEST: the columns {name} appear twice, in: date, open" in message


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2008-02-30", "'2008-02-30'"),
        ("03/10/2008", "'03/10/2008'"),
        ("", "''"),
        (float("nan"), "nan"),
        (12, "12"),
        (pd.NaT, "'NaT'"),
    ],
)
def test_an_invalid_date_is_refused_with_the_symbol(value: object, shown: str) -> None:
    message = refused(rows(FRIDAY, value).astype({"date": object}))
    assert message == f"TEST: {shown} is not a date; write it as YYYY-MM-DD"


@pytest.mark.parametrize(
    "day",
    [
        "2008-03-10",
        20080310,
        date(2008, 3, 10),
        datetime(2008, 3, 10, tzinfo=UTC),
        pd.Timestamp("2008-03-10"),
        pd.Timestamp("2008-03-10 20:00", tz="America/New_York"),  # the next day in UTC
    ],
    ids=lambda day: type(day).__name__,
)
def test_a_date_may_be_text_or_a_date_or_a_time_on_its_own_clock(day: object) -> None:
    bars, _ = daily_bars("TEST", rows(day), NEW_YORK)
    assert bars.time_at(0) == datetime(2008, 3, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize("more", [{}, {"adj_close": []}])
def test_no_rows_give_no_bars(more: dict[str, list[float]]) -> None:
    bars, findings = daily_bars("TEST", rows(**more), NEW_YORK)
    assert len(bars) == 0
    assert str(findings) == ""


def test_rows_of_closed_days_alone_give_no_bars() -> None:
    bars, findings = daily_bars("TEST", rows("2008-07-05", "2008-07-04"), NEW_YORK)
    assert len(bars) == 0
    assert findings.closed == [date(2008, 7, 4), date(2008, 7, 5)]


def test_the_rows_given_are_not_changed() -> None:
    given = rows(MONDAY, FRIDAY, FRIDAY, volume=["1", "1", "1"])
    before = given.copy()
    daily_bars("TEST", given, NEW_YORK)
    pd.testing.assert_frame_equal(given, before)


def test_a_feed_may_give_the_end_of_its_days_itself() -> None:
    noon = datetime(2008, 3, 10, 12, tzinfo=UTC)
    bars, _ = daily_bars("TEST", rows(MONDAY), ALWAYS_OPEN, {date(2008, 3, 10): noon}.get)
    assert bars.time_at(0) == noon


def test_findings_are_logged_as_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    gaps = [date(2008, 3, day) for day in range(3, 8)]
    Findings("TEST", gaps, [date(2008, 3, 10)], [date(2008, 3, 8)], unordered=True).log({})
    assert caplog.record_tuples == [
        (
            "signals.market.daily",
            logging.WARNING,
            (
                "TEST: 5 sessions have no bar (2008-03-03, 2008-03-04, 2008-03-05, ...); "
                "1 days appear more than once (2008-03-10); "
                "1 bars were left out: no session on their day (2008-03-08); "
                "the rows were not in time order"
            ),
        )
    ]


def test_regular_rows_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    _, findings = daily_bars("TEST", rows(FRIDAY, MONDAY), NEW_YORK)
    findings.log({})
    assert not caplog.records


def test_the_same_findings_are_logged_only_once(caplog: pytest.LogCaptureFixture) -> None:
    logged: dict[str, str] = {}
    for gaps in ([MONDAY], [MONDAY], [FRIDAY], [], [FRIDAY]):
        Findings("TEST", [date.fromisoformat(day) for day in gaps]).log(logged)
    assert len(caplog.records) == 3
