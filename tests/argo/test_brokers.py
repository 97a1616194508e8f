"""With each kind of broker, an accepted signal soon becomes a row, without beat."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.argo.up.processes import wait_until
from tests.databases import Spares, empty_postgresql
from tests.installation import Installation
from tests.samples import a_signal, signals

ACCEPT = """
import json, sys, django
django.setup()
from signals.tracker import SignalTracker
tracker = SignalTracker("test")
for line in sys.stdin:
    print(tracker.accept([json.loads(line)])[0].signal_id, flush=True)
"""
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
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


DECLARE = """
import copy
import django; django.setup()
from amqp.exceptions import PreconditionFailed
from argo.celery import app
from argo.up.prepare import declare_queues
declare_queues(app)
for queue in app.amqp.queues.values():
    for kind in ("classic", "quorum"):
        with app.connection_for_write() as broker:
            same = copy.copy(queue)
            same.queue_arguments = {**(queue.queue_arguments or {}), "x-queue-type": kind}
            try:
                same(broker.default_channel).queue_declare()
                print(queue.alias or queue.name, kind)
            except PreconditionFailed:
                pass
"""


@pytest.mark.services("rabbitmq")
@pytest.mark.parametrize("kind", ["quorum", "classic"])
def test_queues_of_rabbitmq_are_of_the_type_that_is_set(
    installation: Installation, kind: str
) -> None:
    """RabbitMQ refuses to declare a queue that exists with another type."""
    shared = {"CELERY_BROKER_URL": RABBITMQ, "CELERY_QUEUE_TYPE": kind}
    argo = Installation(installation.folder, shared)
    with argo.start("-c", DECLARE, stdout=subprocess.PIPE) as process:
        printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    names = {"flush", "record", "sync", "execution", "generation", "default"}
    assert set(printed.splitlines()) == {f"{name} {kind}" for name in names}


@pytest.mark.services("rabbitmq")
def test_a_worker_of_quorum_queues_limits_each_consumer_and_makes_no_queues_for_delays(
    installation: Installation,
) -> None:
    """They refuse a limit for the whole channel, and then no worker could start."""
    argo = Installation(installation.folder, {"CELERY_BROKER_URL": RABBITMQ})
    with _started_worker(argo) as worker:
        assert worker.stdout is not None
        lines = [worker.stdout.readline()]
        while " ready." not in lines[-1]:
            assert lines[-1], lines
            lines.append(worker.stdout.readline())
    text = "".join(lines)
    assert "Global QoS is disabled" in text
    assert "delayed delivery" not in text.lower()


@contextmanager
def _worker(argo: Installation) -> Iterator[None]:
    """Run a worker, and wait until it is ready: a shared broker keeps no message before that."""
    with _started_worker(argo) as worker:
        _wait_until_ready(worker)
        yield


@contextmanager
def _started_worker(argo: Installation) -> Iterator["subprocess.Popen[str]"]:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO")
    worker = argo.start(*WORKER, *quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)


def _wait_until_ready(worker: "subprocess.Popen[str]") -> None:
    assert worker.stdout is not None
    assert any(" ready." in line for line in worker.stdout)


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
def test_each_of_three_machines_drains_its_own_journal(
    spares: Spares, migrated_postgresql: str, tmp_path: Path, broker: str
) -> None:
    """They share the database, the broker and, here, the host name; a wake-up reaches the machine
    with the signals. What all three received is stored once."""
    with spares.copy_of(migrated_postgresql) as url, ExitStack() as workers:
        shared = {"DATABASE_URL": url, "CELERY_BROKER_URL": broker}
        machines = [Installation(tmp_path / name, shared) for name in ("one", "two", "three")]
        started = [workers.enter_context(_started_worker(machine)) for machine in machines]
        for worker in started:
            _wait_until_ready(worker)
        ids = _accepted(machines, everywhere=a_signal())
        assert len(set(ids)) == len(ids) - 2
        wait_until(lambda: len(_stored(url)) >= len(set(ids)))
        assert _stored(url) == sorted(set(ids))
        assert machines[0].manage("verify_signals").returncode == 0


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


def _accepted(machines: list[Installation], everywhere: dict[str, Any]) -> list[str]:
    """Let each machine accept signals of its own and one that all receive; return all ids."""
    script = ACCEPT + "import time; time.sleep(1)  # for the wake-up"
    intakes = [machine.start("-c", script, stdin=-1, stdout=-1) for machine in machines]
    sent = ["\n".join(map(json.dumps, [*signals(5), everywhere])) + "\n" for _ in machines]
    answers = [
        intake.communicate(lines, timeout=60)[0]
        for intake, lines in zip(intakes, sent, strict=True)
    ]
    return " ".join(answers).split()


def _stored(url: str) -> list[str]:
    with psycopg.connect(url.replace("postgres:", "postgresql:")) as own:
        return sorted(signal_id for (signal_id,) in own.execute("SELECT signal_id FROM signals"))
