"""The measures agree with a plain calculation from all marks of an equity curve."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from execution.prop_firm.days import Day, record
from execution.prop_firm.measures import after_loss, measure
from execution.prop_firm.rule_set import RuleSet
from tests.execution.prop_firm.rules import (
    AT_ONCE,
    MONDAY,
    ONE_DAY,
    START,
    K,
    only,
    rule_set,
    trailing,
)  # fmt: skip

Mark = tuple[int, Decimal, Decimal]
MONEY = st.integers(80 * K, 140 * K).map(Decimal)
MARKS = st.lists(st.tuples(st.integers(0, 2), MONEY, MONEY), min_size=1, max_size=20).map(
    lambda steps: [
        (number, equity, balance)
        for number, (_, equity, balance) in zip(
            accumulate(step for step, _, _ in steps), steps, strict=True
        )
    ]
)
PEAKS = st.sampled_from(["balance", "equity"])


def rows(marks: Sequence[Mark]) -> list[Day]:
    days: list[Day] = []
    for number, equity, balance in marks:
        row = record(days, MONDAY + number * ONE_DAY, equity, balance, 0)
        days = [*(each for each in days if each.day != row.day), row]
    return days


def level(rules: RuleSet, marks: Sequence[Mark]) -> Decimal:
    _, equity, balance = marks[-1]
    (found,) = measure(rules, START, rows(marks), equity, balance)
    assert found.used + found.left == found.limit
    return equity - found.left


def figure(mark: Mark, peak: str) -> Decimal:
    return mark[1] if peak == "equity" else mark[2]


@given(MARKS, PEAKS)
def test_a_level_that_rises_at_once_follows_the_highest_mark(marks: list[Mark], peak: str) -> None:
    highest = max(START, *(figure(mark, peak) for mark in marks))
    rules = trailing(peak=peak, rises="at_once")
    assert level(rules, marks) == highest - START / 10


@given(MARKS, PEAKS)
def test_a_level_that_rises_at_day_end_follows_the_highest_last_mark(
    marks: list[Mark], peak: str
) -> None:
    last_marks = {mark[0]: figure(mark, peak) for mark in marks if mark[0] < marks[-1][0]}
    rules = trailing(peak=peak, rises="at_day_end")
    assert level(rules, marks) == max([START, *last_marks.values()]) - START / 10


@given(MARKS, PEAKS, st.sampled_from(["at_once", "at_day_end"]), st.booleans(), st.booleans())
def test_a_trailing_level_never_falls(
    marks: list[Mark], peak: str, rises: str, of_peak: bool, stops: bool
) -> None:
    trail = {"peak": peak, "rises": rises, "stops_at_start": stops}
    of = "peak" if of_peak else "start"
    rules = rule_set(drawdown={"percent": 10, "percent_of": of, "trail": trail})
    levels = [level(rules, marks[: count + 1]) for count in range(len(marks))]
    assert levels == sorted(levels)
    assert not stops or max(levels) <= START


@given(MARKS)
def test_the_drawdown_is_measured_on_the_equity_not_on_closed_profits(
    marks: list[Mark],
) -> None:
    equity = marks[-1][1]
    found = only(trailing(**AT_ONCE), rows(marks), equity, marks[-1][2])
    highest = max(START, *(mark[1] for mark in marks))
    assert found.used == highest - equity
    assert found.breached is (highest - equity >= START / 10)


@given(MARKS)
def test_the_daily_loss_counts_from_the_day_s_first_or_the_previous_day_s_last_mark(
    marks: list[Mark],
) -> None:
    number = marks[-1][0]
    before = [mark[1] for mark in marks if mark[0] < number]
    first = next(mark[1] for mark in marks if mark[0] == number)
    basis = max([first, *before[-1:]])
    rules = rule_set(daily_loss={"percent": 5, "basis": "equity"})
    found = only(rules, rows(marks), marks[-1][1], marks[-1][2])
    assert found.used == basis - marks[-1][1]
    assert found.breached is (found.used >= basis * 5 / 100)


@given(MARKS, st.integers(0, 50 * K).map(Decimal))
def test_a_loss_reduces_what_is_left_by_its_amount(marks: list[Mark], loss: Decimal) -> None:
    rules = rule_set(
        drawdown={"percent": 10, "trail": AT_ONCE}, daily_loss={"percent": 5, "basis": "higher"}
    )
    _, equity, balance = marks[-1]
    before = measure(rules, START, rows(marks), equity, balance)
    after = after_loss(rules, START, rows(marks), equity, balance, loss)
    assert [each.left - loss for each in before] == [each.left for each in after]
