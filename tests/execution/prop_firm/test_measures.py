"""An account is measured on its equity curve, against exact levels."""

from decimal import Decimal

import pytest

from execution.prop_firm.days import Day, NotMeasurable
from execution.prop_firm.measures import after_loss, measure
from tests.execution.prop_firm.rules import (
    AT_ONCE,
    NAN,
    START,
    D,
    K,
    day,
    only,
    rule_set,
    trailing,
)  # fmt: skip

STATIC = rule_set(drawdown={"percent": 10})
END_OF_DAY = {"peak": "balance", "rises": "at_day_end"}


def test_a_static_level_stays_below_the_start() -> None:
    days = [day(0, 100 * K, 130 * K), day(1, 130 * K, 91 * K)]
    found = only(STATIC, days, 91 * K)
    assert [found.code, found.used, found.limit, found.left] == ["drawdown", 9 * K, 10 * K, K]
    assert found.percent_used == 90
    assert not found.breached
    assert found.text == "the equity of 91000.00 is 1000.00 above the level of 90000.00"


def test_exactly_on_the_level_is_a_breach() -> None:
    assert not only(STATIC, [day(0, 100 * K)], D("90000.01")).breached
    at_level = only(STATIC, [day(0, 100 * K)], 90 * K)
    assert at_level.breached
    assert at_level.left == 0
    assert only(STATIC, [day(0, 100 * K)], 80 * K).left == -10 * K


def test_a_profit_leaves_more_to_lose() -> None:
    found = only(STATIC, [day(0, 105 * K)], 105 * K)
    assert [found.used, found.left] == [-5 * K, 15 * K]


def test_open_losses_count_for_the_equity_and_not_for_the_balance() -> None:
    on_balance = rule_set(drawdown={"percent": 10, "watched": "balance"})
    days = [day(0, 100 * K, 85 * K, balance=100 * K)]
    assert only(STATIC, days, 85 * K).breached
    assert not only(on_balance, days, 85 * K).breached
    assert only(on_balance, days, 95 * K, 90 * K).breached


def test_a_level_that_rises_at_once_follows_the_highest_equity_within_the_day() -> None:
    days = [day(0, 100 * K, 112 * K, 103 * K, balance=100 * K)]
    assert only(trailing(**AT_ONCE), days, 103 * K).left == K
    assert only(trailing(**AT_ONCE), days, 102 * K).breached


def test_a_mark_that_is_not_recorded_yet_raises_the_level_too() -> None:
    assert only(trailing(**AT_ONCE), [day(0, 100 * K)], 120 * K).left == 10 * K


def test_a_level_that_rises_at_day_end_ignores_today() -> None:
    first = day(0, 100 * K, 112 * K, 104 * K)
    assert only(trailing(**END_OF_DAY), [first], 104 * K).left == 14 * K
    days = [first, day(1, 104 * K, 111 * K, 103 * K)]
    assert only(trailing(**END_OF_DAY), days, 103 * K).left == 9 * K
    assert only(trailing(**END_OF_DAY), [*days, day(2, 103 * K)], 94 * K).breached


def test_the_peak_uses_the_figure_of_the_rule() -> None:
    days = [day(0, 100 * K, 108 * K, balance=102 * K), day(1, 108 * K, balance=102 * K)]
    lefts = [
        only(trailing(peak=peak, rises=rises), days, 108 * K, 102 * K).left
        for peak in ("balance", "equity")
        for rises in ("at_once", "at_day_end")
    ]
    assert lefts == [16 * K, 16 * K, 10 * K, 10 * K]


def test_a_level_that_stops_at_the_start_rises_no_higher() -> None:
    days = [day(0, 100 * K, 130 * K), day(1, 130 * K, 101 * K)]
    found = only(trailing(**AT_ONCE, stops_at_start=True), days, 101 * K)
    assert [found.left, found.limit, found.used] == [K, 30 * K, 29 * K]
    assert only(trailing(**AT_ONCE, stops_at_start=True), days, 100 * K).breached
    assert only(trailing(**AT_ONCE), days, 101 * K).breached


