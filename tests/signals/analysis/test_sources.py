"""How sources vote: by hand, and against scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import brier_score_loss

from signals.analysis.sources import CONSTANT, Votes, calibrations, pairs, voted

NAN = np.nan


def votes(direction: list[list[float]], confidence: float = 0.8) -> Votes:
    """Return the votes of sources a, b, ... on signals that all are BUY."""
    given = np.array(direction)
    return Votes(
        [chr(ord("a") + row) for row in range(len(given))], np.ones(given.shape[1]), given,
        np.where(np.isnan(given), NAN, confidence), np.ones(given.shape, np.bool_),
    )  # fmt: skip


def test_each_kind_of_vote_is_counted() -> None:
    given = votes([[1, 1, 0, -1, NAN, NAN]])
    given.was_asked[0, 5] = False
    given.side[1] = -1
    found = voted(given)["a"]
    assert found._asdict() == {
        "asked": 5, "with_winner": 1, "neutral": 1, "against": 2, "abstained": 1,
    }  # fmt: skip


def test_agreement_and_correlation_count_what_both_voted_on() -> None:
    chance = np.random.default_rng(1)
    one, other = chance.integers(-1, 2, (2, 60)).astype(float)
    one[:10], other[50:] = NAN, NAN
    (pair,) = pairs(["a", "b"], np.array([one, other]))
    assert (pair.first, pair.second) == ("a", "b")
    both = slice(10, 50)
    assert pair.agreement.n == pair.correlation.n == 40
    assert pair.agreement.value == np.mean(one[both] == other[both])
    assert pair.correlation.value == pytest.approx(pearsonr(one[both], other[both])[0], abs=1e-12)
    assert pair.as_json()["correlation"]["value"] == pair.correlation.value


def test_a_pair_with_too_few_or_with_equal_votes_says_why_it_has_no_figure() -> None:
    few, many = np.ones((2, 29)), np.ones((2, 30))
    for figure in pairs(["a", "b"], few)[0][2:]:
        assert figure.value is None
        assert "fewer than 30" in str(figure.null_because)
    (pair,) = pairs(["a", "b"], many)
    assert pair.agreement.value == 1
    assert (pair.correlation.value, pair.correlation.null_because) == (None, CONSTANT)


def test_every_two_sources_are_a_pair() -> None:
    found = pairs(["a", "b", "c"], np.ones((3, 30)))
    assert [each[:2] for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_the_calibration_counts_votes_for_the_side_of_signals_that_ended() -> None:
    given = votes([[1, 1, -1, 1, 1], [NAN, NAN, -1, NAN, NAN]])
    given.confidence[0] = [0.9, 0.6, 0.99, 0.7, 0.8]
    found = calibrations(given, np.array([1.0, 0.0, 1.0, NAN, 1.0]))
    brier = found["a"]["brier"]
    assert brier.n == 3, "not the one against, nor the one that has not ended"
    expected = brier_score_loss([1, 0, 1], [0.9, 0.6, 0.8])
    assert brier.value == pytest.approx(expected, abs=1e-12)
    assert found["b"]["brier"].null_because == "no signal has ended"
