"""The rate: bursts pass up to the count, then one request for each share of the period."""

from hypothesis import given
from hypothesis import strategies as st

from argo.rates.rate import Rate, judge

NOW = 1_800_000_000.0
FEW = Rate(3, 60.0)


def passed(rate: Rate, times: list[float], arrival: float = 0.0) -> list[bool]:
    found = []
    for at in times:
        verdict = judge(rate, arrival, at)
        arrival = verdict.arrival
        found.append(verdict.passes)
    return found


def test_a_burst_of_the_count_passes_and_then_one_for_each_share_of_the_period() -> None:
    assert passed(FEW, [NOW] * 4) == [True, True, True, False]
    assert passed(FEW, [NOW] * 4 + [NOW + 19.9, NOW + 20, NOW + 20]) == [
        True, True, True, False, False, True, False,
    ]  # fmt: skip


def test_a_verdict_says_what_remains_and_when_to_try_again() -> None:
    arrival = 0.0
    for remaining, reset in ((2, 20.0), (1, 40.0), (0, 60.0)):
        verdict = judge(FEW, arrival, NOW)
        assert (verdict.remaining, round(verdict.reset), verdict.wait) == (remaining, reset, 0.0)
        arrival = verdict.arrival
    refused = judge(FEW, arrival, NOW + 5)
    assert (refused.passes, refused.remaining, round(refused.wait)) == (False, 0, 15)
    assert refused.arrival == arrival  # who tries again and again is not punished


def test_a_state_of_a_clock_that_was_ahead_counts_as_now() -> None:
    assert judge(FEW, NOW + 3600, NOW).passes
    assert judge(FEW, float("inf"), NOW).passes
    assert judge(FEW, float("nan"), NOW).passes


@given(
    count=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=80),
)
def test_no_period_has_more_than_the_burst_and_the_rate_together(
    count: int, gaps: list[float]
) -> None:
    rate, at, times = Rate(count, 60.0), NOW, []
    for gap in gaps:
        at += gap
        times.append(at)
    passing = [at for at, passes in zip(times, passed(rate, times), strict=True) if passes]
    assert passing[0] == times[0]
    for first in passing:
        within = sum(first <= at < first + rate.seconds for at in passing)
        assert within <= 2 * count
