"""Real workers: two at once on either database, and one that is asked to stop."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.argo.up.processes import PATIENCE, wait_until
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.samples import signals
from tests.sync.alpine_server import Alpine, Behave, Handler, accept, answer, reset, silent

pytestmark = pytest.mark.slow
WORKER = ("-m", "celery", "-A", "argo", "--quiet", "worker", "-Q", "sync", "-P", "threads", "-c1")


def settings_of(alpine: Alpine) -> dict[str, str]:
    return {"ALPINE_ENDPOINT": alpine.endpoint, "ALPINE_API_KEY": "key"}


@pytest.fixture
def on_sqlite(installation: Installation, alpine: Alpine) -> Installation:
    return Installation(installation.folder, settings_of(alpine))


@pytest.fixture
def on_postgresql(tmp_path: Path, alpine: Alpine) -> Iterator[Installation]:
    with empty_postgresql() as url:
        argo = Installation(tmp_path / "argo", settings_of(alpine) | {"DATABASE_URL": url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield argo


def log(argo: Installation, count: int) -> None:
    lines = "".join(f"{json.dumps(each)}\n" for each in signals(count))
    argo.manage("log_signal", stdin=lines).check_returncode()


def standing(argo: Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(argo.manage("sync_signals", "--status", "--json").stdout)
    return found


@pytest.mark.parametrize(
    "name",
    ["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.services("postgresql"))],
)
def test_two_at_once_send_twice_only_where_an_answer_was_lost(
    name: str, request: pytest.FixtureRequest, alpine: Alpine
) -> None:
    argo: Installation = request.getfixturevalue(name)
    log(argo, 600)
    lost: set[str] = set()

    def choose(signal_id: str, times: int) -> Behave:
        alpine.taken[signal_id] += times == 1
        if times == 1 and len(alpine.taken) % 7 == 0:
            lost.add(signal_id)
            return reset
        return accept if times == 1 else answer(409)

    alpine.choose = choose
    workers = [
        argo.start("manage.py", "sync_signals", "--json", stdout=subprocess.PIPE) for _ in range(2)
    ]
    tallies = [json.loads(worker.communicate(timeout=PATIENCE * 3)[0]) for worker in workers]

    assert sum(tally["delivered"] for tally in tallies) == 600
    assert all(tally["delivered"] > 0 for tally in tallies)
    found = standing(argo)
    assert (found["delivered"], found["pending"], found["dead"]) == (600, 0, 0)
    assert len(lost) > 50
    assert alpine.times == {each: 2 if each in lost else 1 for each in alpine.taken}


def test_asked_to_stop_a_worker_finishes_what_is_under_way_and_releases_the_rest(
    on_sqlite: Installation, alpine: Alpine
) -> None:
    def slowly(handler: Handler) -> None:
        time.sleep(1.0)
        accept(handler)

    alpine.always(slowly)
    worker = on_sqlite.start(*WORKER)
    try:
        log(on_sqlite, 200)  # which sends a hint before it ends
        wait_until(lambda: alpine.at_once == 8)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
    sent = sum(alpine.times.values())
    rows = on_sqlite.query("SELECT status, attempts, count(*) FROM deliveries GROUP BY 1, 2")
    assert sorted(rows) == [("delivered", 1, sent), ("pending", 0, 200 - sent)]
    assert 8 <= sent <= 16

    alpine.always(accept)
    on_sqlite.manage("sync_signals").check_returncode()
    assert set(alpine.times.values()) == {1}
    assert len(alpine.times) == 200


def hints(argo: Installation) -> int:
    """How many messages wait in the broker's folder for a worker of sync."""
    return len(list((argo.folder / "broker").glob("*_*.sync.msg")))


def test_hints_do_not_pile_up_while_a_worker_is_at_it(
    on_sqlite: Installation, alpine: Alpine
) -> None:
    alpine.always(silent)
    log(on_sqlite, 1)
    assert hints(on_sqlite) == 1
    worker = on_sqlite.start("manage.py", "sync_signals")
    try:
        wait_until(lambda: alpine.at_once == 1)
        for _ in range(3):
            log(on_sqlite, 1)
        assert hints(on_sqlite) == 1
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_asked_to_stop_forgets_no_answer(
    on_sqlite: Installation, alpine: Alpine, number: int
) -> None:
    def slowly(handler: Handler) -> None:
        time.sleep(1.0)
        accept(handler)

    alpine.always(slowly)
    log(on_sqlite, 100)
    command = on_sqlite.start("manage.py", "sync_signals", stdout=subprocess.PIPE)
    wait_until(lambda: alpine.at_once == 8)
    command.send_signal(number)
    said = command.communicate(timeout=PATIENCE)[0]
    assert command.returncode == 0
    sent = sum(alpine.times.values())
    assert said.startswith(f"{sent} delivered")
    rows = on_sqlite.query("SELECT status, count(*) FROM deliveries GROUP BY 1")
    assert dict(rows) == {"delivered": sent, "pending": 100 - sent}


def _wait_for_signals(alpine: Alpine, count: int) -> None:
    wait_until(lambda: len(alpine.times) > count)


@pytest.mark.services("postgresql")
def test_a_database_that_drops_its_connections_costs_no_second_copy(
    on_postgresql: Installation, alpine: Alpine
) -> None:
    log(on_postgresql, 600)
    url = on_postgresql.settings["DATABASE_URL"]
    command = on_postgresql.start("manage.py", "sync_signals", stdout=subprocess.PIPE)
    with psycopg.connect(url, autocommit=True) as other:
        for seen in (50, 250, 450):
            _wait_for_signals(alpine, seen)
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    assert command.communicate(timeout=PATIENCE)[0].startswith("600 delivered")
    assert set(alpine.times.values()) == {1}
