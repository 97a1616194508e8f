"""A vote holds only finite numbers, which later limits can compare."""

import pytest

from signals.generation.votes import Direction, SourceVote, Vote


@pytest.mark.parametrize("confidence", [-0.1, 100.1, float("nan"), float("inf")])
def test_a_confidence_outside_0_to_100_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Vote(Direction.BUY, confidence)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="figure slow"):
        Vote(Direction.BUY, 50.0, {"slow": value})


def test_an_invalid_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="direction 'HOLD' is not a Direction"):
        Vote("HOLD", 50.0)  # type: ignore[arg-type]


def test_a_vote_as_plain_values() -> None:
    vote = SourceVote("trend", 0.25, Vote(Direction.SELL, 81.25, {"fast": 1.5}))
    assert vote.as_dict() == {
        "source": "trend",
        "direction": "SELL",
        "confidence": 81.25,
        "weight": 0.25,
        "figures": {"fast": 1.5},
    }
    assert type(vote.as_dict()["direction"]) is str


def test_an_abstention_as_plain_values() -> None:
    abstention = SourceVote("trend", 0.25, None).as_dict()
    assert abstention == {
        "source": "trend",
        "direction": None,
        "confidence": None,
        "weight": 0.25,
        "figures": {},
    }


def test_a_vote_in_words() -> None:
    vote = Vote(Direction.SELL, 81.25, {"fast": 1.5, "spread": -0.123456})
    assert str(SourceVote("trend", 1.0, vote)) == "trend SELL at 81% (fast 1.5, spread -0.1235)"
    assert str(SourceVote("trend", 1.0, None)) == "trend abstains"
