"""A person explains a price that is in doubt; what was held back goes on from there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from argo.errors import InvalidInput
from execution.accounts.halts import lift
from execution.corporate.memory import doubts
from execution.corporate.statements import accept_price, session_began, state_rename, state_split
from execution.models import CorporateAction
from signals.market.hours import exchange_hours
from signals.market.protocol import Quote
from signals.models import Signal
from tests.execution.corporate.market_changes import calm_day
from tests.execution.trading_fixtures import (
    ACCOUNT,
    SYMBOL,
    Trading,
    as_stored,
    halt_codes,
    position_of,
)

BY = {"by": "ann", "why": "the company says so"}


@pytest.fixture
def doubtful(trading: Trading) -> Signal:
    """Return the signal of a position whose price fell to a tenth over night."""
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 100.0)
    calm_day(trading, 10.0)
    assert halt_codes() == ["scale"]
    return signal


def test_a_stated_split_is_carried_over(trading: Trading, doubtful: Signal) -> None:
    state_split(trading.context.history.memory, SYMBOL, (Decimal(10), Decimal(1)), None, **BY)
    assert doubts(ACCOUNT) == []
    lift(ACCOUNT, by="ann", why="it was a split", now=trading.clock())
    trading.look()
    position = position_of(doubtful)
    assert position.left == 1000
    assert position.stop == Decimal("9.5")
    calm_day(trading, 11.2)
    assert as_stored(doubtful).outcome == "win"
    assert as_stored(doubtful).exit_price == pytest.approx(112.0)
    assert halt_codes() == []


def test_an_accepted_price_is_used(trading: Trading, doubtful: Signal) -> None:
    accept_price(trading.context.history.memory, SYMBOL, by="ann", why="it is bankrupt")
    trading.look()
    assert as_stored(doubtful).outcome == "loss"
    assert as_stored(doubtful).exit_price == pytest.approx(10.0)


def test_a_bad_tick_is_over_when_the_price_is_back(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    trading.wait(days=1)
    trading.market.quotes[SYMBOL] = Quote(10.0, trading.clock())
    trading.look()
    trading.move(101.0)
    assert position_of(signal).status == "open"
    trading.move(111.0)
    assert as_stored(signal).outcome == "win"


@pytest.mark.parametrize(
    ("ratio", "why"),
    [((1, 1), "so"), ((0, 1), "so"), ((-4, 1), "so"), ((4, 1), " "), ((4, 0), "so")],
)
def test_a_statement_that_makes_no_sense_is_refused(
    trading: Trading, doubtful: Signal, ratio: tuple[int, int], why: str
) -> None:
    new, old = map(Decimal, ratio)
    with pytest.raises(InvalidInput):
        state_split(trading.context.history.memory, SYMBOL, (new, old), None, by="ann", why=why)
    assert not CorporateAction.objects.exists()


def test_a_price_without_doubt_cannot_be_accepted(trading: Trading) -> None:
    trading.trade()
    with pytest.raises(InvalidInput, match="not in doubt"):
        accept_price(trading.context.history.memory, SYMBOL, **BY)


def test_a_stated_rename_gives_the_position_its_new_name(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    memory = trading.context.history.memory
    trading.market.quotes["META"] = Quote(100.0, trading.clock())
    trading.market.rows["META"] = trading.market.rows[SYMBOL]
    trading.wait(hours=1)
    state_rename(memory, SYMBOL, "META", trading.clock(), **BY)
    trading.move(100.0)
    trading.move(101.0, "META")
    assert position_of(signal).symbol == "META"
    assert [each.symbol for each in trading.broker.positions()] == ["META"]
    trading.move(112.0, "META")
    assert as_stored(signal).outcome == "win"
    assert halt_codes() == []


def test_a_symbol_may_get_its_earlier_name_back(trading: Trading) -> None:
    history, now = trading.context.history, trading.clock()
    state_rename(history.memory, SYMBOL, "META", now - timedelta(days=2), **BY)
    assert history.name_now(SYMBOL) == "META"
    state_rename(history.memory, "META", SYMBOL, now - timedelta(days=1), **BY)
    assert history.name_now(SYMBOL) == history.name_now("META") == SYMBOL
    assert len(history.actions(SYMBOL)) == len(history.actions("META")) == 2


@pytest.mark.parametrize("text", ["2024-02-30", "yesterday", "2024-01-06", ""])
def test_a_day_without_a_session_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        session_began(text, exchange_hours("XNYS"))
