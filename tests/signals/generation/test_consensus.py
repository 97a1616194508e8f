"""Votes become one candidate, or none where they do not agree on a direction."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.generation.candidate import Candidate
from signals.generation.consensus import WeightedConsensus, propose
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bar, Bars
from tests.signals.market.builders import bars_of

BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL
CLOSE = datetime(2008, 1, 2, 21, tzinfo=UTC)
BAR = Bar("TEST", CLOSE, open=9.0, high=12.0, low=8.0, close=10.0, volume=1.0)
CONFIDENCES = st.floats(0, 100)
WEIGHTS = st.floats(0.01, 100)


def vote(source: str, direction: Direction, confidence: float = 80.0) -> Vote:
    return Vote(source, direction, confidence, {"figure": 1.5})


def decide(*votes: Vote, **weights: float) -> Candidate | None:
    return WeightedConsensus({vote.source: 1.0 for vote in votes} | weights)(BAR, votes)


def decided(*votes: Vote, **weights: float) -> Candidate:
    candidate = decide(*votes, **weights)
    assert candidate is not None
    return candidate


@pytest.mark.parametrize(
    "votes",
    [
        [],
        [vote("a", NEUTRAL)],
        [vote("a", BUY), vote("b", SELL)],
        [vote("a", BUY, 100.0), vote("b", SELL, 1.0)],
        [vote("a", BUY), vote("b", NEUTRAL)],
        [vote("a", BUY), vote("b", NEUTRAL), vote("c", NEUTRAL)],
        [vote("a", BUY), vote("b", SELL), vote("c", NEUTRAL)],
        [vote("a", BUY), vote("b", BUY), vote("c", SELL), vote("d", SELL), vote("e", NEUTRAL)],
    ],
    ids=lambda votes: "+".join(vote.direction for vote in votes) or "nobody",
)
def test_without_one_direction_ahead_there_is_nothing(votes: list[Vote]) -> None:
    assert decide(*votes) is None


def test_float_noise_does_not_decide_a_tie() -> None:
    votes = [vote("a", BUY), vote("b", BUY), vote("c", SELL)]
    assert 0.1 + 0.2 != 0.3
    assert decide(*votes, a=0.1, b=0.2, c=0.3) is None


def test_one_source_is_its_own_consensus() -> None:
    candidate = decided(vote("a", BUY, 62.5))
    assert (candidate.action, candidate.agreement, candidate.confidence) == (BUY, 1.0, 62.5)


def test_the_surest_vote_stays_within_100_whatever_its_weight() -> None:
    assert 0.69 * 100.0 / 0.69 > 100, "float noise that would be refused as a confidence"
    assert decided(vote("a", BUY, 100.0), a=0.69).confidence == 100.0


def test_weight_decides_not_the_number_of_votes() -> None:
    votes = [vote("a", SELL, 90.0), vote("b", BUY, 50.0), vote("c", BUY, 50.0)]
    candidate = decided(*votes, a=3.0)
    assert candidate.action is SELL
    assert candidate.agreement == pytest.approx(3 / 5)
    assert candidate.confidence == pytest.approx(3 / 5 * 90)


def test_the_winners_confidences_are_averaged_by_weight() -> None:
    votes = [vote("a", BUY, 90.0), vote("b", BUY, 60.0), vote("c", NEUTRAL, 0.0)]
    candidate = decided(*votes, a=2.0)
    assert candidate.agreement == pytest.approx(3 / 4)
    assert candidate.confidence == pytest.approx(3 / 4 * (2 * 90 + 60) / 3)


@given(low=CONFIDENCES, high=CONFIDENCES, weight=WEIGHTS)
def test_a_surer_vote_never_makes_the_candidate_less_sure(
    low: float, high: float, weight: float
) -> None:
    low, high = sorted((low, high))
    others = [vote("b", BUY, 50.0), vote("c", BUY, 100.0), vote("d", SELL, 100.0)]
    less = decided(vote("a", BUY, low), *others, a=weight)
    more = decided(vote("a", BUY, high), *others, a=weight)
    assert less.confidence <= more.confidence


@given(light=WEIGHTS, heavy=WEIGHTS, confidence=CONFIDENCES)
def test_more_agreement_never_makes_the_candidate_less_sure(
    light: float, heavy: float, confidence: float
) -> None:
    light, heavy = sorted((light, heavy))
    votes = [vote("a", BUY, confidence), vote("b", SELL, 100.0)]
    more = decided(*votes, a=101.0, b=light)
    less = decided(*votes, a=101.0, b=heavy)
    assert less.agreement <= more.agreement
    assert less.confidence <= more.confidence


@given(st.lists(st.tuples(st.sampled_from(Direction), CONFIDENCES, WEIGHTS), max_size=7))
def test_confidence_and_agreement_keep_their_bounds(
    opinions: list[tuple[Direction, float, float]],
) -> None:
    votes = [vote(str(i), way, sure) for i, (way, sure, _) in enumerate(opinions)]
    weights = {str(i): weight for i, (_, _, weight) in enumerate(opinions)}
    candidate = decide(*votes, **weights)
    if candidate is not None:
        assert 0 <= candidate.confidence <= 100
        assert 1 / 3 < candidate.agreement <= 1


def test_a_buy_wins_above_and_stops_below() -> None:
    candidate = decided(vote("a", BUY))
    assert candidate.entry == BAR.close
    assert candidate.target == pytest.approx(10.5)
    assert candidate.stop == pytest.approx(9.7)


def test_a_sell_is_the_mirror_of_a_buy() -> None:
    buy, sell = decided(vote("a", BUY)), decided(vote("a", SELL))
    assert sell.entry == buy.entry
    assert sell.entry - sell.target == pytest.approx(buy.target - buy.entry)
    assert sell.stop - sell.entry == pytest.approx(buy.entry - buy.stop)
    assert sell.target < sell.entry < sell.stop


@pytest.mark.parametrize("close", [0.00012345678901234, 22.031050891784, 1234567.891234567])
@pytest.mark.parametrize("action", [BUY, SELL])
def test_prices_are_not_rounded(close: float, action: Direction) -> None:
    bar = Bar("TEST", CLOSE, close, close, close, close, 1.0)
    candidate = WeightedConsensus({"a": 1.0})(bar, [vote("a", action)])
    assert candidate is not None
    sign = 1 if action is BUY else -1
    assert candidate.entry == close
    assert candidate.target / close - 1 == pytest.approx(sign * 0.05, rel=1e-12)
    assert candidate.stop / close - 1 == pytest.approx(sign * -0.03, rel=1e-12)


def test_the_distances_are_the_callers() -> None:
    candidate = WeightedConsensus({"a": 1.0}, target=0.2, stop=0.1)(BAR, [vote("a", SELL)])
    assert candidate is not None
    assert candidate.target == pytest.approx(8.0)
    assert candidate.stop == pytest.approx(11.0)


def test_the_reasoning_names_every_vote() -> None:
    candidate = decided(vote("a", BUY, 90.0), vote("b", BUY, 60.0), vote("c", SELL, 30.0))
    assert candidate.reasoning == (
        "BUY at 50.0% with 67% agreement: a votes BUY at 90.0% (figure 1.5); "
        "b votes BUY at 60.0% (figure 1.5); c votes SELL at 30.0% (figure 1.5)."
    )


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_not_above_zero_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="the weight of a is"):
        WeightedConsensus({"a": weight})


@pytest.mark.parametrize("distance", [0.0, 1.0, -0.1, float("nan")])
def test_a_distance_that_is_no_fraction_is_refused(distance: float) -> None:
    with pytest.raises(ValueError, match="target="):
        WeightedConsensus({}, target=distance)
    with pytest.raises(ValueError, match="stop="):
        WeightedConsensus({}, stop=distance)


def test_a_source_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="no weight for 'b'; there are weights for: a"):
        WeightedConsensus({"a": 1.0})(BAR, [vote("b", BUY)])


def test_sources_that_abstain_do_not_count() -> None:
    def abstains(bars: Bars) -> None:
        return None

    def buys(bars: Bars) -> Vote:
        return vote("a", BUY)

    candidate = propose(bars_of([1.0, 2.0]), [abstains, buys], WeightedConsensus({"a": 1.0}))
    assert candidate is not None
    assert (candidate.agreement, len(candidate.votes), candidate.entry) == (1.0, 1, 2.0)


def test_a_candidate_as_the_signal_that_is_logged() -> None:
    candidate = decided(vote("a", SELL, 90.0))
    assert candidate.as_signal(strategy="weighted_consensus", asset_type="stock") == {
        "symbol": "TEST",
        "action": "SELL",
        "entry_price": 10.0,
        "target_price": 9.5,
        "stop_price": 10.3,
        "confidence": 90.0,
        "strategy": "weighted_consensus",
        "asset_type": "stock",
        "data_source": "weighted_consensus",
        "timestamp": CLOSE,
        "regime": None,
        "reasoning": "SELL at 90.0% with 100% agreement: a votes SELL at 90.0% (figure 1.5).",
        "sources": 1,
        "agreement": 1.0,
        "votes": [
            {"source": "a", "direction": "SELL", "confidence": 90.0, "figures": {"figure": 1.5}}
        ],
    }
