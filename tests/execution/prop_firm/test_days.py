"""A firm's day begins at its hour in its zone, and each mark of the account goes into its row."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.prop_firm.days import NotMeasurable, day_end, day_start, record, trading_day
from execution.prop_firm.rule_set import RuleSet
from tests.execution.prop_firm.rules import MONDAY, NAN, ONE_DAY, D, day, rule_set

PRAGUE = rule_set(zone="Europe/Prague")
CHICAGO = rule_set(zone="America/Chicago", reset=time(17))
TOKYO = rule_set(zone="Asia/Tokyo", reset=time(6))
AUCKLAND = rule_set(zone="Pacific/Auckland")
SECOND = timedelta(seconds=1)
ZONES = [
    "UTC", "Europe/Prague", "America/Chicago", "America/New_York", "Asia/Tokyo", "Asia/Kolkata",
    "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana",
    "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia",
]  # fmt: skip
SETS = st.builds(
    lambda zone, reset: rule_set(zone=zone, reset=reset),
    st.sampled_from(ZONES),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
)
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "begins", "day"),
    [
        (PRAGUE, "2026-01-14T23:00", date(2026, 1, 15)),
        (PRAGUE, "2026-07-14T22:00", date(2026, 7, 15)),
        (PRAGUE, "2026-03-28T23:00", date(2026, 3, 29)),  # the day has 23 hours
        (PRAGUE, "2026-03-29T22:00", date(2026, 3, 30)),
        (PRAGUE, "2026-10-24T22:00", date(2026, 10, 25)),  # the day has 25 hours
        (PRAGUE, "2026-10-25T23:00", date(2026, 10, 26)),
        (CHICAGO, "2026-03-05T23:00", date(2026, 3, 6)),  # Thursday, 17:00: Friday's
        (CHICAGO, "2026-03-08T22:00", date(2026, 3, 9)),  # the clocks went forward that morning
        (CHICAGO, "2026-11-01T23:00", date(2026, 11, 2)),  # and back
        (TOKYO, "2026-03-01T21:00", date(2026, 3, 2)),
        (rule_set(reset=time(11, 59)), "2026-03-05T11:59", date(2026, 3, 5)),
        (rule_set(reset=time(12)), "2026-03-05T12:00", date(2026, 3, 6)),
        (rule_set(reset=time(12, 59)), "2026-03-05T12:59", date(2026, 3, 6)),
        (AUCKLAND, "2026-01-14T11:00", date(2026, 1, 15)),
        (AUCKLAND, "2026-07-14T12:00", date(2026, 7, 15)),
    ],
)
def test_the_day_begins_at_the_firms_hour_in_its_zone(
    rules: RuleSet, begins: str, day: date
) -> None:
    assert trading_day(rules, utc(begins)) == day
    assert trading_day(rules, utc(begins) - SECOND) == day - ONE_DAY
    assert day_start(rules, day) == utc(begins)


def test_days_with_a_clock_change_have_23_or_25_hours() -> None:
    for changed, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        assert day_end(PRAGUE, changed) - day_start(PRAGUE, changed) == timedelta(hours=hours)


def test_a_repeated_hour_begins_a_day_only_once() -> None:
    rules = rule_set(zone="America/New_York", reset=time(1, 30))
    first = utc("2026-11-01T05:30")  # 01:30 in summer time; 01:30 comes again at 06:30
    days = [trading_day(rules, first + timedelta(minutes=minute)) for minute in range(-1, 120)]
    assert days == [date(2026, 10, 31)] + [date(2026, 11, 1)] * 120


def test_a_skipped_hour_begins_its_day_at_the_skip() -> None:
    rules = rule_set(zone="America/New_York", reset=time(2, 0))
    assert day_start(rules, date(2026, 3, 8)) == utc("2026-03-08T07:00")


def test_the_zone_in_which_a_moment_is_given_does_not_matter() -> None:
    moment = utc("2026-07-14T22:00")
    for zone in ZONES:
        assert trading_day(PRAGUE, moment.astimezone(ZoneInfo(zone))) == date(2026, 7, 15)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NotMeasurable, match="no time zone"):
        trading_day(PRAGUE, datetime(2026, 3, 2))  # noqa: DTZ001


@given(SETS, MOMENTS)
def test_every_moment_is_within_its_day(rules: RuleSet, moment: datetime) -> None:
    day = trading_day(rules, moment)
    assert day_start(rules, day) <= moment < day_end(rules, day)


@given(SETS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_later_moment_never_has_an_earlier_day(
    rules: RuleSet, moment: datetime, later: timedelta
) -> None:
    assert trading_day(rules, moment) <= trading_day(rules, moment + later)


def test_the_first_mark_begins_the_first_day() -> None:
    row = record([], MONDAY, D(101), D(100), 2)
    assert row == (MONDAY, D(101), D(100), D(101), D(100), D(101), D(101), D(100), 2)


def test_marks_are_added_to_their_day() -> None:
    row = record([], MONDAY, D(100), D(100), 0)
    for equity, balance, traded in ((120, 100, 1), (90, 110, 0), (105, 95, 2)):
        row = record([row], MONDAY, D(equity), D(balance), traded)
    assert [row.first_equity, row.highest_equity, row.lowest_equity] == [100, 120, 90]
    assert [row.first_balance, row.highest_balance] == [100, 110]
    assert [row.last_equity, row.last_balance, row.trades] == [105, 95, 3]


def test_a_new_day_starts_a_new_row() -> None:
    row = record([day(0, 100, 130, 110)], MONDAY + ONE_DAY, D(115), D(112), 0)
    assert [row.day, row.first_equity, row.highest_equity] == [MONDAY + ONE_DAY, 115, 115]
    assert [row.first_balance, row.trades] == [112, 0]


def test_a_loss_between_two_days_counts_for_the_new_day() -> None:
    row = record([day(0, 100, 110)], MONDAY + ONE_DAY, D(104), D(103), 0)
    assert [row.first_equity, row.first_balance] == [110, 110]
    assert [row.last_equity, row.lowest_equity, row.last_balance] == [104, 104, 103]


def test_a_clock_that_goes_back_reopens_no_earlier_day() -> None:
    days = [day(0, 100, 110), day(1, 110, 105)]
    row = record(days, MONDAY, D(90), D(95), 1)
    assert row.day == MONDAY + ONE_DAY
    assert [row.first_equity, row.lowest_equity, row.last_equity] == [110, 90, 90]
    assert row.trades == 2


@pytest.mark.parametrize("figures", [(NAN, D(1)), (D(1), NAN), (D("Infinity"), D(1))])
def test_a_mark_that_is_not_a_number_is_refused(figures: tuple[Decimal, Decimal]) -> None:
    for days in ([], [day(0, 100)]):
        with pytest.raises(NotMeasurable):
            record(days, MONDAY, *figures, 0)


def test_a_negative_number_of_trades_is_refused() -> None:
    with pytest.raises(NotMeasurable):
        record([], MONDAY, D(1), D(1), -1)
