"""Whatever carries the hint, a signal that was accepted is a row moments later, without beat."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.samples import a_signal

ACCEPT = """
import json, sys, django
django.setup()
from signals.tracker import SignalTracker
tracker = SignalTracker("test")
for line in sys.stdin:
    print(tracker.accept([json.loads(line)])[0].signal_id, flush=True)
"""
WORKER = ("-m", "celery", "-A", "argo", "worker", "-Q", "flush", "-P", "threads", "-c", "1")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "broker",
    [
        "filesystem://localhost/",
        pytest.param("redis://127.0.0.1:6379/9", marks=pytest.mark.services("redis")),
        pytest.param("amqp://guest:guest@127.0.0.1:5672//", marks=pytest.mark.services("rabbitmq")),
    ],
)
def test_a_worker_stores_what_was_accepted(installation: Installation, broker: str) -> None:
    argo = Installation(installation.folder, {"CELERY_BROKER_URL": broker})
    with _worker(argo):
        intake = argo.start("-c", ACCEPT, stdin=-1, stdout=-1)
        assert intake.stdin is not None
        assert intake.stdout is not None
        for _ in range(3):
            intake.stdin.write(json.dumps(a_signal()) + "\n")
            intake.stdin.flush()
            _wait_for_row(argo, intake.stdout.readline().strip())
        intake.communicate(timeout=30)


@contextmanager
def _worker(argo: Installation) -> Iterator[None]:
    """A worker that is ready: a shared broker keeps no hint for one that is not."""
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO")
    worker = argo.start(*WORKER, *quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert worker.stdout is not None
        assert any(" ready." in line for line in worker.stdout)
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)


def _wait_for_row(argo: Installation, signal_id: str) -> None:
    _wait_until(lambda: argo.query("SELECT 1 FROM signals WHERE signal_id = ?", signal_id))


def _wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.services("postgresql", "redis")
def test_each_of_several_machines_drains_its_own_journal(tmp_path: Path) -> None:
    """They share database and broker; a hint, or beat, reaches the one whose journal it means."""
    with empty_postgresql() as url:
        shared = {"DATABASE_URL": url, "CELERY_BROKER_URL": "redis://127.0.0.1:6379/8"}
        one, other = (Installation(tmp_path / name, shared) for name in ("one", "other"))
        assert one.manage("migrate", "--verbosity", "0").returncode == 0
        with _worker(one), _worker(other):
            ids = [_accept(machine) for machine in (one, other, one, other)]
            _wait_until(lambda: set(ids) <= _exported(one))
        assert one.manage("verify_signals").returncode == 0


PREPARE = """
import django; django.setup()
from argo.up import admin_user, prepare
with prepare.alone_in_database():
    prepare.migrate_database()
    print(admin_user.make_first_admin() is not None)
"""


@pytest.mark.services("postgresql")
def test_machines_that_start_together_prepare_the_database_in_turns(tmp_path: Path) -> None:
    with empty_postgresql() as url:
        machines = [Installation(tmp_path / name, {"DATABASE_URL": url}) for name in "abc"]
        starts = [machine.start("-c", PREPARE, stdout=-1) for machine in machines]
        made = [start.communicate(timeout=120)[0].strip() for start in starts]
        assert sorted(made) == ["False", "False", "True"]


def _accept(argo: Installation) -> str:
    intake = argo.start(
        "-c", ACCEPT + "import time; time.sleep(1)  # for the hint", stdin=-1, stdout=-1
    )
    return str(intake.communicate(json.dumps(a_signal()) + "\n", timeout=60)[0]).strip()


def _exported(argo: Installation) -> set[str]:
    lines = argo.manage("export_signals", "-").stdout.splitlines()
    return {json.loads(line)["signal_id"] for line in lines}
