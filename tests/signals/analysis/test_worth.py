"""What groups of trades are worth: by hand, and intervals that know that trades share bars."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from signals.analysis.figure import Interval
from signals.analysis.intervals import of_mean
from signals.analysis.worth import SAME, Worth

DAYS = np.datetime64("2012-01-02T21:00", "us") + np.arange(400) * np.timedelta64(1, "D")
COST, GAIN = "rejected_cost_pct", "worth_pct"
Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]


def worth(results: Floats, groups: Mapping[str, Any], times: Times = DAYS, seed: int = 0) -> Worth:
    """Return the worth of these results, a day apart; a group is a slice, or the places in it."""
    masks = {}
    for name, places in groups.items():
        masks[name] = np.zeros(results.size, np.bool_)
        masks[name][places] = True
    return Worth(times[: results.size], results, masks, seed)


def width(interval: Interval) -> float:
    return interval.high - interval.low


def test_means_and_their_difference_by_hand() -> None:
    results = np.array([1.0, 3.0, -2.0, np.nan, 6.0])
    found = worth(results, {"all": slice(4), "without": [0, 1, 3, 4], "none": []})
    mean = found.mean(COST, "all")
    assert mean.value == pytest.approx(2 / 3)
    assert mean.n == 3
    gain = found.gain(GAIN, "all", "without")
    assert gain.value == pytest.approx(2 / 3 - 10 / 3)
    assert (gain.n, gain.interval) == (2, None), "only the third and the fifth differ"
    assert found.mean(COST, "none").null_because == "no rejected candidate has a trade that ended"
    assert found.gain(GAIN, "all", "none").value is None
    assert found.gain(GAIN, "all", "all").null_because == SAME


def test_no_trades_at_all_have_no_worth() -> None:
    found = worth(np.array([]), {"all": [], "without": []})
    assert found.mean(COST, "all").value is None
    assert found.gain(GAIN, "all", "without").value is None


@pytest.mark.parametrize(("size", "has_interval"), [(29, False), (30, True)])
def test_fewer_than_thirty_have_no_interval(size: int, has_interval: bool) -> None:
    results = np.random.default_rng(2).normal(0.5, 2.0, 100)
    groups = {
        "few": slice(size),
        "many": slice(40, 100),
        "all": slice(100),
        "most": slice(size, 100),
    }
    found = worth(results, groups)
    assert (found.mean(COST, "few").interval is not None) is has_interval
    assert (found.gain(GAIN, "few", "many").interval is not None) is has_interval
    assert (found.gain(GAIN, "all", "most").interval is not None) is has_interval


def test_independent_results_have_about_the_normal_interval() -> None:
    results = np.random.default_rng(3).normal(0.2, 2.0, 400)
    found, normal = worth(results, {"all": slice(None)}).mean(COST, "all"), of_mean(results)
    assert found.interval is not None
    assert normal is not None
    assert width(found.interval) == pytest.approx(width(normal), rel=0.15)


def test_results_that_share_their_days_have_a_wider_interval() -> None:
    """Five symbols on each day with the same result are one case, not five."""
    of_days = np.random.default_rng(4).normal(0.2, 2.0, 200)
    results, times = np.repeat(of_days, 5), np.repeat(DAYS[:200], 5)
    found = worth(results, {"all": slice(None)}, times).mean(COST, "all")
    alone = worth(of_days, {"all": slice(None)}).mean(COST, "all")
    assert found.interval is not None
    assert alone.interval is not None
    assert found.interval[:2] == pytest.approx(alone.interval[:2])
    normal = of_mean(results)
    assert normal is not None
    assert width(found.interval) > 2 * width(normal)


def test_days_that_follow_each_other_are_drawn_in_blocks() -> None:
    results = np.repeat(np.random.default_rng(5).normal(0.2, 2.0, 40), 10)
    found, normal = worth(results, {"all": slice(None)}).mean(COST, "all"), of_mean(results)
    assert found.interval is not None
    assert normal is not None
    assert width(found.interval) > 1.5 * width(normal)


def test_what_two_groups_share_does_not_blur_their_difference() -> None:
    results = np.random.default_rng(6).normal(0.2, 2.0, 400)
    found = worth(results, {"all": slice(None), "most": slice(None, -40)})
    gain, mean = found.gain(GAIN, "all", "most"), found.mean(COST, "all")
    assert gain.value is not None
    assert gain.interval is not None
    assert mean.interval is not None
    assert gain.interval.low < gain.value < gain.interval.high
    assert width(gain.interval) < 0.5 * width(mean.interval)


def test_cases_of_one_short_time_have_no_interval() -> None:
    """Most resamples have none of them, so nothing is known of other times."""
    results = np.random.default_rng(7).normal(0.2, 2.0, 400)
    results[40:] = np.repeat(results[:36], 10)
    few = worth(results, {"all": slice(None), "few": slice(200, 232)}).mean(COST, "few")
    assert (few.n, few.interval) == (32, None)


def test_the_same_seed_gives_the_same_interval() -> None:
    results = np.random.default_rng(8).normal(0.2, 2.0, 100)
    spans = [
        worth(results, {"all": slice(None)}, seed=seed).mean(COST, "all").interval
        for seed in (1, 1, 2)
    ]
    assert spans[0] == spans[1] != spans[2]
