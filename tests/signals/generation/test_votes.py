"""A vote holds no number that a limit further on could not compare."""

import pytest

from signals.generation.votes import Direction, Vote


@pytest.mark.parametrize("confidence", [-0.1, 100.1, float("nan"), float("inf")])
def test_a_confidence_outside_0_to_100_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="trend: confidence"):
        Vote("trend", Direction.BUY, confidence, {})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="trend: figure slow"):
        Vote("trend", Direction.BUY, 50.0, {"slow": value})


def test_a_vote_as_a_signal_carries_it() -> None:
    vote = Vote("trend", Direction.SELL, 81.25, {"fast": 1.5})
    assert vote.as_dict() == {
        "source": "trend",
        "direction": "SELL",
        "confidence": 81.25,
        "figures": {"fast": 1.5},
    }
    assert type(vote.as_dict()["direction"]) is str


def test_a_vote_in_words() -> None:
    vote = Vote("trend", Direction.SELL, 81.25, {"fast": 1.5, "spread": -0.123456})
    assert str(vote) == "trend votes SELL at 81.2% (fast 1.5, spread -0.1235)"
