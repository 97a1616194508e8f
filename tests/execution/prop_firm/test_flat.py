"""When nothing may be held: before sessions end, before weekends, and by the firm's clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from execution.prop_firm.days import NotMeasurable
from execution.prop_firm.flat import must_be_flat
from execution.prop_firm.rule_set import RuleSet
from signals.market.hours import ALWAYS_OPEN, FOREX_WEEK, TradingHours, exchange_hours
from tests.execution.prop_firm.rules import rule_set

NEW_YORK, RIYADH = exchange_hours("XNYS"), exchange_hours("XSAU")
CLOSE = rule_set(flat={"by": "close", "minutes_before": 10})
WEEKEND = rule_set(flat={"by": "weekend", "minutes_before": 10})
FUTURES = {"zone": "America/Chicago", "reset": time(17)}


def at(text: str, zone: str = "America/New_York") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def flat(rules: RuleSet, text: str, hours: TradingHours = NEW_YORK, zone: str = "") -> bool:
    return must_be_flat(rules, at(text, zone or "America/New_York"), hours)


def test_without_a_rule_anything_may_be_held_at_any_time() -> None:
    assert not flat(rule_set(), "2026-03-07T12:00")


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-04T09:00", True),  # before the session
        ("2026-03-04T09:30", False),
        ("2026-03-04T15:49:59", False),
        ("2026-03-04T15:50", True),
        ("2026-03-04T16:00", True),
        ("2026-03-04T20:00", True),
        ("2026-03-07T12:00", True),  # Saturday
        ("2026-11-27T12:49:59", False),  # a short day, the one after Thanksgiving
        ("2026-11-27T12:50", True),
        ("2026-03-09T15:49:59", False),  # after the change of the clocks
        ("2026-03-09T15:50", True),
    ],
)
def test_flat_by_the_close_of_each_session(moment: str, wanted: bool) -> None:
    assert flat(CLOSE, moment) is wanted


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-05T15:55", False),  # Thursday
        ("2026-03-05T20:00", False),
        ("2026-03-06T09:00", False),
        ("2026-03-06T15:49:59", False),
        ("2026-03-06T15:50", True),
        ("2026-03-07T12:00", True),
        ("2026-03-08T12:00", True),
        ("2026-03-09T09:29:59", True),
        ("2026-03-09T09:30", False),
        ("2026-03-09T20:00", False),
        ("2026-04-02T15:50", True),  # Good Friday follows
        ("2026-04-03T12:00", True),
        ("2026-01-19T12:00", True),  # a Monday without a session
        ("2026-01-20T09:30", False),
        ("2026-11-26T12:00", False),  # Thanksgiving, amid a week
    ],
)
def test_flat_by_the_last_close_of_the_week(moment: str, wanted: bool) -> None:
    assert flat(WEEKEND, moment) is wanted


def test_the_week_ends_on_thursday_if_friday_has_no_session() -> None:
    def held(text: str) -> bool:
        return not flat(WEEKEND, text, RIYADH, "Asia/Riyadh")

    assert held("2025-05-07T20:00")  # Wednesday
    assert held("2025-05-08T12:00")
    assert not held("2025-05-08T20:00")
    assert not held("2025-05-09T12:00")
    assert not held("2025-05-11T08:00")
    assert held("2025-05-11T12:00")  # Sunday
    assert held("2025-05-11T20:00")


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-06T16:49:59", False),  # Friday's day ends at 17:00
        ("2026-03-06T16:50", True),
        ("2026-03-06T17:00", True),
        ("2026-03-07T12:00", True),
        ("2026-03-08T16:59:59", True),
        ("2026-03-08T17:00", False),
        ("2026-03-05T16:55", False),
    ],
)
def test_the_weekend_of_a_market_that_is_always_open_is_the_firms(
    moment: str, wanted: bool
) -> None:
    rules = rule_set(flat={"by": "weekend", "minutes_before": 10}, **FUTURES)
    assert flat(rules, moment, ALWAYS_OPEN, "America/Chicago") is wanted


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-04T16:49:59", False),
        ("2026-03-04T16:50", True),
        ("2026-03-04T17:00", False),
        ("2026-03-07T12:00", False),  # Saturday is a day like others
    ],
)
def test_the_close_of_a_market_that_is_always_open_is_the_end_of_the_firms_day(
    moment: str, wanted: bool
) -> None:
    rules = rule_set(flat={"by": "close", "minutes_before": 10}, **FUTURES)
    assert flat(rules, moment, ALWAYS_OPEN, "America/Chicago") is wanted


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-04T15:04:59", False),
        ("2026-03-04T15:05", True),
        ("2026-03-04T16:59", True),
        ("2026-03-04T17:00", False),
        ("2026-03-05T03:00", False),
        ("2026-03-09T15:04:59", False),  # after the change of the clocks
        ("2026-03-09T15:05", True),
    ],
)
def test_flat_by_a_time_of_the_firms_day(moment: str, wanted: bool) -> None:
    rules = rule_set(flat={"by": "close", "minutes_before": 5, "at": time(15, 10)}, **FUTURES)
    assert flat(rules, moment, ALWAYS_OPEN, "America/Chicago") is wanted


def test_a_time_after_the_reset_is_on_the_evening_before() -> None:
    rules = rule_set(flat={"by": "close", "at": time(20)}, **FUTURES)
    assert not flat(rules, "2026-03-04T19:59", ALWAYS_OPEN, "America/Chicago")
    assert flat(rules, "2026-03-04T20:00", ALWAYS_OPEN, "America/Chicago")
    assert flat(rules, "2026-03-05T16:59", ALWAYS_OPEN, "America/Chicago")


def test_a_time_at_the_reset_is_the_end_of_the_day() -> None:
    rules = rule_set(flat={"by": "close", "minutes_before": 5, "at": time(17)}, **FUTURES)
    assert not flat(rules, "2026-03-04T16:54", ALWAYS_OPEN, "America/Chicago")
    assert flat(rules, "2026-03-04T16:55", ALWAYS_OPEN, "America/Chicago")
    assert not flat(rules, "2026-03-04T17:00", ALWAYS_OPEN, "America/Chicago")


def test_the_earlier_of_close_and_time_counts() -> None:
    early = rule_set(flat={"by": "close", "at": time(12)}, zone="America/New_York")
    late = rule_set(flat={"by": "close", "at": time(18)}, zone="America/New_York")
    assert flat(early, "2026-03-04T12:00")
    assert not flat(early, "2026-03-04T11:59")
    assert flat(late, "2026-03-04T16:00")


def test_a_time_for_the_weekend_is_on_friday() -> None:
    rules = rule_set(flat={"by": "weekend", "at": time(12)}, zone="America/New_York")
    assert not flat(rules, "2026-03-05T13:00")
    assert flat(rules, "2026-03-06T12:00")
    assert not flat(rules, "2026-03-06T11:59")
    assert flat(rules, "2026-03-07T09:00", ALWAYS_OPEN)


class NeverOpen:
    """A market without any known session."""

    def close_of(self, day: date) -> datetime | None:
        return None

    def began(self, end: datetime) -> datetime:
        return end

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        return False

    def days(self, first: date, last: date) -> list[date]:
        return []

    def day_of(self, moment: datetime) -> date:
        return moment.date()

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        return False


@pytest.mark.parametrize("rules", [CLOSE, WEEKEND])
def test_nothing_may_be_held_if_no_session_is_known(rules: RuleSet) -> None:
    assert flat(rules, "2026-03-04T12:00", NeverOpen())


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NotMeasurable):
        must_be_flat(CLOSE, datetime(2026, 3, 4), NEW_YORK)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-03-05T16:55", False),  # Thursday
        ("2026-03-06T16:49", False),
        ("2026-03-06T16:50", True),  # Friday, ten minutes before the week ends
        ("2026-03-07T12:00", True),
        ("2026-03-08T16:59", True),
        ("2026-03-08T17:00", False),  # Sunday
    ],
)
def test_fault_60_forex_is_flat_before_its_own_week_ends(moment: str, wanted: bool) -> None:
    assert flat(WEEKEND, moment, FOREX_WEEK) is wanted
