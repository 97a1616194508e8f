"""What is carried over, and what is left alone: other accounts, other times, closed positions."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.accounts.rows import lock
from execution.corporate.memory import PriceMemory
from execution.models import CorporateAction, Counterfactual, PositionChange
from execution.positions.carry import carry_over
from execution.positions.fills import record
from signals.journal import Journal
from signals.market.actions import ActionKind, ListedAction
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.corporate.market_changes import calm_day, listed, listing, rebase
from tests.execution.trading_fixtures import (
    FREE,
    SYMBOL,
    Trading,
    figures,
    fill_of,
    halt_codes,
    orders_of,
    position_of,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.services("postgresql"))


def split(trading: Trading, account: str = "paper") -> CorporateAction:
    """Let four shares become of each one, as the account's market reports it now."""
    memory = replace(trading.context.history.memory, account=account)
    ex_at = trading.clock()
    return memory.store(
        SYMBOL, ActionKind.SPLIT, ex_at - timedelta(hours=1), ex_at, source="market", why="a test",
        new=Decimal(4), old=Decimal(1),
    )  # fmt: skip


def test_a_split_on_another_accounts_market_carries_nothing_over(trading: Trading) -> None:
    signal = trading.trade()
    trading.wait(days=1)
    split(trading, "another")
    trading.move(100.0)
    assert position_of(signal).left == 100
    assert not PositionChange.objects.exists()


def test_a_rename_on_another_accounts_market_renames_nothing(trading: Trading) -> None:
    memory = PriceMemory("another", trading.clock)
    memory.store(
        SYMBOL, ActionKind.RENAME, trading.clock(), trading.clock(), source="market",
        why="a test", new_symbol="META",
    )  # fmt: skip
    assert trading.context.history.name_now(SYMBOL) == SYMBOL


def test_a_closed_position_is_not_carried_over(trading: Trading) -> None:
    """A fill that the broker reports after the split cannot belong to it."""
    signal = trading.trade()
    trading.move(94.0)
    before = position_of(signal)
    assert before.status == "closed"
    trading.wait(days=1)
    split(trading)
    stop = orders_of(signal)["stop"]
    record(trading.context, [fill_of(stop, 5, 23, fill_id="late", time=trading.clock())])
    after = position_of(signal)
    assert (after.stop, after.quantity, after.profit) == (
        before.stop,
        before.quantity,
        before.profit,
    )
    assert not PositionChange.objects.exists()
    assert halt_codes() == ["overfill"]


def test_a_stop_of_before_a_split_that_nobody_watched_is_filled_before_it(
    trading: Trading,
) -> None:
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade()
    trading.day(100.0, 101.0, 94.0, 100.0)
    ex_at = trading.clock() + timedelta(hours=1)
    listed(trading).append(ListedAction(ActionKind.SPLIT, ex_at, Decimal(10), Decimal(1)))
    trading.day(10.0, 10.1, 9.9, 10.0)
    trading.look()
    position = position_of(signal)
    assert figures(position.status, position.quantity, position.profit) == ("closed", 100, -500)
    assert not PositionChange.objects.exists()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)  # SQLite locks the whole file
def test_carrying_over_locks_the_account(trading: Trading) -> None:
    signal = trading.trade()
    trading.wait(days=1)
    split(trading)
    with CaptureQueriesContext(connection) as made:
        assert carry_over(trading.context, position_of(signal))
    locks = [each["sql"] for each in made if "FOR UPDATE" in each["sql"]]
    assert "trading_accounts" in locks[0]


def test_an_action_that_another_worker_carried_over_meanwhile_is_not_repeated(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker acts after our look and before our lock."""
    signal = trading.trade()
    trading.wait(days=1)
    split(trading)
    stale, module = position_of(signal), "execution.positions.carry.lock"

    def meanwhile(account: str) -> None:
        monkeypatch.setattr(module, lock)
        assert carry_over(trading.context, position_of(signal))

    monkeypatch.setattr(module, meanwhile)
    assert not carry_over(trading.context, stale)
    assert position_of(signal).left == 400
    assert PositionChange.objects.count() == 1


def test_a_stop_that_has_sold_a_part_sells_the_rest_after_a_split(
    journal: Journal, db: None
) -> None:
    """The price is above the stop again, but the order was triggered."""
    trading = listing(Trading.begun(journal, replace(FREE, volume_share=Decimal(1))))
    calm_day(trading, 100.0)
    signal = trading.trade()
    trading.day(100.0, 100.0, 94.0, 96.0, volume=6000)
    trading.look()
    assert position_of(signal).left == 40
    ex_at = trading.clock() + timedelta(hours=1)
    listed(trading).append(ListedAction(ActionKind.SPLIT, ex_at, Decimal(2), Decimal(1)))
    trading.clock.pass_by(days=1)
    trading.move(49.0)
    trading.look()  # the fill of a stop that is not known yet waits for one look
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "stop")
    assert position.profit == 60 * 95 + 80 * 49 - 100 * 100


@pytest.mark.parametrize("is_known", [True, False])
def test_a_history_that_the_market_has_not_changed_yet_is_used_as_it_is(
    trading: Trading, is_known: bool
) -> None:
    """The market reports the split first, and changes its bars later."""
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.log(confidence=50)
    trading.decide()
    trading.day(100.0, 101.0, 99.0, 100.0)
    ex_at = trading.clock() + timedelta(hours=1)
    split = ListedAction(ActionKind.SPLIT, ex_at, Decimal(4), Decimal(1), rebased_by=0.25)
    listed(trading).append(split)
    if is_known:
        trading.clock.pass_by(hours=2)
        trading.context.history.look(SYMBOL)
    calm_day(trading, 25.0)
    assert Counterfactual.objects.get(signal=signal).outcome is None
    trading.day(25.0, 28.0, 25.0, 27.5)
    trading.clock.pass_by(hours=2)
    trading.look()
    followed = Counterfactual.objects.get(signal=signal)
    assert followed.outcome == "win"
    assert followed.exit_price == pytest.approx(110.0)


def test_an_action_that_the_market_lists_late_is_carried_over(trading: Trading) -> None:
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade()
    ex_at = trading.clock() + timedelta(hours=3)
    calm_day(trading, 99.0)
    listed(trading).append(ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal("0.5")))
    calm_day(trading, 99.0)
    (change,) = PositionChange.objects.filter(position=signal.pk)
    assert change.cash == 50


@pytest.mark.parametrize("later", [{}, {"minutes": 1}, {"hours": 2}])
def test_a_position_opened_since_the_last_bar_is_carried_over(
    trading: Trading, later: dict[str, float]
) -> None:
    """No bar of its day is there yet when the history changes."""
    calm_day(trading, 100.0)
    trading.wait(hours=2)
    signal = trading.trade()
    trading.wait(**later)
    trading.look()
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    assert position_of(signal).left == 1000
    assert halt_codes() == []


def test_a_position_opened_on_the_new_scale_before_the_split_is_known_is_left_alone(
    trading: Trading,
) -> None:
    calm_day(trading, 100.0)
    trading.wait(hours=20)
    trading.market.quotes[SYMBOL] = Quote(10.0, trading.clock())
    signal = trading.trade(10.0, entry_price=10.0, target_price=11.0, stop_price=9.5)
    before = position_of(signal).quantity
    rebase(trading, 0.1)
    calm_day(trading, 10.0)
    assert position_of(signal).quantity == before
    assert halt_codes() == []
