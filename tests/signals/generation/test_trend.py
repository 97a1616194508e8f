"""The trend: right numbers, no look ahead, no memory beyond its window."""

import statistics
from math import sqrt

import numpy as np
import pytest

from signals.generation.sources.trend import Trend, noise_gain
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from tests.signals.market.builders import bars_of, random_walk

PAIRS = [(1, 50), (2, 200), (5, 150), (3, 4), (1, 2)]


def naive_gain(fast: int, slow: int) -> float:
    """How far the averages part, return by return: move one return and see."""
    weights = []
    for lag in range(slow):
        closes = [float(index >= slow - lag) for index in range(slow)]
        weights.append(sum(closes[-fast:]) / fast - sum(closes) / slow)
    return sqrt(sum(weight * weight for weight in weights))


def naive_vote(closes: list[float], fast: int, slow: int, band: float) -> tuple[Direction, float]:
    """The same rule in loops over lists, by other formulas."""
    spread = statistics.fmean(closes[-fast:]) / statistics.fmean(closes[-slow:]) - 1
    returns = [closes[i] / closes[i - 1] - 1 for i in range(len(closes) - slow + 1, len(closes))]
    volatility = sqrt(statistics.fmean(one * one for one in returns))
    if -band <= spread <= band:
        return Direction.NEUTRAL, 0.0
    within = statistics.NormalDist(0, volatility * naive_gain(fast, slow))
    confidence = 100 * (1 - 2 * within.cdf(-abs(spread)))
    return (Direction.BUY if spread > 0 else Direction.SELL), confidence


def voted(source: Trend, bars: Bars) -> Vote:
    vote = source(bars)
    assert vote is not None
    return vote


@pytest.mark.parametrize(("fast", "slow"), PAIRS)
def test_it_agrees_with_a_naive_computation(fast: int, slow: int) -> None:
    bars = SampleMarket().bars("MSFT")
    for end in range(slow, len(bars), 97):
        vote = voted(Trend(fast, slow), bars.upto(end))
        direction, confidence = naive_vote(bars.close[:end].tolist(), fast, slow, 0.01)
        assert vote.direction is direction
        assert vote.confidence == pytest.approx(confidence, abs=1e-5)


@pytest.mark.parametrize(("fast", "slow"), PAIRS)
def test_the_gain_of_noise_is_the_sum_over_all_returns(fast: int, slow: int) -> None:
    assert noise_gain(fast, slow) == pytest.approx(naive_gain(fast, slow), rel=1e-12)


def test_its_figures_are_what_it_saw() -> None:
    vote = voted(Trend(2, 4, 0.0), bars_of([50.0, 10.0, 20.0, 20.0, 40.0]))
    assert vote.figures == {
        "fast": 30.0,
        "slow": 22.5,
        "spread": pytest.approx(1 / 3),
        "volatility": pytest.approx(sqrt((1 + 0 + 1) / 3)),
    }
    assert {type(figure) for figure in vote.figures.values()} == {float}
    assert type(vote.confidence) is float


@pytest.mark.parametrize("source", [Trend(), Trend(5, 150)])
def test_a_vote_is_the_same_whatever_came_after(source: Trend) -> None:
    bars = SampleMarket().bars("AAPL")
    for end in range(1, len(bars), 53):
        known = bars.close[:end].tolist()
        crash = bars_of([*known, 0.001, 1e6, 0.001]).upto(end)
        assert source(bars.upto(end)) == source(bars_of(known)) == source(crash)


def test_a_vote_is_the_same_whatever_came_long_before() -> None:
    closes = random_walk(400, seed=7)
    source = Trend(5, 50)
    other_past = bars_of([*random_walk(350, seed=8), *closes[-50:]])
    assert source(bars_of(closes)) == source(other_past) == source(bars_of(closes[-50:]))


@pytest.mark.parametrize("count", [1, 49])
def test_it_abstains_on_too_few_bars(count: int) -> None:
    assert Trend()(bars_of([10.0 + day for day in range(count)])) is None


def test_it_votes_on_just_enough_bars() -> None:
    assert voted(Trend(), bars_of([10.0 + day for day in range(50)])).direction is Direction.BUY


def test_it_follows_the_direction() -> None:
    rising = [10.0 * 1.02**day for day in range(60)]
    assert voted(Trend(), bars_of(rising)).direction is Direction.BUY
    assert voted(Trend(), bars_of(rising[::-1])).direction is Direction.SELL


def test_within_the_band_it_is_neutral() -> None:
    source = Trend(1, 2, band=0.01)
    # With closes a, b the spread is (b - a) / (b + a).
    inside, above, below = ([100.0, 102.0], [100.0, 102.1], [100.0, 97.9])
    assert voted(source, bars_of(inside)).direction is Direction.NEUTRAL
    assert voted(source, bars_of(inside)).confidence == 0
    assert voted(source, bars_of(above)).direction is Direction.BUY
    assert voted(source, bars_of(below)).direction is Direction.SELL


@pytest.mark.parametrize("band", [0.0, 0.01])
@pytest.mark.parametrize("price", [0.1, 100.0])
def test_a_price_that_never_moves_gives_no_confidence(price: float, band: float) -> None:
    assert voted(Trend(3, 7, band), bars_of([price] * 20)).confidence == 0


def test_scale_does_not_matter_even_far_below_a_cent() -> None:
    closes = random_walk(60, seed=3, drift=0.01)
    vote = voted(Trend(), bars_of(closes))
    tiny = voted(Trend(), bars_of([close * 2**-30 for close in closes]))
    assert (tiny.direction, tiny.confidence) == (vote.direction, vote.confidence)


def test_without_a_trend_75_percent_is_exceeded_a_quarter_of_the_time() -> None:
    source = Trend(5, 50, band=0.0)
    votes = [voted(source, bars_of(random_walk(50, seed))) for seed in range(1500)]
    for limit in (50, 75, 90):
        share = np.mean([vote.confidence > limit for vote in votes])
        assert share == pytest.approx(1 - limit / 100, abs=0.04)


@pytest.mark.parametrize(
    ("fast", "slow", "band"), [(0, 50, 0.01), (50, 50, 0.01), (1, 50, -0.01), (1, 50, float("nan"))]
)
def test_a_rule_that_makes_no_sense_is_refused(fast: int, slow: int, band: float) -> None:
    with pytest.raises(ValueError, match="it takes"):
        Trend(fast, slow, band)
