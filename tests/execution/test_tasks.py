"""A task of execution that fails is reported until it succeeds again."""

from collections.abc import Callable, Iterator

import pytest

from execution import tasks
from execution.brokers.protocol import BrokerError
from execution.context import TradingContext
from execution.models import Failure, TradingAccount
from execution.status import status
from signals.clock import utc_now
from signals.market.instruments import Instrument
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, decision_of, quoted, states_of

pytestmark = pytest.mark.django_db(databases=DATABASES)
WRONG_KEYS = BrokerError("401: the keys are wrong", permanent=True)
EVERY = (tasks.execute, tasks.monitor, tasks.reconcile)


@pytest.fixture(autouse=True)
def fresh(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process with the test's context that has not compared records yet."""
    tasks._ready_context.cache_clear()
    monkeypatch.setattr(tasks, "trading_context", lambda: trading.context)
    yield
    tasks._ready_context.cache_clear()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("task", EVERY)
def test_a_broker_that_fails_at_the_start_is_told(
    trading: Trading, task: Callable[[], int]
) -> None:
    """An account that was never reached is reported too."""
    trading.broker.before["account"] = WRONG_KEYS
    with pytest.raises(BrokerError):
        task()
    assert not TradingAccount.objects.exists()
    found = status(utc_now())
    assert "The broker failed: 401: the keys are wrong" in found["problems"]
    assert "401: the keys are wrong" in found["broker_error"]
    assert found["broker_error_at"] is not None
    assert "The broker failed: 401: the keys are wrong" in status(utc_now())["problems"]


@pytest.mark.usefixtures("database")
def test_it_is_forgotten_once_the_task_succeeds(trading: Trading) -> None:
    trading.broker.before["account"] = WRONG_KEYS
    for task in EVERY:
        with pytest.raises(BrokerError):
            task()
    del trading.broker.before["account"]
    tasks.execute()
    tasks.monitor()
    assert [failure.task for failure in Failure.objects.all()] == ["reconcile"]
    tasks.reconcile()
    assert status(utc_now())["problems"] == []


def test_a_desk_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def misconfigured() -> TradingContext:
        raise ValueError("'moon' is no exchange calendar")

    monkeypatch.setattr(tasks, "trading_context", misconfigured)
    with pytest.raises(ValueError, match="moon"):
        tasks.monitor()
    (problem,) = status(utc_now())["problems"]
    assert problem == (
        "Execution's task monitor failed: ValueError: 'moon' is no exchange calendar"
    )


@pytest.mark.usefixtures("database")
def test_a_decision_that_fails_makes_the_task_fail_until_it_is_made(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_instrument(name: str, asset_type: str | None = None) -> Instrument:
        if name == "AAPL":
            raise LookupError("a bug")
        return trading.context.instrument(name, asset_type)

    bad, good = trading.log(), quoted(trading, MSFT=100.0).log(symbol="MSFT")
    failing = trading.changed(instrument=no_instrument)
    monkeypatch.setattr(tasks, "trading_context", lambda: failing.context)
    with pytest.raises(LookupError):
        tasks.execute()
    assert (decision_of(bad).status, decision_of(good).status) == ("pending", "executed")
    (problem,) = status(utc_now())["problems"]
    assert "task execute failed: LookupError: a bug" in problem
    tasks._ready_context.cache_clear()
    monkeypatch.setattr(tasks, "trading_context", lambda: trading.context)
    trading.wait(seconds=6)
    assert tasks.execute() == 1
    assert status(utc_now())["problems"] == []


def test_each_problem_is_told_once(trading: Trading) -> None:
    trading.broker.before["account"] = WRONG_KEYS
    for task in EVERY:
        with pytest.raises(BrokerError):
            task()
    assert len(status(utc_now())["problems"]) == 1


def test_a_process_compares_books_before_it_trades(trading: Trading) -> None:
    signal = trading.log()
    trading.broker.before["positions"] = BrokerError("down", permanent=False)
    with pytest.raises(BrokerError):
        tasks.execute()
    assert states_of(signal) == {}
    del trading.broker.before["positions"]
    assert tasks.execute() == 1
    assert trading.broker.calls.count("positions") == 2
    tasks.execute()
    assert trading.broker.calls.count("positions") == 2
