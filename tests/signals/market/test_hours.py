"""New York's historical sessions, and crypto, which always trades."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from signals.market.hours import (
    ALWAYS_OPEN,
    FOREX_WEEK,
    METAL_WEEK,
    TradingHours,
    exchange_hours,
    hours_of,
)
from signals.market.instruments import instrument

HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
NEW_YORK = exchange_hours("XNYS")


@pytest.mark.parametrize(
    "day",
    [
        date(2008, 7, 4),  # Independence Day
        date(2008, 12, 25),
        date(2012, 10, 29),  # hurricane Sandy
        date(2012, 10, 30),
        date(2001, 9, 11),
        date(2001, 9, 12),
        date(2001, 9, 13),
        date(2001, 9, 14),
        date(2008, 7, 5),  # a Saturday
        date(2008, 7, 6),
        date(1969, 12, 31),
    ],
)
def test_on_some_days_there_was_no_session(day: date) -> None:
    assert NEW_YORK.close_of(day) is None
    assert not NEW_YORK.is_open(datetime(day.year, day.month, day.day, 18, tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [
        (date(2008, 1, 15), 21),
        (date(2008, 7, 15), 20),
        (date(2006, 3, 20), 21),  # summer time began in April until 2007,
        (date(2007, 3, 20), 20),  # and in March from then on
        (date(2001, 9, 10), 20),
        (date(2001, 9, 17), 20),
        (date(2007, 11, 23), 18),  # 13:00 in New York, the day after Thanksgiving
        (date(2008, 7, 3), 17),
        (date(2008, 12, 24), 18),
    ],
)
def test_a_session_closes_at_16_in_new_york_and_at_13_on_the_eves_of_holidays(
    day: date, utc_hour: int
) -> None:
    close = NEW_YORK.close_of(day)
    assert close == datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC)


def test_the_days_are_those_with_sessions_both_ends_included() -> None:
    assert NEW_YORK.days(date(2001, 9, 10), date(2001, 9, 18)) == [
        date(2001, 9, 10),
        date(2001, 9, 17),
        date(2001, 9, 18),
    ]
    assert NEW_YORK.days(date(2008, 7, 4), date(2008, 7, 6)) == []


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2008, 1, 15, 14, 30, tzinfo=UTC) - INSTANT, False),
        (datetime(2008, 1, 15, 14, 30, tzinfo=UTC), True),
        (datetime(2008, 1, 15, 21, tzinfo=UTC), True),
        (datetime(2008, 1, 15, 21, tzinfo=UTC) + INSTANT, False),
        (datetime(2007, 11, 23, 18, tzinfo=UTC), True),
        (datetime(2007, 11, 23, 18, tzinfo=UTC) + INSTANT, False),
        (datetime(2008, 1, 15, 22, tzinfo=timezone(HOUR)), True),
        (datetime(2008, 1, 19, 18, tzinfo=UTC), False),  # a Saturday
        (datetime(1950, 1, 4, 18, tzinfo=UTC), False),  # before the first known session
    ],
)
def test_new_york_is_open_from_the_bell_to_the_close(moment: datetime, is_open: bool) -> None:
    assert NEW_YORK.is_open(moment) is is_open


@pytest.mark.parametrize("close", [(2008, 1, 15, 21), (2007, 11, 23, 18)])
def test_grace_is_counted_from_the_sessions_own_close(close: tuple[int, int, int, int]) -> None:
    end = datetime(*close, tzinfo=UTC)
    assert NEW_YORK.is_open(end + HOUR, HOUR)
    assert not NEW_YORK.is_open(end + HOUR + INSTANT, HOUR)


def test_grace_opens_nothing_before_the_bell() -> None:
    assert not NEW_YORK.is_open(datetime(2008, 1, 15, 14, tzinfo=UTC), HOUR)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2008, 1, 16, 4, 59, tzinfo=UTC), date(2008, 1, 15)),
        (datetime(2008, 1, 16, 5, 0, tzinfo=UTC), date(2008, 1, 16)),
        (datetime(2008, 7, 16, 3, 59, tzinfo=UTC), date(2008, 7, 15)),
        (datetime(2008, 7, 16, 4, 0, tzinfo=UTC), date(2008, 7, 16)),
    ],
)
def test_an_exchanges_day_begins_at_its_own_midnight(moment: datetime, day: date) -> None:
    assert NEW_YORK.day_of(moment) == day


@pytest.mark.parametrize(
    "moment", [datetime(2008, 7, 5, 3, tzinfo=UTC), datetime(2008, 12, 25, tzinfo=UTC)]
)
def test_crypto_is_always_open(moment: datetime) -> None:
    assert ALWAYS_OPEN.is_open(moment)


def test_a_day_of_crypto_ends_at_midnight_in_utc() -> None:
    assert ALWAYS_OPEN.close_of(date(2007, 12, 31)) == datetime(2008, 1, 1, tzinfo=UTC)


def test_crypto_trades_on_every_day() -> None:
    days = ALWAYS_OPEN.days(date(2008, 2, 28), date(2008, 3, 1))
    assert days == [date(2008, 2, 28), date(2008, 2, 29), date(2008, 3, 1)]


def test_midnight_belongs_to_the_day_of_crypto_that_it_ends() -> None:
    midnight = datetime(2008, 1, 16, tzinfo=UTC)
    assert ALWAYS_OPEN.day_of(midnight) == date(2008, 1, 15)
    assert ALWAYS_OPEN.day_of(midnight + INSTANT) == date(2008, 1, 16)
    assert ALWAYS_OPEN.day_of(midnight.astimezone(timezone(9 * HOUR))) == date(2008, 1, 15)


def test_the_last_day_that_python_knows_never_ends() -> None:
    assert ALWAYS_OPEN.close_of(date.max) is None


def test_each_instrument_has_the_hours_of_its_market() -> None:
    new_year = date(2008, 1, 1)
    stock: TradingHours = hours_of(instrument("AAPL"), "XNYS")
    assert stock is NEW_YORK
    assert hours_of(instrument("AAPL"), "XLON").close_of(date(2008, 7, 4)) is not None
    assert hours_of(instrument("BTC-USD"), "XNYS").close_of(new_year) is not None
    assert stock.close_of(new_year) is None


@pytest.mark.parametrize("name", ["", "NOWHERE", "xnys"])
def test_a_calendar_that_does_not_exist_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not an exchange calendar; XNYS is New York"):
        exchange_hours(name)


def test_an_exchange_whose_old_holidays_are_unknown_has_its_recent_sessions() -> None:
    tokyo = exchange_hours("XTKS")
    assert tokyo.close_of(date(2019, 3, 1)) == datetime(2019, 3, 1, 6, tzinfo=UTC)
    assert tokyo.close_of(date(2019, 5, 1)) is None  # a new emperor


def test_a_calendar_that_cannot_be_computed_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'ASEX' is a calendar that"):
        exchange_hours("ASEX")


def test_the_session_at_a_moment_began_at_its_opening_bell() -> None:
    opened, closed = (
        datetime(2008, 1, 15, hour, 30 * (hour == 14), tzinfo=UTC) for hour in (14, 21)
    )
    assert NEW_YORK.began(closed) == opened
    assert NEW_YORK.began(opened + HOUR) == opened
    assert NEW_YORK.began(opened) == datetime(2008, 1, 14, 14, 30, tzinfo=UTC)
    assert ALWAYS_OPEN.began(closed) == closed - 24 * HOUR


def test_a_bar_may_have_closed_only_if_a_session_or_an_hour_ended() -> None:
    closed = datetime(2008, 1, 15, 21, tzinfo=UTC)
    assert NEW_YORK.may_have_closed(closed - INSTANT, closed)
    assert not NEW_YORK.may_have_closed(closed, closed + 23 * HOUR)
    assert NEW_YORK.may_have_closed(closed, closed + 24 * HOUR)
    assert ALWAYS_OPEN.may_have_closed(closed - INSTANT, closed)
    assert not ALWAYS_OPEN.may_have_closed(closed, closed + HOUR - INSTANT)


def eastern(day: int, hour: int, minute: int = 0, *, summer: bool = False) -> datetime:
    """Return a moment of January (or July) 2025 in New York; 5 January (6 July) is a Sunday."""
    behind = timedelta(hours=4 if summer else 5)
    return datetime(2025, 7 if summer else 1, day, hour, minute, tzinfo=UTC) + behind


@pytest.mark.parametrize("summer", [False, True])
def test_forex_is_open_from_sunday_17_to_friday_17_in_new_york(summer: bool) -> None:
    sunday = 6 if summer else 5
    for moment, is_open in (
        (eastern(sunday, 16, 59, summer=summer), False),
        (eastern(sunday, 17, summer=summer), True),
        (eastern(sunday + 2, 3, summer=summer), True),
        (eastern(sunday + 2, 17, summer=summer), True),
        (eastern(sunday + 5, 17, summer=summer), True),
        (eastern(sunday + 5, 17, summer=summer) + INSTANT, False),
        (eastern(sunday + 6, 12, summer=summer), False),
    ):
        assert FOREX_WEEK.is_open(moment) is is_open, moment


def test_grace_is_counted_from_the_end_of_the_forex_week() -> None:
    end = eastern(10, 17)
    assert FOREX_WEEK.is_open(end + HOUR, HOUR)
    assert not FOREX_WEEK.is_open(end + HOUR + INSTANT, HOUR)


def test_a_day_of_forex_begins_and_ends_at_17_and_there_are_five_of_them() -> None:
    assert FOREX_WEEK.close_of(date(2025, 1, 6)) == eastern(6, 17)
    assert FOREX_WEEK.close_of(date(2025, 1, 5)) is None
    assert FOREX_WEEK.days(date(2025, 1, 4), date(2025, 1, 11)) == [
        date(2025, 1, day) for day in range(6, 11)
    ]
    assert FOREX_WEEK.day_of(eastern(5, 18)) == date(2025, 1, 6)
    assert FOREX_WEEK.day_of(eastern(6, 17)) == date(2025, 1, 6)
    assert FOREX_WEEK.began(eastern(6, 17)) == eastern(5, 17)
    assert FOREX_WEEK.began(eastern(6, 12)) == eastern(5, 17)
    assert FOREX_WEEK.began(eastern(11, 12)) == eastern(9, 17)


def test_a_bar_of_forex_may_have_closed_only_at_the_end_of_a_day() -> None:
    friday = eastern(10, 17)
    assert FOREX_WEEK.may_have_closed(friday - INSTANT, friday)
    assert not FOREX_WEEK.may_have_closed(friday, friday + 48 * HOUR)
    assert FOREX_WEEK.may_have_closed(friday, friday + 72 * HOUR)


def test_forex_and_metals_rest_at_christmas_and_new_year() -> None:
    for hours in (FOREX_WEEK, METAL_WEEK):
        for eve in (datetime(2024, 12, 24, 22, tzinfo=UTC), datetime(2024, 12, 31, 22, tzinfo=UTC)):
            assert hours.is_open(eve)  # 17:00 in New York
            assert not hours.is_open(eve + INSTANT)
            assert not hours.is_open(eve + 24 * HOUR - INSTANT)
            assert hours.is_open(eve + 25 * HOUR)
            assert hours.began(eve + 12 * HOUR) <= eve - 23 * HOUR, "the session before"
        days = hours.days(date(2024, 12, 23), date(2025, 1, 3))
        assert days == [date(2024, 12, day) for day in (23, 24, 26, 27, 30, 31)] + [
            date(2025, 1, 2), date(2025, 1, 3),
        ]  # fmt: skip
        assert hours.close_of(date(2024, 12, 25)) is None
        assert not hours.may_have_closed(eve, eve + 24 * HOUR)


def test_metals_pause_for_an_hour_each_day() -> None:
    gold = hours_of(instrument("XAUUSD"), "XNYS")
    for moment, is_open in (
        (eastern(5, 17, 59), False),  # Sunday
        (eastern(5, 18), True),
        (eastern(6, 17), True),
        (eastern(6, 17) + INSTANT, False),
        (eastern(6, 17, 59), False),
        (eastern(6, 18), True),
        (eastern(10, 17), True),
        (eastern(10, 18), False),
    ):
        assert gold.is_open(moment) is is_open, moment
    assert gold.is_open(eastern(6, 17, 30), HOUR / 2)
    assert gold.began(eastern(6, 17)) == eastern(5, 18)
    assert gold.began(eastern(6, 17, 30)) == eastern(5, 18)
    assert hours_of(instrument("EURUSD"), "XNYS").is_open(eastern(6, 17, 30))


def test_futures_follow_globex_and_an_index_its_exchange() -> None:
    holiday_abroad = date(2008, 7, 4)
    assert hours_of(instrument("DAX", "index"), "XNYS").close_of(holiday_abroad) is not None
    evening = datetime(2025, 1, 7, 1, tzinfo=UTC)  # 19:00 in Chicago
    assert hours_of(instrument("ES=F"), "XNYS").is_open(evening)
    assert not NEW_YORK.is_open(evening)


class Shows:
    """A market with weekend bars."""

    def is_always_open(self, symbol: str) -> bool:
        return True


def test_fault_59_weekend_bars_decide_where_the_kind_was_only_guessed() -> None:
    assert hours_of(instrument("NEWCOINUSD"), "XNYS", Shows()) is ALWAYS_OPEN
    assert hours_of(instrument("HYPE"), "XNYS", Shows()) is ALWAYS_OPEN
    assert hours_of(instrument("EURUSD"), "XNYS", Shows()) is FOREX_WEEK
    assert hours_of(instrument("NEWCOINUSD"), "XNYS", object()) is NEW_YORK
