"""The difference of a figure between two sides, and its interval."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_ind

from argo.reports.compare.differences import difference, interval_of_difference
from signals.analysis.figure import Figure, Interval, undefined
from signals.analysis.intervals import of_mean, of_share


def share(wins: int, n: int) -> dict[str, Any]:
    return Figure("win_rate", wins / n, n, of_share(wins, n)).as_json()


def of(name: str, value: float, low: float, high: float) -> dict[str, Any]:
    return {name: Figure(name, value, 100, Interval(low, high, 0.95, "a test")).as_json()}


def test_of_two_shares_it_is_newcombes_method_10() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, table II, (a): 56/70 less 48/80."""
    found = interval_of_difference(share(56, 70), share(48, 80))
    assert (found["low"], found["high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_of_two_means_it_is_the_usual_interval() -> None:
    chance = np.random.default_rng(1)
    a, b = chance.normal(0.5, 1, 4000), chance.normal(0.2, 2, 5000)
    sides = [Figure("average_pct", float(x.mean()), x.size, of_mean(x)).as_json() for x in (a, b)]
    found = interval_of_difference(*sides)
    welch = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((welch.low, welch.high), rel=2e-3)


@pytest.mark.parametrize(
    ("name", "better"), [("expectancy_pct", "a"), ("brier", "b"), ("exposure", None)]
)
def test_who_is_better_depends_on_the_figure(name: str, better: str | None) -> None:
    more, less = of(name, 0.9, 0.85, 0.95), of(name, 0.2, 0.1, 0.3)
    assert difference(name, more, less, None)["better"] == better
    swapped = {"a": "b", "b": "a", None: None}[better]
    assert difference(name, less, more, None)["better"] == swapped


def test_intervals_that_leave_room_for_0_say_that_nobody_is_better() -> None:
    found = difference("sharpe", of("sharpe", 1, 0, 2), of("sharpe", 0.5, 0, 1), None)
    assert found["value"] == 0.5
    assert found["interval"]["low"] < 0 < found["interval"]["high"]
    assert found["better"] is None


def test_an_undefined_side_makes_the_difference_undefined_and_says_why() -> None:
    a, b = of("sharpe", 1, 0, 2), {"sharpe": undefined("sharpe", 1, "one day").as_json()}
    found = difference("sharpe", a, b, None)
    assert (found["value"], found["null_because"]) == (None, "B: one day")


@pytest.mark.parametrize(
    ("n", "reason"), [(29, "fewer than 30 cases on a side"), (30, "none is computed for")]
)
def test_without_an_interval_on_a_side_there_is_none_and_a_reason(n: int, reason: str) -> None:
    plain = {"median_pct": Figure("median_pct", 1.0, n).as_json()}
    found = difference("median_pct", plain, plain, None)
    assert found["interval"] is None
    assert found["no_interval_because"].startswith(reason)
