"""Fills make positions, and a position that closes gives its signal an outcome once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.brokers.protocol import FillReport
from execution.models import Fill, Halt, Order
from execution.monitoring.monitor import ask_to_close
from execution.positions.excursions import excursions
from execution.positions.fills import record
from execution.positions.positions import measure_excursions
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import ExitReason, Side
from signals.journal import Journal
from signals.ledger.outcomes import record_outcome
from signals.models import OutcomeChange, Signal
from tests.databases import DATABASES
from tests.execution.corporate.market_changes import calm_day, rebase
from tests.execution.trading_fixtures import (
    MORNING,
    Trading,
    as_stored,
    fill_of,
    orders_of,
    position_of,
)
from tests.signals.market.builders import bars_of

pytestmark = pytest.mark.django_db(databases=DATABASES)


def ended(trading: Trading, signal: Signal, price: object, leg: str, fee: str = "0") -> None:
    """Report an entry at 100 and an exit of this leg at `price` together."""
    orders = orders_of(signal)
    entry = fill_of(orders["entry"], 100, 100, 1, fee=Decimal(fee))
    record(trading.context, [entry, fill_of(orders[leg], 100, price, 61, fee=Decimal(fee))])


def ordered(trading: Trading, action: str = "BUY") -> Signal:
    signal = trading.log(action=action)
    trading.decide()
    return signal


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("action", "price", "outcome", "percent"),
    [
        ("BUY", "110", "win", 10.0),
        ("BUY", "94.5", "loss", -5.5),
        ("BUY", "100", "breakeven", 0.0),
        ("SELL", "90", "win", 10.0),
        ("SELL", "105.5", "loss", -5.5),
        ("SELL", "100", "breakeven", 0.0),
    ],
)
def test_the_outcome_follows_the_formula_of_the_first_version(
    trading: Trading, action: str, price: str, outcome: str, percent: float
) -> None:
    signal = ordered(trading, action)
    ended(trading, signal, price, "target")
    found = as_stored(signal)
    assert (found.outcome, found.exit_price) == (outcome, float(price))
    assert found.profit_loss_pct == pytest.approx(percent, abs=1e-12)
    profit = position_of(signal).profit
    assert profit is not None
    assert float(profit) == pytest.approx(percent * 100)


def test_the_percent_uses_the_signals_entry_and_the_profit_the_fills(trading: Trading) -> None:
    signal = ordered(trading)
    orders = orders_of(signal)
    fills = [fill_of(orders["entry"], 100, 101, 1), fill_of(orders["target"], 100, 110, 2)]
    record(trading.context, fills)
    assert as_stored(signal).profit_loss_pct == pytest.approx(10.0)
    assert position_of(signal).profit == 900


@pytest.mark.parametrize(
    "prices", [("99.97", "100.01", "100.02"), ("100.000001", "100", "99.999999")]
)
def test_parts_that_are_the_entry_on_average_are_breakeven(
    trading: Trading, prices: tuple[str, ...]
) -> None:
    signal = trading.log()
    trading.decide()
    orders, third = orders_of(signal), Decimal(100) / 3
    record(trading.context, [fill_of(orders["entry"], 100, 100)])
    parts = (third, third, 100 - 2 * third)
    for number, (part, price) in enumerate(zip(parts, prices, strict=True)):
        record(trading.context, [fill_of(orders["stop"], part, price, number)])
    assert position_of(signal).status == "closed"
    assert as_stored(signal).outcome == "breakeven"


@pytest.mark.parametrize(("new", "old"), [(7, 3), (3, 1), (1, 30), (3, 2)])
def test_a_close_at_the_entry_is_breakeven_on_every_scale(
    trading: Trading, new: int, old: int
) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 100.0)
    rebase(trading, old / new)
    calm_day(trading, 100.0 * old / new)
    ask_to_close(position_of(signal), ExitReason.FLAT)
    for _ in range(2):
        trading.move(100.0 * old / new)
    assert position_of(signal).exit_reason == "flat"
    assert as_stored(signal).outcome == "breakeven"


def test_the_outcome_records_who_and_why(trading: Trading) -> None:
    signal = ordered(trading)
    ended(trading, signal, "95", "stop")
    change = OutcomeChange.objects.get(signal=signal, who="monitor")
    assert change.why == "position closed: stop"
    assert change.before["outcome"] is None
    assert (change.after["outcome"], change.after["exit_price"]) == ("loss", 95.0)
    lines = b"".join(line.data for chunk in trading.journal.chunks() for line in chunk.lines)
    assert b"position closed: stop" in lines


def test_fees_are_taken_off_the_profit_and_not_off_the_percent(trading: Trading) -> None:
    signal = ordered(trading)
    ended(trading, signal, "110", "target", fee="1.25")
    position = position_of(signal)
    assert (position.fees, position.profit) == (Decimal("2.5"), Decimal("997.5"))
    assert as_stored(signal).profit_loss_pct == pytest.approx(10.0)


def test_a_closed_position_keeps_how_long_it_was_open_and_what_ended_it(trading: Trading) -> None:
    signal = ordered(trading)
    ended(trading, signal, "110", "target")
    position = position_of(signal)
    assert position.duration == timedelta(minutes=1)
    assert [position.exit_reason, position.exit_price] == ["target", 110]
    assert position.closed_at == MORNING + timedelta(seconds=61)


def test_a_position_that_ends_in_parts_is_closed_by_the_last_of_them(trading: Trading) -> None:
    signal = ordered(trading)
    orders = orders_of(signal)
    record(trading.context, [fill_of(orders["entry"], 100, 100, 1),
                             fill_of(orders["target"], 60, 110, 61)])  # fmt: skip
    record(trading.context, [fill_of(orders["target"], 40, 110, 121)])
    assert position_of(signal).closed_at == MORNING + timedelta(seconds=121)


@pytest.mark.usefixtures("database")
def test_an_outcome_that_a_person_recorded_stays(trading: Trading) -> None:
    signal = ordered(trading)
    record_outcome(
        signal.signal_id, outcome="loss", exit_price=97.0, who="ann", why="sold by telephone",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    ended(trading, signal, "110", "target")
    assert (as_stored(signal).outcome, as_stored(signal).exit_price) == ("loss", 97.0)
    assert position_of(signal).status == "closed"
    assert OutcomeChange.objects.filter(signal=signal, who="monitor").count() == 0


def test_outcome_and_position_are_one_transaction(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = ordered(trading)
    orders = orders_of(signal)
    record(trading.context, [fill_of(orders["entry"], 100, 100)])
    monkeypatch.setattr("execution.positions.positions.record_outcome", _fails)
    with pytest.raises(RuntimeError):
        record(trading.context, [fill_of(orders["target"], 100, 110)])
    assert position_of(signal).status == "open"
    assert Fill.objects.filter(order__leg="target").count() == 0


def _fails(*args: object, **kwargs: object) -> None:
    raise RuntimeError


def summary(signal: Signal) -> list[object]:
    """Return the figures that are equal for equal trades."""
    row, found = position_of(signal), as_stored(signal)
    orders = Order.objects.filter(signal=signal).order_by("pk")
    return [
        row.status, row.quantity, row.entry_price, row.exit_price, row.profit, row.duration,
        found.outcome, found.profit_loss_pct, *orders.values_list("leg", "filled", "average_price"),
    ]  # fmt: skip


@pytest.fixture
def rich(journal: Journal, trading: Trading) -> Trading:
    """Return an account that may trade 100 shares any number of times."""
    limits = Limits(
        max_positions=None, max_per_symbol=999, orders_a_minute=None, losses_in_a_row=999
    )
    made = Trading.begun(
        journal, deposit=Decimal(10**9), limits=limits, sizing=Sizing(percent=Decimal("0.00005"))
    )
    return replace(made, clock=trading.clock).changed(clock=trading.clock)


def test_the_order_in_which_fills_are_reported_changes_nothing(rich: Trading) -> None:
    """Report the entry's fills in every order, then the exits' fills in the same order."""
    found = []
    for order in permutations(range(4)):
        signal = ordered(rich)
        orders = orders_of(signal)
        parts = [(orders["entry"], 10 + 10 * each, 100 + each, each) for each in order]
        parts += [(orders["target"], 10 + 10 * each, 110, 9 + each) for each in order]
        for part in parts:
            record(rich.context, [fill_of(*part)])
        found.append(summary(signal))
    assert len(found) == 24
    assert all(each == found[0] for each in found)
    assert found[0][0] == "closed"


def test_excursions_are_as_calculated_by_hand() -> None:
    """In the bar in which the position closed only the exit counts."""
    bars = bars_of([100.0, 103.0, 98.0, 150.0])
    times = [bars.time_at(index) for index in range(4)]
    found = excursions(Side.BUY, Decimal(100), Decimal(104), times[0], times[3], bars)
    assert found.adverse == pytest.approx(100 - 98 * 0.99)
    assert found.favorable == pytest.approx(max(103 * 1.01, 104) - 100)
    short = excursions(Side.SELL, Decimal(100), Decimal(104), times[0], times[3], bars)
    assert short == (found.favorable, found.adverse)


def test_excursions_are_stored_after_a_position_has_closed(trading: Trading) -> None:
    signal = trading.trade()
    trading.day(100, 104, 97, 101)
    trading.look()
    assert position_of(signal).mae is None
    trading.day(103, 111, 102, 110)
    trading.look()
    position = position_of(signal)
    assert position.exit_reason == "target"
    assert position.mae == pytest.approx(3.0)
    assert position.mfe == pytest.approx(10.0)


@pytest.mark.usefixtures("database")
def test_a_position_that_cannot_be_measured_does_not_block_others(
    rich: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feed no longer has the symbol of the positions that closed last."""
    monkeypatch.setattr("execution.positions.positions.BATCH_SIZE", 2)
    first = ordered(rich)
    ended(rich, first, "110", "target")
    rich.market.quotes["GONE"] = rich.market.quotes["AAPL"]
    for _ in range(4):
        gone = rich.log(symbol="GONE")
        rich.decide()
        ended(rich, gone, "110", "target")
    del rich.market.quotes["GONE"]
    assert [measure_excursions(rich.context) for _ in range(4)] == [0, 0, 1, 0]
    assert position_of(first).mae is not None
    rich.market.quotes["GONE"] = rich.market.quotes["AAPL"]
    rich.clock.pass_by(hours=1)
    assert [measure_excursions(rich.context) for _ in range(3)] == [2, 2, 0]


