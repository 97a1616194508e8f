"""The account of a backtest: money, limits and order of time; every figure worked out by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from execution.analysis.backtest.plans import Detail, Offers, Terms
from execution.analysis.backtest.text import as_text
from execution.analysis.backtest.walk import AccountResult, AccountRules, walk
from execution.brokers.fill_model import Costs
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import Reason
from signals.analysis.backtest.columns import Ending
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.history import History, Split
from signals.analysis.backtest.rules import Rules
from tests.signals.analysis.backtest.markets import bar, days, history, table
from tests.signals.analysis.backtest.reference import PlainSignal

D = Decimal
WIDE = Limits(max_position=D(100), max_positions=None, cooldown=0, price_max_age=0)
TENTH = Sizing(by_risk=False, percent=D(10))
"""A tenth of the equity in each trade."""
FREE = Costs(D(0), D(0), D(0))
QUIET = (100.0, 101.0, 99.0, 100.0)
UP, DOWN = (100.0, 111.0, 99.0, 110.0), (100.0, 101.0, 94.0, 95.0)
TERMS = Terms("USD", D(1), D(1))


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def buy(number: int, **changes: Any) -> PlainSignal:  # noqa: ANN401
    """Return a signal at the close of a day's bar."""
    made = PlainSignal(bar(number, *QUIET).time, True, 100.0, 95.0, 110.0)
    return made._replace(**changes)


def sell(number: int) -> PlainSignal:
    return buy(number, is_long=False, stop=105.0, target=90.0)


def walked(
    signals: Sequence[PlainSignal],
    past: History,
    limits: Limits = WIDE,
    sizing: Sizing = TENTH,
    costs: Costs = FREE,
    terms: Terms = TERMS,
    confidence: float = 90.0,
) -> AccountResult:
    """Trade these signals of one symbol with a deposit of 10,000."""
    columns = table(signals)
    rules = Rules(expiry=10)
    trades = backtest(columns, lambda symbol: past, rules, past.time[-1])
    details = [Detail(f"s{number}", confidence, "test", "") for number in range(len(signals))]
    offers = Offers(columns, trades, details, lambda symbol: terms, {"TEST": past}, costs)
    return walk(offers, AccountRules(D(10_000), sizing, limits, day_of))


def past(*bars: tuple[float, float, float, float]) -> History:
    return history(days(QUIET, *bars))


def codes(found: AccountResult, index: int) -> list[Reason]:
    return [why.code for why in found.denied[index]]


def test_a_trade_moves_the_money_by_quantity_prices_and_fees() -> None:
    found = walked([buy(0)], past(QUIET, UP), costs=Costs(D("0.2"), D("0.1"), D("0.5")))
    (trade,) = found.trades
    assert (trade.quantity, trade.entry, trade.exit) == (D(10), D("100.2"), D(110))
    assert trade.fees == D("0.5") / 100 * (10 * D("100.2") + 10 * D(110))
    assert trade.profit == D(98) - trade.fees
    assert found.equity == 10_000 + trade.profit
    assert (trade.by, trade.at) == (Ending.TARGET, bar(2, *UP).time)


def test_a_short_sale_earns_when_the_price_falls() -> None:
    found = walked([sell(0)], past(QUIET, (100, 101, 89, 90)))
    assert found.trades[0].profit == 100
    assert found.equity == 10_100


def test_what_is_held_counts_at_the_last_close() -> None:
    found = walked([buy(0)], past(QUIET, (100, 104, 99, 104)))
    assert (found.open, found.equity, found.peak) == (1, D(10_040), D(10_040))


def test_orders_of_one_moment_count_for_the_next_decision() -> None:
    limits = Limits(max_position=D(100), max_positions=2, max_per_symbol=9, price_max_age=0)
    found = walked([buy(0)] * 3, past(QUIET, QUIET), limits)
    assert found.executed == [0, 1]
    assert codes(found, 2) == [Reason.POSITIONS]


def test_a_place_is_free_again_once_the_trade_has_ended() -> None:
    signals = [buy(0), buy(1), buy(2)]
    found = walked(signals, past(QUIET, UP, QUIET, QUIET))
    assert found.executed == [0, 2]
    assert codes(found, 1) == [Reason.HELD]


def test_signals_are_decided_in_order_of_time_whatever_their_rows() -> None:
    found = walked([buy(1), buy(0)], past(QUIET, QUIET, QUIET))
    assert found.executed == [1]
    assert codes(found, 0) == [Reason.HELD]


def test_the_day_starts_with_the_equity_of_the_day_before() -> None:
    limits = Limits(max_position=D(100), max_daily_loss=D("0.4"), price_max_age=0, cooldown=0)
    signals = [buy(0), buy(1), buy(2), buy(3)]
    found = walked(signals, past(UP, DOWN, QUIET, QUIET), limits)
    assert codes(found, 2) == [Reason.DAILY_LOSS]  # half a percent of yesterday's last equity
    assert found.executed == [0, 1, 3]


def test_losses_in_a_row_pause_trading() -> None:
    limits = Limits(max_position=D(100), losses_in_a_row=1, cooldown=86_000, price_max_age=0)
    found = walked([buy(0), buy(1), buy(2)], past(DOWN, QUIET, QUIET), limits)
    assert codes(found, 1) == [Reason.COOLDOWN]
    assert found.executed == [0, 2]


def test_a_split_carries_the_quantity_over() -> None:
    split = Split(bar(2, *QUIET).began, Fraction(2))
    bars = history(days(QUIET, QUIET, (50, 51, 49, 50), (50, 56, 49, 55)), [split])
    found = walked([buy(0)], bars)
    assert found.trades[0].profit == 20 * 55 - 10 * 100
    assert found.equity == 10_100


def test_an_order_without_a_bar_after_it_keeps_its_place_and_its_money() -> None:
    found = walked([buy(1), buy(1)], past(QUIET), sizing=Sizing(by_risk=False, percent=D(60)))
    assert (found.executed, found.open, found.equity) == ([0], 1, D(10_000))
    assert Reason.HELD in codes(found, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"terms": Terms("JPY", D(1), D(1))}, Reason.CURRENCY),
        ({"terms": Terms("USD", None, D(1))}, Reason.MULTIPLIER),
        ({"terms": Terms("USD", D(1), D(100))}, Reason.TOO_SMALL),
        ({"confidence": 10.0}, Reason.CONFIDENCE),
        ({"confidence": float("nan")}, Reason.CONFIDENCE),
        ({"sizing": Sizing(is_scaled=True)}, Reason.SIZING),
    ],
)
def test_the_rules_of_a_live_account_deny(changes: dict[str, object], code: Reason) -> None:
    found = walked([buy(0)], past(QUIET, QUIET), **changes)  # type: ignore[arg-type]
    assert code in codes(found, 0)


def test_no_signals_leave_the_deposit() -> None:
    found = walked([], past(QUIET))
    assert found.as_dict()["equity"] == "10000"
    rules = AccountRules(D(10_000), TENTH, WIDE, day_of)
    assert "10000.00  equity at the last bar" in as_text(rules, found)
