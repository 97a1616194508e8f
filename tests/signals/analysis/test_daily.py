"""The daily Sharpe ratio of trades."""

import math

import empyrical
import numpy as np
import pytest

from signals.analysis.daily import Times, daily_sharpe

WEEK = np.arange("2026-01-05", "2026-01-10", dtype="datetime64[D]")


def times(*texts: str) -> Times:
    return np.array(texts, "datetime64[us]")


def test_each_result_counts_on_the_day_of_its_end_and_the_other_days_as_nothing() -> None:
    ended = times("2026-01-06T21:00", "2026-01-06T14:30", "2026-01-09T21:00")
    found = daily_sharpe(ended, np.array([1.0, 2.0, -1.0]), WEEK)
    daily = np.array([0.0, 3.0, 0.0, 0.0, -1.0])
    assert found == pytest.approx(empyrical.sharpe_ratio(daily, annualization=1), rel=1e-9)


def test_days_after_the_last_end_do_not_count() -> None:
    ended, results = times("2026-01-05T21:00", "2026-01-06T21:00"), np.array([1.0, 2.0])
    assert daily_sharpe(ended, results, WEEK) == daily_sharpe(ended, results, WEEK[:2])


def test_an_end_on_another_day_counts_on_the_next_trading_day() -> None:
    days = np.delete(WEEK, 2)
    found = daily_sharpe(times("2026-01-07", "2026-01-09"), np.array([1.0, 2.0]), days)
    expected = daily_sharpe(times("2026-01-08", "2026-01-09"), np.array([1.0, 2.0]), days)
    assert found == expected


def test_the_unit_of_the_results_does_not_matter() -> None:
    ended, results = times("2026-01-05", "2026-01-07"), np.array([1.0, -3.0])
    found = daily_sharpe(ended, results, WEEK)
    assert daily_sharpe(ended, 1000 * results, WEEK) == pytest.approx(found)


@pytest.mark.parametrize(
    ("ended", "results"),
    [
        ((), ()),
        (("2026-01-05T21:00",), (1.0,)),
        (("2026-01-05", "2026-01-06"), (0.1, 0.1)),
    ],
)
def test_too_few_days_or_equal_results_have_none(
    ended: tuple[str, ...], results: tuple[float, ...]
) -> None:
    assert math.isnan(daily_sharpe(times(*ended), np.array(results), WEEK))
