"""Signals that wait together are decided with one look at the account, as if one by one."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from execution.accounts.portfolio import portfolio
from execution.brokers.paper.ledger import open_brackets, total_of
from execution.decisions import batch, queue
from execution.decisions.queue import ClaimedDecision
from execution.models import Decision, Order, PaperAccount
from execution.monitoring.monitor import ask_to_close
from execution.orders import bracket
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import ExitReason
from signals.market.protocol import Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import (
    WIDE,
    Trading,
    codes_of,
    decision_of,
    orders_of,
    position_of,
    quoted,
)

pytestmark = pytest.mark.django_db(databases=DATABASES)
SMALL = Sizing(percent=Decimal("0.01"))


def symbols(number: int, first: int = 0) -> list[str]:
    return [f"S{each}" for each in range(first, first + number)]


def wide(trading: Trading, names: list[str]) -> Trading:
    return quoted(trading.changed(limits=WIDE, sizing=SMALL), **dict.fromkeys(names, 100.0))


@pytest.mark.usefixtures("database")
def test_the_account_is_asked_once_for_a_batch(trading: Trading) -> None:
    many = wide(trading, symbols(12))
    signals = [many.log(symbol=name) for name in symbols(12)]
    assert many.decide().executed == 12
    assert many.broker.calls.count("account") == 1
    assert {decision_of(each).status for each in signals} == {"executed"}


def positions(many: Trading, names: list[str]) -> None:
    for name in names:
        many.trade(symbol=name)


def positions_of_one_symbol(many: Trading, names: list[str]) -> None:
    for _ in names:
        many.trade(symbol=names[0])


def waiting_entries(many: Trading, names: list[str]) -> None:
    for name in names:
        many.log(symbol=name)
    many.decide()


def skipped(many: Trading, names: list[str]) -> None:
    """Skip signals for several reasons: the confidence, the price, the levels."""
    for name in names:
        many.log(symbol=name, confidence=1.0)
        many.log(symbol=f"{name}X")
        many.log(symbol=name, stop_price=101.0, entry_price=102.0)
    many.decide()
    many.trade(symbol=names[0])


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "beside",
    [positions, positions_of_one_symbol, waiting_entries, skipped],
)
def test_a_decision_takes_as_many_statements_beside_many_others(
    trading: Trading, beside: Callable[[Trading, list[str]], None]
) -> None:
    """The rows that a decision reads are those of its own orders, not those of all positions."""
    counts = []
    for names in (symbols(1, first=10), symbols(8, first=20)):
        limits = replace(WIDE, max_per_symbol=99)
        many = wide(trading, [*names, "S0"]).changed(limits=limits)
        beside(many, names)
        quoted(many, S0=100.0).log(symbol="S0")
        with CaptureQueriesContext(connection) as asked:
            assert many.decide().executed == 1
        counts.append(len(asked))
    assert len(set(counts)) == 1


def test_an_order_counts_for_the_next_decision_of_its_batch(trading: Trading) -> None:
    limits = replace(WIDE, max_positions=2, orders_a_minute=2)
    limited = wide(trading, symbols(4)).changed(limits=limits)
    signals = [limited.log(symbol=name) for name in symbols(4)]
    limited.decide()
    assert [decision_of(each).status for each in signals] == ["executed"] * 2 + ["skipped"] * 2
    assert codes_of(signals[3]) == ["positions", "pace"]


def test_the_money_of_a_batch_is_spent_once(trading: Trading) -> None:
    limits = replace(WIDE, max_position=Decimal(100))
    rich = wide(trading, symbols(3)).changed(
        limits=limits, sizing=Sizing(by_risk=False, percent=Decimal(60))
    )
    signals = [rich.log(symbol=name) for name in symbols(3)]
    rich.decide()
    quantities = [orders_of(each)["entry"].quantity for each in signals[:2]]
    assert quantities == [600, 400]
    assert "too_small" in codes_of(signals[2])


@pytest.mark.usefixtures("database")
def test_an_order_made_while_the_claim_was_lost_is_rolled_back_alone(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = wide(trading, symbols(3))
    signals = [many.log(symbol=name) for name in symbols(3)]
    mark = queue.mark_executed

    def lost(claimed: ClaimedDecision, *arguments: Any) -> bool:  # noqa: ANN401
        if claimed.decision.pk == signals[1].pk:
            Decision.objects.filter(pk=claimed.decision.pk).update(claim="another worker")
        return mark(claimed, *arguments)

    monkeypatch.setattr(queue, "mark_executed", lost)
    counts = many.decide()
    assert (counts.executed, counts.postponed) == (2, 1)
    assert decision_of(signals[1]).order_id is None
    assert not Order.objects.filter(signal=signals[1]).exists()
    assert Order.objects.count() == 6


@pytest.mark.usefixtures("database")
def test_a_decision_that_fails_is_postponed_alone(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = wide(trading, symbols(3))
    signals = [many.log(symbol=name) for name in symbols(3)]
    new_bracket = bracket.new_bracket

    def fails(context: Any, signal: Any, *arguments: Any) -> Order:  # noqa: ANN401
        order = new_bracket(context, signal, *arguments)
        if signal.pk == signals[1].pk:
            raise RuntimeError("a bug")
        return order

    monkeypatch.setattr(batch, "new_bracket", fails)
    counts = many.decide()
    assert (counts.executed, counts.postponed) == (2, 1)
    assert decision_of(signals[1]).status == "pending"
    assert not Order.objects.filter(signal=signals[1]).exists()


def test_slow_prices_end_a_batch_before_they_are_old(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LOOK_FOR", 0.01)
    many = wide(trading, symbols(3))
    quote = many.market.quote

    def slow(symbol: str) -> Quote | None:
        time.sleep(0.02)
        return quote(symbol)

    monkeypatch.setattr(many.market, "quote", slow)
    for name in symbols(3):
        many.log(symbol=name)
    assert many.decide().executed == 3
    assert many.broker.calls.count("account") == 3


@pytest.mark.usefixtures("database")
def test_an_entry_that_another_worker_filled_since_is_subtracted(trading: Trading) -> None:
    """The broker was asked before that entry was sent; it is filled when the rules are asked."""
    money = trading.broker.account()
    trading.trade()
    with transaction.atomic():
        held = portfolio(trading.context, money, trading.clock())
        later = portfolio(trading.context, trading.broker.account(), trading.clock())
    assert orders_of(trading.log()) == {}
    assert held.buying_power == later.buying_power == 90_000


@pytest.mark.usefixtures("database")
def test_the_stored_totals_of_a_paper_account_are_those_of_its_brackets(trading: Trading) -> None:
    many = wide(trading, symbols(4))
    held = {name: many.trade(symbol=name, action=side)
            for name, side in (("S0", "BUY"), ("S1", "SELL"), ("S2", "BUY"))}  # fmt: skip
    acts: list[Callable[[], object]] = [
        lambda: many.log(symbol="S3"),
        many.decide,
        lambda: many.broker.cancel(Order.objects.filter(symbol="S3")[0].broker_id),
        lambda: many.move(104.0, "S0"),
        lambda: many.move(104.0, "S1"),
        lambda: many.broker.transfer(Decimal(-500)),
        lambda: many.move(111.0, "S0"),
        lambda: ask_to_close(position_of(held["S2"]), ExitReason.MANUAL),
        many.look,
        lambda: many.move(99.0, "S2"),
        lambda: many.move(89.0, "S1"),
    ]
    for act in acts:
        account = PaperAccount.objects.get()
        assert totals(account) == total_of(open_brackets(account))
        act()
    assert totals(PaperAccount.objects.get()) == (0, 0, 0)
    assert {position_of(each).status for each in held.values()} == {"closed"}


def totals(account: PaperAccount) -> tuple[object, ...]:
    return account.value, account.cost, account.bound


def test_a_paper_account_without_totals_is_summed_up_once(trading: Trading) -> None:
    """An earlier version stored none."""
    many = wide(trading, symbols(3))
    many.trade(symbol="S0")
    before = many.broker.account()
    PaperAccount.objects.update(value=None, cost=None, bound=None)
    assert many.broker.account() == before
    many.log(symbol="S1")
    many.decide()
    account = PaperAccount.objects.get(name="paper")
    assert totals(account) == total_of(open_brackets(account))


def test_orders_of_the_last_minute_are_counted_up_to_the_limit(trading: Trading) -> None:
    paced = wide(trading, symbols(5)).changed(limits=replace(WIDE, orders_a_minute=3))
    signals = [paced.log(symbol=name) for name in symbols(5)]
    assert paced.decide().executed == 3
    paced.wait(seconds=59)
    late = paced.log(symbol="S4")
    paced.decide()
    assert codes_of(late) == codes_of(signals[4]) == ["pace"]
    paced.wait(seconds=2)
    paced.log(symbol="S4")
    assert paced.decide().executed == 1


def test_a_limit_of_none_counts_no_orders(trading: Trading) -> None:
    free = trading.changed(limits=Limits(orders_a_minute=None))
    free.trade()
    with transaction.atomic():
        held = portfolio(free.context, free.broker.account(), free.clock())
    assert held.orders == []
