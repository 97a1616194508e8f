"""Prices that are in doubt stay in doubt until somebody explains them; all others are used."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from argo.errors import ArgoError
from execution.corporate.memory import doubts
from execution.corporate.statements import state_split
from signals.market.actions import ListedAction
from tests.execution.corporate.market_changes import calm_day, listing, rebase
from tests.execution.trading_fixtures import (
    ACCOUNT,
    SYMBOL,
    Trading,
    as_stored,
    halt_codes,
    position_of,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("factor", [0.77, 0.613, 1.37])
def test_a_history_that_changed_without_a_reason_stays_in_doubt(
    trading: Trading, factor: float
) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 100.0)
    rebase(trading, factor)
    for _ in range(3):
        calm_day(trading, 100.0 * factor)
        assert "no usual split or dividend" in trading.context.history.unexplained(SYMBOL)
    assert position_of(signal).status == "open"
    assert halt_codes() == ["scale"]


def test_a_doubt_about_another_accounts_price_halts_nothing(trading: Trading) -> None:
    calm_day(trading, 100.0)
    trading.trade()
    other = trading.changed(account="another").context.history.memory
    other.doubt(SYMBOL, Decimal(100), Decimal(10), trading.clock(), Fraction(10))
    trading.look()
    assert doubts(ACCOUNT) == []
    assert halt_codes() == []


def test_a_split_of_before_explains_no_jump_of_later(trading: Trading) -> None:
    history, now = trading.context.history, trading.clock()
    ratio, began = (Decimal(10), Decimal(1)), now - timedelta(days=9)
    state_split(history.memory, SYMBOL, ratio, began, by="ann", why="a test")
    days = [now - timedelta(days=each) for each in (3, 2)]
    assert not history.checked(SYMBOL, Decimal(100), days[0], Decimal(10), days[1])


def test_a_split_of_later_explains_no_jump_of_before(trading: Trading) -> None:
    history, now = trading.context.history, trading.clock()
    ratio = (Decimal(10), Decimal(1))
    state_split(history.memory, SYMBOL, ratio, now, by="ann", why="a test")
    days = [now - timedelta(days=each) for each in (3, 2)]
    assert not history.checked(SYMBOL, Decimal(100), days[0], Decimal(10), days[1])
    assert history.checked(SYMBOL, Decimal(100), days[1], Decimal(10), now)


def test_prices_are_used_although_the_list_of_actions_fails(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(symbol: str, since: datetime, upto: datetime) -> Sequence[ListedAction]:
        raise ArgoError("no list")

    trading = listing(trading)
    monkeypatch.setattr(trading.market, "actions", failing)
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 112.0)
    assert as_stored(signal).outcome == "win"


@pytest.mark.parametrize(
    ("symbol", "may"),
    [("AAPL", True), ("WEIRD_9", True), ("EUR/USD", False), ("BTC-USD", False), ("XAUUSD", False)],
)
def test_only_what_is_or_may_be_a_share_can_split(trading: Trading, symbol: str, may: bool) -> None:
    assert trading.context.history.may_split(symbol) is may
