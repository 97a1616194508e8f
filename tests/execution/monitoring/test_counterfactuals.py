"""A signal that was not traded is compared with the bars after it, and with no others."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.models import Counterfactual
from execution.monitoring import counterfactuals
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import MORNING, SYMBOL, Row, Trading

pytestmark = pytest.mark.django_db(databases=DATABASES)


def skipped(trading: Trading, **changes: Any) -> Signal:  # noqa: ANN401
    signal = trading.log(confidence=50.0, **changes)
    trading.decide()
    return signal


def counterfactual_of(signal: Signal) -> Counterfactual:
    return Counterfactual.objects.get(pk=signal.pk)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("action", "bar", "outcome", "percent"),
    [
        ("BUY", (101, 111, 96, 105), "win", 10.0),
        ("BUY", (101, 111, 94, 105), "loss", -5.0),  # the bar reaches both: the worse one counts
        ("BUY", (92, 99, 91, 95), "loss", -8.0),
        ("BUY", (112, 113, 90, 95), "win", 12.0),
        ("SELL", (99, 104, 89, 95), "win", 10.0),
        ("SELL", (99, 106, 89, 95), "loss", -5.0),
    ],
)
def test_a_bar_ends_a_counterfactual_like_a_trade(
    trading: Trading,
    action: str,
    bar: tuple[float, float, float, float],
    outcome: str,
    percent: float,
) -> None:
    signal = skipped(trading, action=action)
    trading.day(*bar)
    trading.look()
    found = counterfactual_of(signal)
    assert (found.outcome, found.ended_at) == (outcome, trading.clock())
    assert found.profit_loss_pct == pytest.approx(percent)
    assert Signal.objects.get(pk=signal.pk).outcome is None  # nothing was traded


def test_a_counterfactual_stays_open_until_a_level_is_reached(trading: Trading) -> None:
    signal = skipped(trading)
    trading.day(100, 109, 96, 100)
    trading.look()
    assert counterfactual_of(signal).outcome is None
    trading.day(100, 110, 99, 100)
    trading.look()
    assert counterfactual_of(signal).outcome == "win"


def test_prices_before_the_signal_are_ignored(trading: Trading) -> None:
    """This includes the earlier part of the bar within which the signal was made."""
    trading.day(100, 120, 80, 100)
    trading.clock.pass_by(hours=-12)
    signal = skipped(trading)
    trading.clock.pass_by(hours=12)
    trading.look()
    assert counterfactual_of(signal).outcome is None


def test_bars_of_the_future_are_ignored(trading: Trading) -> None:
    """The market already has tomorrow's bar."""
    signal = skipped(trading)
    trading.day(100, 111, 99, 100)
    trading.clock.pass_by(seconds=-1)
    trading.look()
    assert counterfactual_of(signal).outcome is None


def test_a_counterfactual_expires_after_thirty_days_at_the_last_close(trading: Trading) -> None:
    signal = skipped(trading)
    for day in range(30):
        trading.day(100, 105, 99, 100 + day / 10)
    trading.day(100, 120, 80, 100)
    trading.look()
    found = counterfactual_of(signal)
    assert (found.outcome, found.exit_reason) == ("expired", "expired")
    assert found.exit_price == 102.9
    assert found.ended_at == MORNING + timedelta(days=30)


def test_a_feed_that_fails_is_asked_again_later(trading: Trading) -> None:
    trading.market.quotes["MSFT"] = trading.market.quotes[SYMBOL]
    lost, found = skipped(trading, symbol="MSFT"), skipped(trading)
    del trading.market.quotes["MSFT"]
    trading.day(100, 111, 99, 100)
    assert trading.look().followed == 1
    assert counterfactual_of(found).outcome == "win"
    assert counterfactual_of(lost).due_at == trading.clock() + counterfactuals.RECHECK_INTERVAL


def plain_loop(signal: Signal, rows: list[Row]) -> tuple[str, float] | None:
    """Return the outcome and exit price by a plain loop that uses no code of Argo."""
    buy = signal.action == "BUY"
    stop, target, entry = signal.stop_price, signal.target_price, signal.entry_price
    for _, opened, high, low, _, _ in rows:
        for price, hit in (
            (
                opened,
                opened <= stop or opened >= target if buy else opened >= stop or opened <= target,
            ),
            (stop, low <= stop if buy else high >= stop),
            (target, high >= target if buy else low <= target),
        ):
            if hit:
                gain = price - entry if buy else entry - price
                return ("win" if gain > 0 else "loss", price)
    return None