Parts = list[tuple[int, int]]
PARTS = st.lists(st.tuples(st.integers(1, 20), st.integers(9000, 11000)), min_size=1, max_size=5)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=PARTS, exits=PARTS, chance=st.randoms(use_true_random=False))
def test_any_fills_in_any_order_give_the_right_sums(
    rich: Trading, entries: Parts, exits: Parts, chance: Random
) -> None:
    """Each fill is reported twice; it counts once, as far as it can count."""
    Halt.objects.all().delete()
    signal = ordered(rich)
    orders = orders_of(signal)
    reports = _reports(orders["entry"], entries, 0) + _reports(orders["target"], exits, 100)
    for _ in range(2):
        chance.shuffle(reports)
        for each in reports:
            record(rich.context, [each])
    _check(signal, entries, exits)


def _reports(order: Order, parts: Parts, first: int) -> list[FillReport]:
    return [
        fill_of(order, quantity, Decimal(cents) / 100, first + number)._replace(
            time=order.created_at + timedelta(seconds=first + number)
        )
        for number, (quantity, cents) in enumerate(parts)
    ]


def _check(signal: Signal, entries: Parts, exits: Parts) -> None:
    position = position_of(signal)
    counted = Fill.objects.filter(order__signal=signal, refused="")
    assert position.quantity == sum(quantity for quantity, _ in entries) <= 100
    assert position.closed_quantity <= position.quantity
    sold = sum(fill.quantity for fill in counted.exclude(order__leg="entry"))
    assert position.closed_quantity == sold
    if sum(quantity for quantity, _ in exits) <= position.quantity:
        assert sold == sum(quantity for quantity, _ in exits)


def test_fault_43_expired_does_not_overwrite_a_win(trading: Trading) -> None:
    signal = trading.trade()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=108.0, who="ann", why="sold by hand",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    trading.clock.pass_by(days=31)
    trading.look()
    trading.move(90.0)
    assert position_of(signal).exit_reason == "expired"
    assert (as_stored(signal).outcome, as_stored(signal).exit_price) == ("win", 108.0)
