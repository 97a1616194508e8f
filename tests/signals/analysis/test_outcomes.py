"""Figures of closed signals, by hand, against scipy, and at their edges."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from signals.analysis.definitions import DEFINITIONS
from signals.analysis.outcomes import Closed, group_figures, headline_figures

START = np.datetime64("2026-01-01T00:00", "us")
HOUR = np.timedelta64(1, "h")
NO_LOSS = {"average_loss_pct", "profit_factor", "payoff_ratio"}


def closed(profits: list[float], **other: Any) -> Closed:  # noqa: ANN401
    """Return closed signals an hour apart, of a day each; win and loss by the sign."""
    n = len(profits)
    profit = np.array(profits, dtype=float)
    opened = START + np.arange(n) * HOUR
    given: dict[str, Any] = {
        "outcome": np.where(profit > 0, "win", np.where(profit < 0, "loss", "breakeven")),
        "profit_pct": profit,
        "risk_pct": np.full(n, 2.0),
        "opened": opened,
        "closed": opened + 24 * HOUR,
        "mae_pct": np.full(n, -1.0),
        "mfe_pct": np.full(n, 3.0),
    }
    return Closed(**given | other)


def values(of: Closed) -> dict[str, float | None]:
    return {name: figure.value for name, figure in headline_figures(of).items()}


def test_the_figures_of_a_few_signals_by_hand() -> None:
    found = values(closed([4.0, -2.0, 6.0, -2.0, 0.0, -1.0]))
    r = np.array([2.0, -1.0, 3.0, -1.0, 0.0, -0.5])
    assert found == pytest.approx(
        {
            "win_rate": 2 / 6,
            "average_pct": 5 / 6,
            "expectancy_pct": 5 / 6,
            "average_win_pct": 5.0,
            "average_loss_pct": -5 / 3,
            "expectancy_r": 2.5 / 6,
            "profit_factor": 2.0,
            "payoff_ratio": 3.0,
            "sqn": np.sqrt(6) * r.mean() / r.std(ddof=1),
            "median_pct": -0.5,
            "best_pct": 6.0,
            "worst_pct": -2.0,
            "longest_winning_streak": 1,
            "longest_losing_streak": 1,
            "average_mae_pct": -1.0,
            "average_mfe_pct": 3.0,
            "median_holding_days": 1.0,
        }
    )


def test_every_figure_has_a_definition() -> None:
    for name, figure in headline_figures(closed([1.0, -1.0])).items():
        assert figure.name == name
        assert DEFINITIONS[name].title
        assert figure.as_json()["definition"] == DEFINITIONS[name].text


def test_without_signals_every_figure_is_undefined_and_says_why() -> None:
    for figure in headline_figures(closed([])).values():
        assert figure.value is None
        assert figure.n == 0
        assert figure.null_because == DEFINITIONS[figure.name].undefined


@pytest.mark.parametrize(
    ("profits", "undefined"),
    [
        ([1.0, 2.0], NO_LOSS),
        ([-1.0, -2.0], {"average_win_pct", "payoff_ratio"}),
        ([0.0, 0.0], {"average_win_pct", *NO_LOSS, "sqn"}),
        ([1.0], {*NO_LOSS, "sqn"}),
        ([0.1, 0.1, 0.1], {*NO_LOSS, "sqn"}),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_undefined(profits: list[float], undefined: set[str]) -> None:
    found = values(closed(profits))
    assert {name for name, value in found.items() if value is None} == undefined


def test_all_losses_have_a_profit_factor_of_zero() -> None:
    assert values(closed([-1.0, -2.0]))["profit_factor"] == 0


def test_unknown_results_count_for_the_win_rate_alone() -> None:
    of = closed([4.0, np.nan, -2.0], outcome=np.array(["win", "win", "loss"]))
    found = headline_figures(of)
    assert (found["win_rate"].value, found["win_rate"].n) == (2 / 3, 3)
    assert (found["average_pct"].value, found["average_pct"].n) == (1.0, 2)


def test_signals_without_a_stop_have_no_r() -> None:
    of = closed([4.0, -2.0, 8.0], risk_pct=np.array([2.0, np.nan, 0.0]))
    found = headline_figures(of)
    assert (found["expectancy_r"].value, found["expectancy_r"].n) == (2.0, 1)


def test_expired_signals_count_as_closed_and_not_as_won() -> None:
    of = closed([4.0, 1.0], outcome=np.array(["win", "expired"]))
    assert values(of)["win_rate"] == 0.5


def test_streaks_go_by_the_order_of_closing() -> None:
    """The second signal closed first: three wins follow each other, two by the order of opening."""
    order = START + np.array([1, 0, 2, 3]) * HOUR
    found = values(closed([1.0, -1.0, 1.0, 1.0], closed=order))
    assert found["longest_winning_streak"] == 3
    assert found["longest_losing_streak"] == 1


def test_equal_times_keep_their_order() -> None:
    same = np.full(4, START)
    found = values(closed([1.0, 1.0, -1.0, 1.0], closed=same, opened=same))
    assert found["longest_winning_streak"] == 2
    assert found["median_holding_days"] == 0


def test_an_outcome_before_its_signal_has_no_holding_time() -> None:
    of = closed([1.0, 2.0])
    early = np.array([of.opened[0] - HOUR, of.opened[1] + 12 * HOUR])
    found = headline_figures(closed([1.0, 2.0], closed=early))["median_holding_days"]
    assert (found.value, found.n) == (0.5, 1)


def test_missing_times_are_left_out() -> None:
    nothing = np.full(2, np.datetime64("NaT", "us"))
    found = headline_figures(closed([1.0, 2.0], closed=nothing))
    assert found["median_holding_days"].value is None
    assert found["average_pct"].value == 1.5


def test_an_infinite_result_is_refused() -> None:
    with pytest.raises(ValueError, match="profit_pct has an infinite value"):
        closed([1.0, np.inf])


def mixed(n: int) -> Closed:
    profits = np.random.default_rng(7).normal(0.3, 2.0, n)
    return closed(profits.tolist())


def test_a_group_below_thirty_has_no_interval() -> None:
    assert all(figure.interval is None for figure in group_figures(mixed(29)).values())


def test_a_group_has_wilsons_interval_and_a_normal_one() -> None:
    of = mixed(200)
    found = group_figures(of)
    wins = int((of.outcome == "win").sum())
    wilson = binomtest(wins, 200).proportion_ci(0.95, method="wilson")
    assert found["win_rate"].interval is not None
    assert found["win_rate"].interval[:2] == pytest.approx((wilson.low, wilson.high))
    half = 1.959963985 * of.profit_pct.std(ddof=1) / np.sqrt(200)
    assert found["average_pct"].interval is not None
    assert found["average_pct"].interval[:2] == pytest.approx(
        (of.profit_pct.mean() - half, of.profit_pct.mean() + half)
    )


def test_a_headline_has_intervals_that_repeat() -> None:
    of = mixed(300)
    first, again = headline_figures(of, seed=3), headline_figures(of, seed=3)
    assert first == again
    for name in ("win_rate", "expectancy_pct", "expectancy_r", "profit_factor", "sqn"):
        interval, value = first[name].interval, first[name].value
        assert interval is not None
        assert value is not None
        assert interval.low < value < interval.high
        assert "stationary bootstrap, 1,000 resamples" in interval.method


def test_the_interval_of_independent_results_is_about_the_normal_one() -> None:
    of = mixed(2000)
    interval = headline_figures(of)["average_pct"].interval
    normal = group_figures(of)["average_pct"].interval
    assert interval is not None
    assert normal is not None
    assert interval.high - interval.low == pytest.approx(normal.high - normal.low, rel=0.25)


def test_results_that_stay_together_have_a_wider_interval() -> None:
    """Wins and losses in runs of fifty say less than as many that are independent."""
    runs = np.repeat(np.random.default_rng(1).normal(0, 1, 40), 50)
    of = closed(runs.tolist())
    interval, normal = (
        figures["average_pct"].interval for figures in (headline_figures(of), group_figures(of))
    )
    assert interval is not None
    assert normal is not None
    assert interval.high - interval.low > 2 * (normal.high - normal.low)


def test_a_figure_that_most_resamples_lack_has_no_interval() -> None:
    found = headline_figures(closed([1.0] * 39 + [-1.0]))
    assert found["profit_factor"].value == 39
    assert found["profit_factor"].interval is None
