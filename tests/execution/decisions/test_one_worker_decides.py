"""One worker at a time decides on an account; another leaves its signals to it, and loses none."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from execution.decisions import engine
from signals import dialect
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import WIDE, Trading, decision_of, quoted
from tests.services import POSTGRESQL

pytestmark = pytest.mark.django_db(databases=DATABASES)
NAME = "decisions of paper"


@contextmanager
def another_worker(name: str = NAME) -> Iterator[None]:
    """Be another process that decides; on SQLite nobody notices."""
    if connection.vendor == "sqlite":
        yield
        return
    database = connection.settings_dict["NAME"]
    address = f"postgresql://postgres@{POSTGRESQL.host}:{POSTGRESQL.port}/{database}"
    with psycopg.connect(address, autocommit=True) as own:
        statement = f"SELECT pg_try_advisory_lock({dialect.ONLY_ONE}, hashtext(%s))"
        assert own.execute(statement, [name]).fetchone() == (True,)
        yield


@pytest.mark.usefixtures("database")
def test_a_worker_that_finds_another_one_leaves_its_signals_to_it(trading: Trading) -> None:
    signal = trading.log()
    is_alone = connection.vendor == "sqlite"
    with another_worker():
        assert trading.decide().executed == int(is_alone)
    assert decision_of(signal).status == ("executed" if is_alone else "pending")
    assert trading.decide().executed == int(not is_alone)


@pytest.mark.usefixtures("database")
def test_a_worker_of_another_account_is_no_reason_to_wait(trading: Trading) -> None:
    trading.log()
    with another_worker("decisions of alpaca-live"):
        assert trading.decide().executed == 1


@pytest.mark.usefixtures("database")
def test_a_signal_that_nobody_decides_on_is_not_left_alone(trading: Trading) -> None:
    trading.log()
    trading.wait(seconds=31)
    with another_worker():
        assert trading.decide().executed == 1


@pytest.mark.usefixtures("database")
def test_a_person_who_asks_for_a_signal_does_not_wait(trading: Trading) -> None:
    signal = trading.log()
    with another_worker():
        assert engine.execute_due(trading.context, signal.pk).executed == 1


@pytest.mark.usefixtures("database")
def test_what_another_worker_leaves_at_the_last_moment_is_decided(
    trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came after the last claim, and before the lock was free."""
    wide = quoted(trading.changed(limits=WIDE), MSFT=100.0)
    late: list[Signal] = []

    @contextmanager
    def slow(name: str) -> Iterator[bool]:
        with dialect.only_one(name) as is_ours:
            yield is_ours
            if not late:
                late.append(wide.log(symbol="MSFT"))

    monkeypatch.setattr(engine, "only_one", slow)
    wide.log()
    assert wide.decide().executed == 2
    assert decision_of(late[0]).status == "executed"


@pytest.mark.usefixtures("database")
def test_the_lock_is_free_after_an_error(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    trading.log()
    with monkeypatch.context() as broken:
        broken.setattr(engine, "_skip_backlog", lambda context: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trading.decide()
    with another_worker():
        pass