BARS = st.lists(st.lists(st.integers(90, 115), min_size=4, max_size=4), min_size=1, max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bars=BARS, action=st.sampled_from(["BUY", "SELL"]))
def test_a_counterfactual_ends_as_a_plain_loop_says(
    trading: Trading, bars: list[list[int]], action: str
) -> None:
    trading.market.rows.clear()
    signal = skipped(trading, action=action)
    for prices in bars:
        low, first, last, high = sorted(prices)
        trading.day(first, high, low, last)
    trading.look()
    found, expected = counterfactual_of(signal), plain_loop(signal, trading.market.rows[SYMBOL])
    assert found.outcome == (expected and expected[0])
    assert found.exit_price == (expected and expected[1])


def test_the_bars_of_a_symbol_are_asked_for_once(trading: Trading) -> None:
    signals = [skipped(trading, strategy=f"s{number}") for number in range(3)]
    asked: list[str] = []
    bars = trading.market.bars
    trading.market.bars = lambda symbol, *times: asked.append(symbol) or bars(symbol, *times)  # type: ignore[method-assign,func-returns-value]
    trading.day(101, 111, 96, 105)
    assert counterfactuals.follow(trading.context) == 3
    assert asked == [SYMBOL]
    assert {counterfactual_of(signal).outcome for signal in signals} == {"win"}


def test_a_symbol_without_bars_is_logged_once_and_tried_later(
    trading: Trading, caplog: pytest.LogCaptureFixture
) -> None:
    signals = [skipped(trading, symbol="NONE", strategy=f"s{number}") for number in range(3)]
    trading.clock.pass_by(days=40)
    caplog.clear()
    assert counterfactuals.follow(trading.context) == 0
    assert len([each for each in caplog.records if "cannot be followed" in each.message]) == 1
    assert {counterfactual_of(signal).outcome for signal in signals} == {None}
    dues = [counterfactual_of(signal).due_at for signal in signals]
    assert all(due is not None and due > trading.clock() for due in dues)


@pytest.mark.usefixtures("database")
def test_fault_95_a_signal_without_bars_is_asked_for_ever_less_and_then_no_more(
    trading: Trading,
) -> None:
    signal, looks = skipped(trading, symbol="NONE"), 0
    while (due := counterfactual_of(signal).due_at) is not None:
        trading.clock.now, looks = due, looks + 1
        counterfactuals.follow(trading.context)
    found = counterfactual_of(signal)
    assert (found.outcome, found.exit_reason) == (None, "no_prices")
    assert found.ended_at is not None
    assert timedelta(days=60) <= found.ended_at - MORNING < timedelta(days=61)
    assert 60 < looks < 150  # once an hour it would be 1,440
    trading.clock.pass_by(days=1)
    assert counterfactuals.follow(trading.context) == 0


def test_a_signal_whose_bars_come_late_still_ends(trading: Trading) -> None:
    signal = skipped(trading)
    trading.clock.pass_by(days=45)
    trading.look()
    assert counterfactual_of(signal).outcome is None
    row = (MORNING + timedelta(days=2), 100.0, 111.0, 99.0, 105.0, 1e6)
    trading.market.rows[SYMBOL] = [row]
    trading.clock.pass_by(days=1)
    trading.look()
    assert counterfactual_of(signal).outcome == "win"


@pytest.mark.django_db(databases=DATABASES, transaction=True)
@pytest.mark.usefixtures("database")
def test_many_are_written_in_one_transaction(trading: Trading) -> None:
    for number in range(5):
        skipped(trading, strategy=f"s{number}", symbol="NONE" if number % 2 else SYMBOL)
    trading.day(101, 111, 96, 105)
    with CaptureQueriesContext(connection) as asked:
        assert counterfactuals.follow(trading.context) == 3
    begun = [each["sql"] for each in asked if each["sql"].startswith("BEGIN")]
    written = [each["sql"] for each in asked if each["sql"].startswith("UPDATE")]
    assert (len(begun), len(written)) == (1, 5)
    with CaptureQueriesContext(connection) as asked:
        assert counterfactuals.follow(trading.context) == 0
    assert not [each for each in asked if each["sql"].startswith("BEGIN")]


def test_one_that_another_process_has_ended_stays_as_it_ended(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = skipped(trading)
    trading.day(101, 111, 96, 105)
    changes = counterfactuals._changes

    def late(each: Counterfactual, *arguments: Any) -> Any:  # noqa: ANN401
        Counterfactual.objects.filter(pk=each.pk).update(outcome="loss", exit_price=1.0)
        return changes(each, *arguments)

    monkeypatch.setattr(counterfactuals, "_changes", late)
    assert counterfactuals.follow(trading.context) == 0
    found = counterfactual_of(signal)
    assert (found.outcome, found.exit_price) == ("loss", 1.0)