def test_a_level_that_stops_at_the_start_trails_below_it() -> None:
    days = [day(0, 100 * K, 104 * K)]
    assert only(trailing(**AT_ONCE, stops_at_start=True), days, 104 * K).left == 10 * K


def test_the_percent_may_be_of_the_peak() -> None:
    rules = rule_set(drawdown={"percent": 10, "percent_of": "peak", "trail": AT_ONCE})
    found = only(rules, [day(0, 100 * K, 150 * K)], 140 * K)
    assert [found.limit, found.left] == [15 * K, 5 * K]


@pytest.mark.parametrize(
    ("basis", "percent_of", "level"),
    [
        ("equity", "basis", D("104500")),
        ("balance", "basis", D("99750")),
        ("higher", "basis", D("104500")),
        ("equity", "start", D("105000")),
        ("balance", "start", D("100000")),
        ("higher", "start", D("105000")),
    ],
)
def test_the_daily_loss_is_counted_from_how_the_day_began(
    basis: str, percent_of: str, level: Decimal
) -> None:
    rules = rule_set(daily_loss={"percent": 5, "basis": basis, "percent_of": percent_of})
    days = [day(0, 90 * K), day(1, 110 * K, balance=105 * K)]
    assert only(rules, days, level).breached
    above = only(rules, days, level + D("0.01"))
    assert (above.code, above.breached, above.left) == ("daily_loss", False, D("0.01"))


def test_the_higher_may_be_the_balance() -> None:
    rules = rule_set(daily_loss={"percent": 10, "basis": "higher"})
    assert only(rules, [day(0, 90 * K, balance=100 * K)], 90 * K).breached


def test_the_daily_loss_starts_at_0_each_day() -> None:
    rules = rule_set(daily_loss={"percent": 5, "basis": "equity"})
    assert only(rules, [day(0, 100 * K, 95 * K)], 95 * K).breached
    assert not only(rules, [day(0, 100 * K, 95 * K), day(1, 95 * K)], 95 * K).breached


def test_a_day_counts_if_a_trade_was_made_on_it() -> None:
    rules = rule_set(min_days=2)
    days = [day(0, 100 * K), day(1, 100 * K, trades=0)]
    found = only(rules, days, 100 * K)
    assert [found.code, found.used, found.limit, found.left] == ["min_days", 1, 2, 1]
    assert not found.met
    assert not found.breached
    assert only(rules, [*days, day(2, 100 * K)], 100 * K).met


def test_a_day_may_need_a_profit_to_count() -> None:
    rules = rule_set(min_days=2, min_day_profit=1)
    days = [day(0, 100 * K, 101 * K), day(1, 101 * K, 102 * K - 1), day(2, 102 * K)]
    assert only(rules, days, 0, 102 * K).used == 1
    assert only(rules, days, 0, 103 * K).used == 2


def test_the_best_day_may_have_made_only_a_share_of_the_profit() -> None:
    rules = rule_set(consistency=50)
    days = [day(0, 100 * K, 103 * K), day(1, 103 * K, 102 * K), day(2, 102 * K)]
    found = only(rules, days, 0, 105 * K)
    assert [found.code, found.used, found.limit, found.left] == ["consistency", 3000, 2500, K]
    assert not found.met
    assert not found.breached
    assert only(rules, days, 0, 106 * K - 1).met is False
    later = [*days[:2], day(2, 102 * K, 105 * K), day(3, 105 * K)]
    assert only(rules, later, 0, 106 * K).met


def test_today_may_be_the_best_day() -> None:
    rules = rule_set(consistency=50)
    assert only(rules, [day(0, 100 * K, 101 * K), day(1, 101 * K)], 0, 109 * K).used == 8 * K


def test_unrealised_profit_is_not_a_day_s_profit() -> None:
    days = [day(0, 100 * K, 107 * K, balance=101 * K), day(1, 107 * K)]
    assert only(rule_set(consistency=50), days, 0, 104 * K).used == 3 * K


