"""With each kind of broker, an accepted signal soon becomes a row, without beat."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.argo.up.processes import wait_until
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
    """Run a worker, and wait until it is ready: a shared broker keeps no message before that."""
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
    wait_until(lambda: bool(argo.query("SELECT 1 FROM signals WHERE signal_id = ?", signal_id)))


@pytest.mark.services("postgresql")
@pytest.mark.parametrize(
    "broker",
    [
        pytest.param("redis://127.0.0.1:6379/8", marks=pytest.mark.services("redis")),
        pytest.param("amqp://guest:guest@127.0.0.1:5672//", marks=pytest.mark.services("rabbitmq")),
    ],
)
def test_each_of_several_machines_drains_its_own_journal(tmp_path: Path, broker: str) -> None:
    """They share the database, the broker and, here, the host name; a wake-up reaches the machine
    with the signals."""
    with empty_postgresql() as url:
        shared = {"DATABASE_URL": url, "CELERY_BROKER_URL": broker}
        one, other = (Installation(tmp_path / name, shared) for name in ("one", "other"))
        assert one.manage("migrate", "--verbosity", "0").returncode == 0
        with _worker(one), _worker(other):
            ids = [_accept(machine) for machine in (one, other, one, other)]
            wait_until(lambda: set(ids) <= _exported(one))
        assert one.manage("verify_signals").returncode == 0


PREPARE = """
import django; django.setup()
from argo.up import admin_user, prepare
with prepare.exclusive_database():
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
        "-c", ACCEPT + "import time; time.sleep(1)  # for the wake-up", stdin=-1, stdout=-1
    )
    return str(intake.communicate(json.dumps(a_signal()) + "\n", timeout=60)[0]).strip()


def _exported(argo: Installation) -> set[str]:
    lines = argo.manage("export_signals", "-").stdout.splitlines()
    return {json.loads(line)["signal_id"] for line in lines}
