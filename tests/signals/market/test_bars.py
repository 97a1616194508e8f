"""Bars refuse impossible values, and cannot be changed afterwards."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from signals.market.bars import BadBars, Bars, as_times
from tests.signals.market.builders import FIRST_CLOSE, bars_of


def columns(**changes: object) -> dict[str, Any]:
    """Return three valid rows, with these changes."""
    good: dict[str, object] = {
        "time": as_times([FIRST_CLOSE + timedelta(days=day) for day in range(3)]),
        "open": [10.0, 11.0, 12.0],
        "high": [12.0, 13.0, 14.0],
        "low": [9.0, 10.0, 11.0],
        "close": [11.0, 12.0, 13.0],
        "volume": [100.0, 200.0, 300.0],
    }
    return good | changes


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf"), 0.0, -1.0])
def test_a_price_that_is_not_above_zero_is_refused(name: str, price: float) -> None:
    bad = columns()
    bad[name] = [*bad[name][:1], price, *bad[name][2:]]
    with pytest.raises(BadBars, match=f"TEST 2008-01-03.*: {name} is not a number above 0"):
        Bars.checked("TEST", **bad)


@pytest.mark.parametrize("volume", [float("nan"), float("inf"), -1.0])
def test_a_volume_that_is_not_a_number_of_shares_is_refused(volume: float) -> None:
    with pytest.raises(BadBars, match=r"TEST 2008-01-03.*: volume"):
        Bars.checked("TEST", **columns(volume=[100.0, volume, 300.0]))


def test_a_bar_without_trades_is_kept() -> None:
    assert Bars.checked("TEST", **columns(volume=[100.0, 0.0, 300.0])).volume[1] == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"high": [12.0, 9.5, 14.0]}, "high is below"),
        ({"high": [12.0, 11.5, 14.0]}, "high is below"),
        ({"open": [10.0, 13.5, 12.0]}, "high is below"),
        ({"low": [9.0, 11.5, 11.0]}, "low is above"),
        ({"close": [11.0, 9.5, 13.0]}, "low is above"),
    ],
)
def test_prices_outside_of_low_and_high_are_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(BadBars, match=f"TEST 2008-01-03.*: {why}"):
        Bars.checked("TEST", **columns(**changes))


@pytest.mark.parametrize("third", [5, 4], ids=["twice", "back"])
def test_times_must_increase_and_the_wrong_row_is_named(third: int) -> None:
    time = as_times([FIRST_CLOSE + timedelta(days=day) for day in (0, 5, third)])
    with pytest.raises(BadBars, match=rf"TEST 2008-01-0{2 + third}.*does not come after.*row 3"):
        Bars.checked("TEST", **columns(time=time))


def test_a_missing_time_is_refused() -> None:
    time = columns()["time"].copy()
    time[1] = np.datetime64("NaT")
    with pytest.raises(BadBars, match=r"TEST .*time is missing.*row 2"):
        Bars.checked("TEST", **columns(time=time))


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(BadBars, match="TEST: the columns differ in length"):
        Bars.checked("TEST", **columns(close=[11.0, 12.0]))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        as_times([datetime(2008, 1, 2, 21)])  # noqa: DTZ001


@pytest.mark.parametrize("name", ["time", "open", "high", "low", "close", "volume"])
def test_no_column_can_be_changed_not_even_through_its_original_array(name: str) -> None:
    given = {key: np.array(values) for key, values in columns().items()}
    bars = Bars.checked("TEST", **given)
    before = getattr(bars, name)[0]
    given[name][0] = given[name][1]
    assert getattr(bars, name)[0] == before
    with pytest.raises(ValueError, match="read-only"):
        getattr(bars.upto(2), name)[0] = getattr(bars, name)[1]


def test_a_bar_is_plain_python() -> None:
    bar = Bars.checked("TEST", **columns()).bar(-1)
    assert asdict(bar) == {
        "symbol": "TEST",
        "time": datetime(2008, 1, 4, 21, tzinfo=UTC),
        "open": 12.0,
        "high": 14.0,
        "low": 11.0,
        "close": 13.0,
        "volume": 300.0,
    }
    assert {type(value) for value in asdict(bar).values()} == {str, datetime, float}


def test_a_window_ends_where_it_should_and_copies_nothing() -> None:
    bars = bars_of([1.0, 2.0, 3.0])
    window = bars.upto(2)
    assert len(window) == 2
    for name in ("time", "open", "high", "low", "close", "volume"):
        assert getattr(window, name).tolist() == getattr(bars, name).tolist()[:2]
        assert np.shares_memory(getattr(window, name), getattr(bars, name))


def test_bars_are_counted_to_a_moment() -> None:
    bars = bars_of([1.0, 2.0, 3.0])
    second = FIRST_CLOSE + timedelta(days=1)
    instant = timedelta(microseconds=1)
    assert (bars.count_before(second), bars.count_through(second)) == (1, 2)
    assert (bars.count_before(second + instant), bars.count_through(second - instant)) == (2, 1)


def test_bars_between_two_moments_include_both_ends() -> None:
    bars = bars_of([1.0, 2.0, 3.0, 4.0])
    second, third = (FIRST_CLOSE + timedelta(days=day) for day in (1, 2))
    instant = timedelta(microseconds=1)
    assert bars.between(second, third).close.tolist() == [2.0, 3.0]
    assert bars.between(second + instant, third).close.tolist() == [3.0]
    assert bars.between(second, third - instant).close.tolist() == [2.0]


def test_bars_start_with_the_first_if_no_start_is_given() -> None:
    bars = bars_of([1.0, 2.0, 3.0])
    assert bars.between(None, FIRST_CLOSE + timedelta(days=1)).close.tolist() == [1.0, 2.0]
    assert len(bars.between(None, FIRST_CLOSE - timedelta(microseconds=1))) == 0


def test_there_are_no_bars_between_moments_in_the_wrong_order() -> None:
    bars = bars_of([1.0, 2.0, 3.0])
    assert len(bars.between(FIRST_CLOSE + timedelta(days=2), FIRST_CLOSE)) == 0


def test_a_moment_may_be_in_any_time_zone() -> None:
    bars = bars_of([1.0, 2.0, 3.0])
    there = (FIRST_CLOSE + timedelta(days=1)).astimezone(timezone(timedelta(hours=9)))
    assert bars.between(there, there).close.tolist() == [2.0]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        bars_of([1.0]).between(None, datetime(2008, 1, 2, 21))  # noqa: DTZ001


def test_a_part_between_moments_keeps_symbol_and_columns_and_copies_nothing() -> None:
    bars = Bars.checked("TEST", **columns())
    part = bars.between(bars.time_at(1), bars.time_at(2))
    assert [part.bar(0), part.bar(1)] == [bars.bar(1), bars.bar(2)]
    assert np.shares_memory(part.close, bars.close)


def test_ranges_are_high_low_and_close_of_the_last_bars() -> None:
    high, low, close = Bars.checked("TEST", **columns()).ranges(2)
    assert (high.tolist(), low.tolist()) == ([13.0, 14.0], [10.0, 11.0])
    assert close.tolist() == [12.0, 13.0]


def test_ranges_of_too_many_bars_are_the_ranges_of_all() -> None:
    assert [len(column) for column in bars_of([1.0, 2.0]).ranges(100)] == [2, 2, 2]


def test_adjusting_scales_prices_one_way_and_volume_the_other() -> None:
    bars = Bars.checked("TEST", **columns())
    adjusted = bars.adjusted([5.5, 12.0, 26.0])
    np.testing.assert_allclose(adjusted.close, [5.5, 12.0, 26.0])
    np.testing.assert_allclose(adjusted.open, [5.0, 11.0, 24.0])
    np.testing.assert_allclose(adjusted.high, [6.0, 13.0, 28.0])
    np.testing.assert_allclose(adjusted.low, [4.5, 10.0, 22.0])
    np.testing.assert_allclose(adjusted.volume, [200.0, 200.0, 150.0])


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_an_adjusted_close_that_is_not_above_zero_is_refused(price: float) -> None:
    bars = Bars.checked("TEST", **columns())
    with pytest.raises(BadBars, match=r"TEST 2008-01-03.*adjusted close"):
        bars.adjusted([11.0, price, 13.0])


def test_there_must_be_one_adjusted_close_for_each_bar() -> None:
    with pytest.raises(BadBars, match="TEST: the columns differ in length"):
        Bars.checked("TEST", **columns()).adjusted([11.0])
