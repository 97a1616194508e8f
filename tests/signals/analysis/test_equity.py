"""Figures of an equity against empyrical, published examples, and at their edges."""

import datetime
from typing import Any

import empyrical
import numpy as np
import pytest
from scipy.stats import kurtosis, skew

from signals.analysis.drawdowns import drawdowns
from signals.analysis.equity import GONE, SHORT, Equity, Trials, equity_figures
from signals.analysis.sharpe import deflated_sharpe, expected_best, probabilistic_sharpe

FIRST = np.datetime64("2024-01-01", "D")


def equity(money: Any, **other: Any) -> Equity:  # noqa: ANN401
    values = np.asarray(money, dtype=float)
    days = FIRST + np.arange(values.size)
    given: dict[str, Any] = {
        "days": days,
        "values": values,
        "is_invested": values > 0,
        "days_a_year": 252,
    }
    return Equity(**given | other)


def grown(n: int = 500, seed: int = 5) -> Equity:
    returns = np.random.default_rng(seed).normal(0.0006, 0.011, n)
    return equity(100_000 * np.cumprod(np.concatenate([[1], 1 + returns])))


def value(of: Equity, name: str, **options: Any) -> float | None:  # noqa: ANN401
    return equity_figures(of, closed=100, **options)[name].value


@pytest.mark.parametrize("days_a_year", [252, 365])
@pytest.mark.parametrize("seed", range(3))
def test_the_figures_equal_empyricals(days_a_year: int, seed: int) -> None:
    base = grown(seed=seed)
    of = Equity(base.days, base.values, base.is_invested, days_a_year)
    found = equity_figures(of, closed=100)
    judged = {
        "sharpe": empyrical.sharpe_ratio(of.returns, annualization=days_a_year),
        "sortino": empyrical.sortino_ratio(of.returns, annualization=days_a_year),
        "calmar": empyrical.calmar_ratio(of.returns, annualization=days_a_year),
        "cagr": empyrical.cagr(of.returns, annualization=days_a_year),
        "volatility": empyrical.annual_volatility(of.returns, annualization=days_a_year),
        "max_drawdown_pct": 100 * empyrical.max_drawdown(of.returns),
    }
    for name, expected in judged.items():
        assert found[name].value == pytest.approx(expected, rel=1e-9)


def test_the_risk_free_rate_is_taken_off() -> None:
    base = grown()
    of = Equity(base.days, base.values, base.is_invested, 252, risk_free=0.04)
    daily = 1.04 ** (1 / 252) - 1
    expected = empyrical.sharpe_ratio(of.returns, risk_free=daily, annualization=252)
    assert value(of, "sharpe") == pytest.approx(expected, rel=1e-9)
    below = empyrical.sortino_ratio(of.returns, required_return=daily, annualization=252)
    assert value(of, "sortino") == pytest.approx(below, rel=1e-9)


def test_the_probabilistic_sharpe_ratio_of_the_paper() -> None:
    """Bailey and Lopez de Prado, 2012: two years of monthly returns, a ratio of 0.458 a month."""
    assert probabilistic_sharpe(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)
    assert probabilistic_sharpe(0.458, 24, 0, 3) == pytest.approx(0.982, abs=5e-4)


def test_the_deflated_sharpe_ratio_of_the_paper() -> None:
    """Bailey and Lopez de Prado, 2014: the best of 100 trials, 2.5 a year over 1,250 days."""
    variance, daily = 0.5 / 250, 2.5 / np.sqrt(250)
    assert expected_best(100, variance) == pytest.approx(0.1132, abs=5e-5)
    found = deflated_sharpe(daily, 1250, -3, 10, trials=100, variance=variance)
    assert found == pytest.approx(0.9004, abs=5e-5)


def tried(count: int, *sharpes: float) -> Trials:
    return Trials(count, np.array(sharpes))


def test_trials_without_a_difference_deflate_nothing() -> None:
    of = grown()
    assert value(of, "dsr", trials=tried(2, 0.01, 0.01)) == value(of, "psr")


def test_more_trials_deflate_more_and_so_do_those_without_a_ratio() -> None:
    few, many = (value(grown(), "dsr", trials=tried(n, 0.0, 0.05)) for n in (2, 50))
    assert few is not None
    assert many is not None
    assert many < few


