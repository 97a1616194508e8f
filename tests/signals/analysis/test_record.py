"""What a maker does not show counts against the maker."""

import numpy as np
import pytest

from signals.analysis.record import Recorded, equity, record_figures


def values(wins: int, results: list[float], missing: int = 0) -> dict[str, float | None]:
    found = record_figures(Recorded(wins, np.array(results, float), missing))
    return {name.removeprefix("record_"): figure.value for name, figure in found.items()}


def test_the_figures_of_what_is_shown() -> None:
    found = values(2, [10.0, -5.0, 20.0, 0.0])
    assert found["win_rate"] == 0.5
    assert found["mean_pct"] == 6.25
    assert found["equity_pct"] == pytest.approx((1.1 * 0.95 * 1.2 - 1) * 100)
    assert found["drawdown_pct"] == pytest.approx(-5.0)


def test_each_hidden_line_is_a_loss_as_large_as_the_worst_at_the_worst_place() -> None:
    found = values(2, [10.0, -5.0, -1.0, 20.0], missing=2)
    assert found["win_rate"] == pytest.approx(2 / 6)
    assert found["mean_pct"] == pytest.approx((10 - 5 - 1 + 20 - 5 - 5) / 6)
    assert found["equity_pct"] == pytest.approx((1.1 * 0.95**3 * 0.99 * 1.2 - 1) * 100)
    assert found["drawdown_pct"] == pytest.approx((0.95 * 0.99 * 0.95**2 - 1) * 100)


def test_without_a_shown_loss_nobody_knows_how_much_was_hidden() -> None:
    found = record_figures(Recorded(1, np.array([10.0]), 1))
    assert found["record_win_rate"].value == 0.5
    for name in ("record_mean_pct", "record_equity_pct", "record_drawdown_pct"):
        assert found[name].value is None
        assert "nobody" in (found[name].null_because or "")


@pytest.mark.parametrize("missing", [0, 1])
def test_nothing_has_closed(missing: int) -> None:
    found = values(0, [], missing)
    assert found["win_rate"] == (0.0 if missing else None)
    assert found["mean_pct"] is found["equity_pct"] is found["drawdown_pct"] is None


def test_a_loss_of_everything_and_more_ends_the_equity_and_nothing_brings_it_back() -> None:
    assert equity(np.array([-150.0, 900.0])).tolist() == [1.0, 0.0, 0.0]
    assert values(1, [-150.0, 900.0])["equity_pct"] == -100.0
    assert values(1, [-150.0, 900.0])["drawdown_pct"] == pytest.approx(-100.0)


def test_shares_and_means_have_an_interval_from_30_cases_on() -> None:
    few = record_figures(Recorded(20, np.ones(29), 0))
    many = record_figures(Recorded(20, np.array([1.0, -1.0] * 14), 2))
    assert few["record_win_rate"].interval is None
    assert many["record_win_rate"].n == 30
    assert many["record_win_rate"].interval is not None
    assert many["record_mean_pct"].interval is not None