@pytest.mark.parametrize("balance", [100 * K, 99 * K])
def test_without_a_profit_there_is_no_consistency(balance: int) -> None:
    days = [day(0, 100 * K, 100 * K), day(1, 100 * K)]
    found = only(rule_set(consistency=50), days, 0, balance)
    assert [found.met, found.limit, found.percent_used] == [False, 0, None]


def test_the_target_counts_closed_profit() -> None:
    rules = rule_set(target=8)
    found = only(rules, [day(0, 100 * K)], 120 * K, 106 * K)
    assert [found.code, found.used, found.limit, found.left] == ["target", 6 * K, 8 * K, 2 * K]
    assert not found.breached
    assert only(rules, [day(0, 100 * K)], 100 * K, 108 * K).met
    assert only(rules, [day(0, 100 * K)], 100 * K, 109 * K).left == 0


def test_limits_come_first_and_only_they_are_breaches() -> None:
    rules = rule_set(
        drawdown={"percent": 10}, daily_loss={"percent": 5, "basis": "equity"}, min_days=9,
        consistency=50, target=10,
    )  # fmt: skip
    found = measure(rules, START, [day(0, 100 * K)], D(50 * K), D(50 * K))
    assert [(each.code, each.breached) for each in found] == [
        ("drawdown", True), ("daily_loss", True), ("min_days", False), ("consistency", False),
        ("target", False),
    ]  # fmt: skip
    assert [each.is_breach for each in found] == [True, True, False, False, False]


def test_without_rules_nothing_is_measured() -> None:
    assert measure(rule_set(), START, [day(0, 1)], D(1), D(1)) == []


def test_a_loss_is_taken_from_the_present_equity_and_the_peaks_stay() -> None:
    rules = rule_set(
        drawdown={"percent": 10, "trail": AT_ONCE}, daily_loss={"percent": 5, "basis": "equity"}
    )
    days = [day(0, 100 * K)]
    before = measure(rules, START, days, D(104 * K), START)
    after = after_loss(rules, START, days, D(104 * K), START, D(8 * K))
    assert [each.left for each in before] == [10 * K, 9 * K]
    assert [each.left for each in after] == [2 * K, K]
    assert after_loss(rules, START, days, D(104 * K), START, D(0)) == before


def test_a_loss_may_breach() -> None:
    days = [day(0, 100 * K)]
    (found,) = after_loss(STATIC, START, days, START, START, D(10 * K))
    assert found.breached
    on_balance = rule_set(drawdown={"percent": 10, "watched": "balance"})
    (found,) = after_loss(on_balance, START, days, START, START, D(10 * K))
    assert found.breached


def day_with_nan(place: int) -> Day:
    figures = list(day(0, 1))
    figures[place] = NAN
    return Day._make(figures)


WRONG: dict[str, tuple[Decimal, list[Day], Decimal, Decimal]] = {
    "a start that is NaN": (NAN, [day(0, 1)], START, START),
    "no start": (D(0), [day(0, 1)], START, START),
    "an equity that is NaN": (START, [day(0, 1)], NAN, START),
    "a balance that is NaN": (START, [day(0, 1)], START, NAN),
    "an infinite equity": (START, [day(0, 1)], D("Infinity"), START),
    "no day": (START, [], START, START),
    "days out of order": (START, [day(1, 1), day(0, 1)], START, START),
    "a day twice": (START, [day(0, 1), day(0, 1)], START, START),
    **{
        f"a day whose {Day._fields[place]} is NaN": (START, [day_with_nan(place)], START, START)
        for place in range(1, 8)
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_missing_or_invalid_figures_are_refused(name: str) -> None:
    start, days, equity, balance = WRONG[name]
    with pytest.raises(NotMeasurable):
        measure(STATIC, start, days, equity, balance)
    with pytest.raises(NotMeasurable):
        after_loss(STATIC, start, days, equity, balance, D(1))


@pytest.mark.parametrize("loss", [NAN, D("Infinity"), D(-1)])
def test_an_invalid_or_negative_loss_is_refused(loss: Decimal) -> None:
    with pytest.raises(NotMeasurable):
        after_loss(STATIC, START, [day(0, 100 * K)], START, START, loss)
