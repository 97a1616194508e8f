"""The limits that are shown are the limits that the risk rules apply (fault 72)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.risk import rules
from execution.risk.headroom import headroom
from execution.risk.model import Exposure, Intent, Limits, Portfolio
from execution.risk.rules import Rule
from execution.types import Side

NOW = datetime(2025, 1, 15, 15, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "IBM")
LIMITS = Limits(
    max_positions=4,
    max_per_symbol=2,
    max_per_group=3,
    groups=[frozenset({"AAPL", "MSFT"})],
    orders_a_minute=3,
    losses_in_a_row=2,
    cooldown=600.0,
    max_daily_loss=Decimal(3),
    max_drawdown=Decimal(10),
)
COUNTED: dict[str, Rule] = {
    "positions": rules.positions,
    "held": rules.held,
    "group": rules.group,
    "daily_loss": rules.daily_loss,
    "drawdown": rules.drawdown,
    "pace": rules.pace,
    "cooldown": rules.cooldown,
}

exposures = st.builds(
    Exposure, st.sampled_from(SYMBOLS), st.just(Side.BUY), st.just(Decimal(1)), st.just(Decimal(9))
)
moments = st.integers(0, 1200).map(lambda seconds: NOW - timedelta(seconds=seconds))
portfolios = st.builds(
    Portfolio,
    equity=st.integers(80, 120).map(Decimal),
    buying_power=st.just(Decimal(100)),
    day_start=st.just(Decimal(100)),
    peak=st.just(Decimal(110)),
    holdings=st.lists(exposures, max_size=6),
    orders=st.lists(moments, max_size=5),
    losses=st.lists(moments, max_size=4),
)


def intent(symbol: str) -> Intent:
    return Intent(
        signal_id="s", symbol=symbol, side=Side.BUY, quantity=Decimal(1), entry=Decimal(10),
        target=Decimal(11), stop=Decimal(9), confidence=90, made_at=NOW,
    )  # fmt: skip


@given(portfolio=portfolios, symbol=st.sampled_from(SYMBOLS))
def test_fault_72_a_rule_denies_exactly_if_nothing_of_its_limit_is_left(
    portfolio: Portfolio, symbol: str
) -> None:
    shown = {each.code: each for each in headroom(portfolio, LIMITS, NOW, symbol)}
    for code, rule in COUNTED.items():
        if code in shown:
            denied = rule(intent(symbol), portfolio, LIMITS, NOW) is not None
            assert denied == (shown[code].left <= 0), code


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_fault_72_two_positions_in_one_symbol_count_as_two(number: int) -> None:
    held = [Exposure("AAPL", Side.BUY, Decimal(1), Decimal(9))] * number
    portfolio = Portfolio(
        equity=Decimal(100), buying_power=Decimal(100), day_start=Decimal(100), peak=Decimal(100),
        holdings=held,
    )  # fmt: skip
    shown = {each.code: each.used for each in headroom(portfolio, LIMITS, NOW)}
    assert shown["positions"] == number
    assert shown["group"] == number
