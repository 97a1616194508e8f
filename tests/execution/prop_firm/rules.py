"""Rule sets, days and measures for the tests."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from execution.prop_firm.days import Day
from execution.prop_firm.measures import Measure, measure
from execution.prop_firm.rule_set import RuleSet, parse

D = Decimal
NAN = D("NaN")
K = 1000
START = D(100 * K)
AT_ONCE = {"peak": "equity", "rises": "at_once"}
MONDAY = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)


def rule_set(**fields: Any) -> RuleSet:  # noqa: ANN401  # any value of a TOML table
    return parse("mine", {"source": "by hand, 2026", "zone": "UTC", **fields})


def day(number: int, *equities: int, trades: int = 1, balance: int | None = None) -> Day:
    """Return a day with these `equities`; the balance follows them, or is `balance` all day."""
    first, last = D(equities[0]), D(equities[-1])
    balances = (first, last) if balance is None else (D(balance), D(balance))
    return Day(
        MONDAY + number * ONE_DAY, first, balances[0], D(max(equities)), max(balances),
        D(min(equities)), last, balances[1], trades,
    )  # fmt: skip


def trailing(**trail: object) -> RuleSet:
    return rule_set(drawdown={"percent": 10, "trail": trail})


def only(
    rules: RuleSet, days: Sequence[Day], equity: int | Decimal, balance: int | Decimal = START
) -> Measure:
    (found,) = measure(rules, START, days, D(equity), D(balance))
    return found
