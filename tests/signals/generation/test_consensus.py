"""Votes give one verdict, or none if they do not agree on a direction."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.generation.consensus import Verdict, WeightedConsensus
from signals.generation.regime import Regime
from signals.generation.votes import Direction, SourceVote, Vote

BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL
CONFIDENCES = st.floats(0, 100)
WEIGHTS = st.floats(0.01, 100)
ONE_IS_ENOUGH = WeightedConsensus(least=1)


def cast(direction: Direction | None, confidence: float = 80.0, weight: float = 1.0) -> SourceVote:
    vote = Vote(direction, confidence) if direction else None
    return SourceVote("a source", weight, vote)


def decide(*votes: SourceVote, by: WeightedConsensus = ONE_IS_ENOUGH) -> Verdict | None:
    return by(votes, Regime.BULL)


def decided(*votes: SourceVote, by: WeightedConsensus = ONE_IS_ENOUGH) -> Verdict:
    verdict = decide(*votes, by=by)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    "directions",
    [
        [],
        [None],
        [NEUTRAL],
        [NEUTRAL, NEUTRAL, BUY],
        [BUY, SELL],
        [BUY, NEUTRAL],
        [BUY, SELL, NEUTRAL],
        [BUY, BUY, SELL, SELL, NEUTRAL],
        [BUY, SELL, None],
    ],
    ids=lambda directions: "+".join(map(str, directions)) or "nobody",
)
def test_without_a_winning_direction_there_is_no_verdict(
    directions: list[Direction | None],
) -> None:
    assert decide(*map(cast, directions)) is None


def test_a_higher_confidence_does_not_break_a_tie() -> None:
    assert decide(cast(BUY, 100.0), cast(SELL, 1.0)) is None


def test_rounding_errors_do_not_decide_a_tie() -> None:
    assert 0.1 + 0.2 != 0.3
    assert decide(cast(BUY, weight=0.1), cast(BUY, weight=0.2), cast(SELL, weight=0.3)) is None


def test_one_source_is_not_enough_by_default() -> None:
    assert decide(cast(BUY), cast(None), by=WeightedConsensus()) is None
    assert decide(cast(BUY, weight=9.0), cast(SELL), by=WeightedConsensus()) is None
    assert decided(cast(BUY, 62.5)) == Verdict(BUY, 1.0, 62.5)
    assert decided(cast(BUY), cast(BUY), by=WeightedConsensus()).action is BUY


def test_a_source_without_weight_is_not_counted() -> None:
    assert decide(cast(BUY), cast(BUY, weight=0.0), by=WeightedConsensus()) is None
    assert decided(cast(BUY), cast(SELL, weight=0.0)).agreement == 1.0


def test_sources_that_abstain_do_not_count() -> None:
    assert decided(cast(None, weight=5.0), cast(BUY, 70.0)) == Verdict(BUY, 1.0, 70.0)


def test_weight_decides_not_the_number_of_votes() -> None:
    verdict = decided(cast(SELL, 90.0, 3.0), cast(BUY, 50.0), cast(BUY, 50.0))
    assert verdict.action is SELL
    assert verdict.agreement == pytest.approx(3 / 5)
    assert verdict.confidence == pytest.approx(math.sqrt(3 / 5) * 90)


def test_a_neutral_vote_weighs_against_the_winner() -> None:
    verdict = decided(cast(BUY, 90.0, 2.0), cast(BUY, 60.0), cast(NEUTRAL, 0.0))
    assert verdict.agreement == pytest.approx(3 / 4)
    assert verdict.confidence == pytest.approx(math.sqrt(3 / 4) * (2 * 90 + 60) / 3)


def test_the_regime_scales_the_confidence_and_nothing_else() -> None:
    careful = WeightedConsensus(1, {Regime.CRISIS: 0.5})
    votes = [cast(BUY, 80.0)]
    assert careful(votes, Regime.CRISIS) == Verdict(BUY, 1.0, 40.0)
    assert careful(votes, Regime.CHOP) == Verdict(BUY, 1.0, 80.0)


def test_the_confidence_stays_within_100_in_spite_of_rounding_errors() -> None:
    assert 0.69 * 100.0 / 0.69 > 100, "a rounding error that would be refused as a confidence"
    assert decided(cast(BUY, 100.0, 0.69)).confidence == 100.0


@given(low=CONFIDENCES, high=CONFIDENCES, weight=WEIGHTS)
def test_a_more_confident_vote_never_makes_the_verdict_less_confident(
    low: float, high: float, weight: float
) -> None:
    low, high = sorted((low, high))
    others = [cast(BUY, 50.0), cast(BUY, 100.0), cast(SELL, 100.0)]
    less = decided(cast(BUY, low, weight), *others)
    more = decided(cast(BUY, high, weight), *others)
    assert less.agreement == more.agreement
    assert less.confidence <= more.confidence


@given(light=WEIGHTS, heavy=WEIGHTS, confidence=CONFIDENCES)
def test_more_agreement_never_makes_the_verdict_less_confident(
    light: float, heavy: float, confidence: float
) -> None:
    light, heavy = sorted((light, heavy))
    more = decided(cast(BUY, confidence, 101.0), cast(SELL, 100.0, light))
    less = decided(cast(BUY, confidence, 101.0), cast(SELL, 100.0, heavy))
    assert less.agreement <= more.agreement
    assert less.confidence <= more.confidence


@given(st.lists(st.tuples(st.sampled_from(Direction), CONFIDENCES, WEIGHTS), max_size=7))
def test_confidence_and_agreement_stay_within_their_bounds(
    opinions: list[tuple[Direction, float, float]],
) -> None:
    verdict = decide(*(cast(*opinion) for opinion in opinions))
    if verdict is not None:
        assert verdict.action is not NEUTRAL
        assert 0 <= verdict.confidence <= 100
        assert 1 / 3 < verdict.agreement <= 1


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.1, float("nan")])
def test_an_invalid_factor_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="BEAR="):
        WeightedConsensus(2, {Regime.BEAR: factor})


def test_less_than_one_source_is_refused() -> None:
    with pytest.raises(ValueError, match="least=0"):
        WeightedConsensus(0)
