"""Scores of a confidence against scikit-learn and by hand; maps; and judging on later signals."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.calibration import _SigmoidCalibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as judged_log_loss

from signals.analysis.calibration.bins import Bins
from signals.analysis.calibration.fitting import fit, fit_isotonic, fit_sigmoid
from signals.analysis.calibration.judging import Ended, judge, known_before
from signals.analysis.calibration.scores import (
    NAMES,
    calibration_error,
    calibration_figures,
    log_loss,
)
from signals.calibration.maps import BaseRate, Isotonic, Sigmoid, from_json
from tests.signals.analysis.forecasts import forecasts

Floats = NDArray[np.float64]
START = np.datetime64("2026-01-01T00:00", "us")
DAY = np.timedelta64(1, "D")


def scores(confidence: Any, event: Any) -> dict[str, float | None]:  # noqa: ANN401
    found = calibration_figures(np.asarray(confidence, float), np.asarray(event, float))
    return {name: figure.value for name, figure in found.items()}


def test_the_scores_equal_scikit_learns() -> None:
    confidence, event = forecasts(700, slope=0.5)
    found = scores(confidence, event)
    assert found["brier"] == pytest.approx(brier_score_loss(event, confidence), rel=1e-9)
    assert found["log_loss"] == pytest.approx(judged_log_loss(event, confidence), rel=1e-9)


def test_the_bins_equal_scikit_learns_quantiles() -> None:
    confidence, event = forecasts(1000)
    shares, means = calibration_curve(event, confidence, n_bins=10, strategy="quantile")
    rows = Bins(confidence, event).rows()
    assert [row.share for row in rows] == pytest.approx(shares)
    assert [row.confidence for row in rows] == pytest.approx(means)
    assert sum(row.n for row in rows) == 1000


def test_murphys_parts_by_hand() -> None:
    """Ten forecasts of 0.8 with six events, ten of 0.3 with four: the base rate is 0.5."""
    confidence = [0.8] * 10 + [0.3] * 10
    event = [1.0] * 6 + [0.0] * 4 + [1.0] * 4 + [0.0] * 6
    found = scores(confidence, event)
    assert found["reliability"] == pytest.approx((0.2**2 + 0.1**2) / 2)
    assert found["resolution"] == pytest.approx(0.1**2)
    assert found["uncertainty"] == 0.25
    assert found["brier"] == pytest.approx(0.025 - 0.01 + 0.25)
    assert found["brier_skill"] == pytest.approx(1 - 0.265 / 0.25)


@pytest.mark.parametrize(
    ("groups", "reliability", "resolution"),
    [
        (
            [(0.95, 1000, 1000), (1.0, 500, 0)],
            None,
            (1000 * (1 / 3) ** 2 + 500 * (2 / 3) ** 2) / 1500,
        ),
        ([(1.0, 1, 1), (0.5, 1, 0)], 0.125, 0.25),
        ([(0.51, 1000, 1000)], (0.51 - 1) ** 2, 0.0),
        ([(1.0, 2, 0)], 1.0, 0.0),
    ],
)
def test_murphys_parts_equal_the_published_values_of_another_implementation(
    groups: list[tuple[float, int, int]], reliability: float | None, resolution: float
) -> None:
    """Each group is a confidence, how many forecasts have it, and how many events they had.

    From the tests of Solar Forecast Arbiter (solarforecastarbiter-core,
    metrics/tests/test_probabilistic.py), which follow Murphy (1973).
    """
    confidence = np.concatenate([np.full(n, given) for given, n, _ in groups])
    event = np.concatenate([np.arange(n) < events for _, n, events in groups])
    found = scores(confidence, event)
    assert found["resolution"] == pytest.approx(resolution)
    assert reliability is None or found["reliability"] == pytest.approx(reliability)


def test_murphys_parts_are_differences_of_scikit_learns_scores() -> None:
    """With S the Brier score, of the confidences as they are, of the share of events at each
    confidence, and of the base rate: reliability = S - S(shares), resolution = S(base rate) -
    S(shares), uncertainty = S(base rate) (Siegert, 2017, Simplifying and generalising Murphy's
    Brier score decomposition).

    The forecasts of rain are those of Wilks, Statistical Methods in the Atmospheric Sciences,
    table 7.3: probability, number in 10,000, and relative frequency of rain.
    """
    table = [
        (0.05, 671, 0.019), (0.1, 1833, 0.059), (0.2, 986, 0.15), (0.3, 616, 0.277),
        (0.4, 366, 0.377), (0.5, 303, 0.511), (0.6, 275, 0.587), (0.7, 245, 0.723),
        (0.8, 220, 0.779), (0.9, 170, 0.934),
    ]  # fmt: skip
    confidence = np.concatenate([np.full(n, given) for given, n, _ in table])
    event = np.concatenate([np.arange(n) < round(n * share) for _, n, share in table])
    shares = np.concatenate([np.full(n, round(n * share) / n) for _, n, share in table])
    judged = [
        brier_score_loss(event, forecast)
        for forecast in (confidence, shares, np.full(event.size, event.mean()))
    ]
    found = scores(confidence, event)
    assert found["brier"] == pytest.approx(judged[0], rel=1e-9)
    assert found["reliability"] == pytest.approx(judged[0] - judged[1], rel=1e-9)
    assert found["resolution"] == pytest.approx(judged[2] - judged[1], rel=1e-9)
    assert found["uncertainty"] == pytest.approx(judged[2], rel=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=200))
def test_the_parts_always_give_the_brier_score(pairs: list[tuple[float, bool]]) -> None:
    found = scores(*zip(*pairs, strict=True))
    reliability, resolution, uncertainty, brier = (
        found[name] for name in ("reliability", "resolution", "uncertainty", "brier")
    )
    assert reliability is not None
    assert resolution is not None
    assert uncertainty is not None
    assert brier == pytest.approx(reliability - resolution + uncertainty, abs=1e-12)


def test_the_calibration_error_takes_off_much_of_what_chance_adds() -> None:
    """The confidences are true; the plain mean distance is some 0.015 by chance alone."""
    plain, found = [], []
    for seed in range(10):
        bins = Bins(*forecasts(4000, seed=seed))
        plain.append((bins.n / bins.n.sum() * np.abs(bins.confidence - bins.share)).sum())
        found.append(calibration_error(bins))
    assert np.mean(found) < 0.7 * np.mean(plain)


def test_the_calibration_error_of_false_confidences_is_their_distance() -> None:
    confidence = np.full(5000, 0.9)
    event = (np.arange(5000) % 10 < 6).astype(float)
    assert calibration_error(Bins(confidence, event)) == pytest.approx(0.3, abs=1e-6)


def test_without_a_signal_that_ended_all_is_undefined() -> None:
    found = calibration_figures(np.array([]), np.array([]))
    assert {name: figure.null_because for name, figure in found.items()} == dict.fromkeys(
        NAMES, "no signal has ended"
    )


def test_outcomes_that_are_all_alike_have_no_skill() -> None:
    found = calibration_figures(np.array([0.7, 0.9]), np.array([1.0, 1.0]))
    assert found["brier_skill"].value is None
    assert found["uncertainty"].value == 0


def test_a_certain_confidence_that_was_wrong_has_no_logarithmic_loss() -> None:
    found = calibration_figures(np.array([1.0, 0.5]), np.array([0.0, 1.0]))["log_loss"]
    assert found.value is None
    assert found.null_because is not None
    assert "exactly 0 or 100" in found.null_because
    assert log_loss(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0


@pytest.mark.parametrize(
    ("confidence", "event", "message"),
    [
        ([1.2], [1.0], "between 0 and 1"),
        ([np.nan], [1.0], "between 0 and 1"),
        ([0.5], [0.5], "0 or 1"),
        ([0.5, 0.5], [1.0], "same length"),
    ],
)
def test_what_is_no_forecast_is_refused(
    confidence: list[float], event: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        scores(confidence, event)


def test_the_sigmoid_equals_scikit_learns() -> None:
    confidence, event = forecasts(400, slope=0.6, offset=-0.4)
    found = fit_sigmoid(confidence, event)
    odds = np.log(confidence / (1 - confidence))
    judged = _SigmoidCalibration().fit(odds, event)
    assert (found.slope, found.offset) == pytest.approx((-judged.a_, -judged.b_), abs=1e-5)


def test_the_sigmoid_finds_what_made_the_events() -> None:
    found = fit_sigmoid(*forecasts(50_000, slope=0.6, offset=-0.4))
    assert (found.slope, found.offset) == pytest.approx((0.6, -0.4), abs=0.05)


def test_the_isotonic_map_equals_scikit_learns() -> None:
    confidence, event = forecasts(1500, slope=0.4)
    judged = IsotonicRegression(out_of_bounds="clip").fit(confidence, event)
    asked = np.linspace(0, 1, 300)
    assert fit_isotonic(confidence, event)(asked) == pytest.approx(judged.predict(asked), rel=1e-9)


def test_few_outcomes_get_a_sigmoid_and_many_a_free_shape() -> None:
    assert isinstance(fit(*forecasts(999)), Sigmoid)
    assert isinstance(fit(*forecasts(1000)), Isotonic)


def test_no_map_is_certain() -> None:
    """The lowest confidences never won, and the highest always did."""
    confidence = np.linspace(0.01, 0.99, 1000)
    event = np.where(confidence < 0.2, 0.0, np.where(confidence > 0.8, 1.0, np.arange(1000) % 2))
    made = fit(confidence, event)(np.array([0.0, 1.0]))
    assert made == pytest.approx([1 / 1002, 1001 / 1002])


def test_outcomes_that_are_all_alike_fit_no_sigmoid() -> None:
    with pytest.raises(ValueError, match="All outcomes are alike"):
        fit_sigmoid(np.array([0.5, 0.6]), np.array([1.0, 1.0]))


@pytest.mark.parametrize(
    "made", [Sigmoid(0.5, -0.1), Isotonic((0.1, 0.9), (0.3, 0.6)), BaseRate(0.4)]
)
def test_a_map_survives_json(made: Any) -> None:  # noqa: ANN401
    read = from_json(json.loads(json.dumps(made.as_json())))
    assert read == made
    assert (read(np.array([0.0, 0.5, 1.0])) == made(np.array([0.0, 0.5, 1.0]))).all()


def test_another_kind_of_map_is_refused() -> None:
    with pytest.raises(ValueError, match="'magic' is no kind"):
        from_json({"kind": "magic"})


def ended(n: int, **options: Any) -> Ended:  # noqa: ANN401
    """Return a signal a day, each of which ended three days later."""
    confidence, event = forecasts(n, **options)
    made = START + np.arange(n) * DAY
    return Ended(confidence, event, made, made + 3 * DAY)


def test_what_was_not_known_in_time_is_left_out() -> None:
    of = ended(20)
    found = known_before(of, of.made[10], 2 * DAY)
    assert found.sum() == 6  # made until day 5, known until day 8


def test_a_confidence_that_is_too_sure_is_made_truer() -> None:
    verdict = judge(ended(800, slope=0.2), embargo=DAY)
    assert verdict is not None
    assert verdict.won
    assert verdict.folds == 5
    assert verdict.brier["calibrated"] < verdict.brier["raw"]
    assert verdict.n < 800 - 100


def test_a_confidence_without_any_truth_does_not_win() -> None:
    """The base rate is as good as any map then."""
    chance = np.random.default_rng(11)
    of = ended(600)
    blind = Ended(of.confidence, (chance.uniform(size=600) < 0.5).astype(float), of.made, of.known)
    verdict = judge(blind, embargo=DAY)
    assert verdict is not None
    assert verdict.brier["calibrated"] == pytest.approx(verdict.brier["base_rate"], abs=0.01)


def test_too_few_outcomes_are_not_judged() -> None:
    assert judge(ended(150), embargo=DAY) is None


def test_outcomes_that_come_all_at_the_end_are_not_judged() -> None:
    of = ended(500)
    late = Ended(of.confidence, of.event, of.made, np.full(500, of.made[-1] + DAY))
    assert judge(late, embargo=DAY) is None


def test_no_map_sees_what_it_is_judged_on() -> None:
    """The events turn round in the last fifth: maps of the past are wrong about it, and say so."""
    of = ended(1000, slope=1.5)
    turned = of.event.copy()
    turned[820:] = 1 - turned[820:]
    before = judge(of, embargo=DAY)
    after = judge(Ended(of.confidence, turned, of.made, of.known), embargo=DAY)
    assert before is not None
    assert after is not None
    assert after.brier["calibrated"] > before.brier["calibrated"] + 0.02


def test_the_scores_that_are_means_have_an_interval_from_30_signals_on() -> None:
    confidence, event = np.linspace(0.1, 0.9, 30), np.tile([0.0, 1.0], 15)
    found = calibration_figures(confidence, event)
    for name, values in (
        ("brier", (confidence - event) ** 2),
        ("log_loss", -np.log(np.where(event == 1, confidence, 1 - confidence))),
    ):
        interval = found[name].interval
        assert interval is not None
        half = norm.ppf(0.975) * values.std(ddof=1) / np.sqrt(30)
        assert (interval.low, interval.high) == pytest.approx(
            (values.mean() - half, values.mean() + half)
        )
    few = calibration_figures(confidence[:29], event[:29])
    assert few["brier"].interval is None
    wrong = calibration_figures(np.append(confidence, 1.0), np.append(event, 0.0))
    assert wrong["log_loss"].interval is None