def test_the_deflated_ratio_takes_number_and_variance_of_the_trials() -> None:
    of = grown()
    returns = of.returns - of.daily_risk_free
    expected = deflated_sharpe(
        returns.mean() / returns.std(ddof=1), returns.size, float(skew(returns)),
        float(kurtosis(returns, fisher=False)), trials=7, variance=0.00125,
    )  # fmt: skip
    assert value(of, "dsr", trials=tried(7, 0.0, 0.05)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("trials", "told"),
    [(tried(0), "only 0 of them is known"), (tried(9, 0.1), "only 1 of them is known")],
)
def test_fewer_than_two_ratios_leave_the_deflated_ratio_out(trials: Trials, told: str) -> None:
    found = equity_figures(grown(), closed=100, trials=trials)
    assert told in str(found["dsr"].null_because)
    assert (found["trials"].value, found["trials"].n) == (trials.count, trials.sharpes.size)


def test_few_closed_signals_have_no_figure_for_a_year() -> None:
    found = equity_figures(grown(), closed=29)
    for name in ("sharpe", "sortino", "calmar", "cagr", "volatility"):
        assert (found[name].value, found[name].null_because) == (None, SHORT)
    assert found["max_drawdown_pct"].value is not None


def test_a_level_equity_has_no_ratios() -> None:
    found = equity_figures(equity([100.0] * 40), closed=100)
    undefined = {name for name, figure in found.items() if figure.value is None}
    assert undefined == {"sharpe", "sortino", "calmar", "psr", "dsr", "max_drawdown_days"}
    assert found["max_drawdown_pct"].value == 0
    assert found["psr"].null_because == "the returns never change"


def test_a_steady_growth_has_no_sharpe_ratio_by_rounding() -> None:
    assert value(equity(100 * 1.001 ** np.arange(300)), "sharpe") is None


@pytest.mark.parametrize("values", [[], [100.0], [100.0, 101.0]])
def test_too_few_days_have_no_ratios(values: list[float]) -> None:
    found = equity_figures(equity(values), closed=100)
    for name in ("sharpe", "sortino", "calmar", "cagr", "volatility", "psr"):
        assert found[name].value is None
        assert found[name].null_because


@pytest.mark.parametrize("values", [[100.0, 0.0, 100.0], [100.0, -5.0], [0.0, 0.0]])
def test_an_equity_that_is_gone_has_no_figures(values: list[float]) -> None:
    found = equity_figures(equity(values), closed=100)
    assert {f.null_because for name, f in found.items() if name not in ("exposure", "trials")} == {
        GONE
    }


def test_intervals_hold_the_value_and_repeat() -> None:
    first, again = (equity_figures(grown(), closed=100, seed=2) for _ in range(2))
    assert first == again
    for name in ("sharpe", "volatility", "cagr"):
        figure = first[name]
        assert figure.interval is not None
        assert figure.value is not None
        assert figure.interval.low < figure.value < figure.interval.high


def test_exposure_is_the_share_of_days() -> None:
    invested = np.array([True, False, True, True])
    assert value(equity([1.0, 2.0, 3.0, 4.0], is_invested=invested), "exposure") == 0.75


def test_drawdowns_by_hand() -> None:
    of = equity([100, 110, 99, 88, 120, 120, 114, 121, 118])
    found = drawdowns(of.values, of.days)
    assert [each.depth for each in found] == pytest.approx([-0.2, -0.05, -3 / 121])
    assert [each.days for each in found] == [3, 2, 1]
    deepest = found[0]
    days = (deepest.peak, deepest.trough, deepest.recovered)
    assert days == (FIRST + 1, FIRST + 3, FIRST + 4)
    assert found[2].recovered is None


def test_a_drawdown_lasts_over_days_without_equity() -> None:
    """A weekend between the peak and the recovery counts, as nobody can spend it."""
    days = np.array(["2024-01-05", "2024-01-08", "2024-01-15"], dtype="datetime64[D]")
    of = equity([100, 90, 100], days=days)
    assert value(of, "max_drawdown_days") == 10
    assert days[0].astype(datetime.date).isoweekday() == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"days": FIRST + np.array([0, 0])}, "in order, each once"),
        ({"days": FIRST + np.array([1, 0])}, "in order, each once"),
        ({"values": np.array([1.0, np.nan])}, "missing"),
        ({"values": np.array([1.0, np.inf])}, "missing"),
        ({"is_invested": np.array([True])}, "same length"),
    ],
)
def test_an_equity_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        equity([1.0, 2.0], **changes)
