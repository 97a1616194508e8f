"""Real workers: two at the same time on each database, and one that is asked to stop."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.argo.up.processes import PATIENCE, wait_until
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.sync.alpine_server import Alpine, Behave, accept, answer, reset, silent, slow
from tests.sync.installations import log, settings_of

pytestmark = pytest.mark.slow
WORKER = ("-m", "celery", "-A", "argo", "--quiet", "worker", "-Q", "sync", "-P", "threads", "-c1")


@pytest.fixture
def on_sqlite(installation: Installation, alpine: Alpine) -> Installation:
    return Installation(installation.folder, settings_of(alpine))


@pytest.fixture
def on_postgresql(tmp_path: Path, alpine: Alpine) -> Iterator[Installation]:
    with empty_postgresql() as url:
        argo = Installation(tmp_path / "argo", settings_of(alpine) | {"DATABASE_URL": url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield argo


def status_of(argo: Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(argo.manage("sync_signals", "--status", "--json").stdout)
    return found


@pytest.mark.parametrize(
    "name",
    ["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.services("postgresql"))],
)
def test_two_workers_send_twice_only_if_an_answer_was_lost(
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
    counts = [json.loads(worker.communicate(timeout=PATIENCE * 3)[0]) for worker in workers]

    assert sum(each["delivered"] for each in counts) == 600
    assert all(each["delivered"] > 0 for each in counts)
    found = status_of(argo)
    assert (found["delivered"], found["pending"], found["dead"]) == (600, 0, 0)
    assert len(lost) > 50
    assert alpine.times == {each: 2 if each in lost else 1 for each in alpine.taken}


def test_a_stopped_worker_finishes_requests_under_way_and_releases_the_rest(
    on_sqlite: Installation, alpine: Alpine
) -> None:
    alpine.always(slow(1.0))
    worker = on_sqlite.start(*WORKER)
    try:
        log(on_sqlite, 200)  # it sends a wake-up before it ends
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


def wake_ups(argo: Installation) -> int:
    """Return how many messages for the sync worker are in the broker's folder."""
    return len(list((argo.folder / "broker").glob("*_*.sync.msg")))


def test_wake_ups_do_not_pile_up_while_a_worker_delivers(
    on_sqlite: Installation, alpine: Alpine
) -> None:
    alpine.always(silent)
    log(on_sqlite, 1)
    assert wake_ups(on_sqlite) == 1
    worker = on_sqlite.start("manage.py", "sync_signals")
    try:
        wait_until(lambda: alpine.at_once == 1)
        for _ in range(3):
            log(on_sqlite, 1)
        assert wake_ups(on_sqlite) == 1
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_forgets_no_answer(
    on_sqlite: Installation, alpine: Alpine, number: int
) -> None:
    alpine.always(slow(1.0))
    log(on_sqlite, 100)
    command = on_sqlite.start("manage.py", "sync_signals", stdout=subprocess.PIPE)
    wait_until(lambda: alpine.at_once == 8)
    command.send_signal(number)
    output = command.communicate(timeout=PATIENCE)[0]
    assert command.returncode == 0
    sent = sum(alpine.times.values())
    assert output.startswith(f"{sent} delivered")
    rows = on_sqlite.query("SELECT status, count(*) FROM deliveries GROUP BY 1")
    assert dict(rows) == {"delivered": sent, "pending": 100 - sent}


def _wait_for_signals(alpine: Alpine, count: int) -> None:
    wait_until(lambda: len(alpine.times) > count)


@pytest.mark.services("postgresql")
def test_lost_database_connections_cause_no_second_request(
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
