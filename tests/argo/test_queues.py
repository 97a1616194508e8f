"""Every task that beat sends goes to a queue that a worker of `up` reads, and names are unique."""

import socket
from pathlib import Path

import pytest
from celery.apps.worker import Worker
from django.conf import settings

from argo.celery import app
from argo.up.children import EXECUTION, FLUSH_AND_RECORD, GENERATION, SYNC, names, specs
from argo.up.roles import all_roles
from signals import config
from signals.config import journal


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_a_worker_reads_the_queue_of_every_scheduled_task(name: str) -> None:
    workers = (FLUSH_AND_RECORD, SYNC, EXECUTION, GENERATION)
    read = {queue for worker in workers for queue in worker.queues}
    queue = app.amqp.router.route({}, settings.CELERY_BEAT_SCHEDULE[name]["task"])["queue"]
    assert (queue.alias or queue.name) in read


def test_nodes_are_named_by_their_data_folder_not_by_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for folder in ("one", "two"):
        monkeypatch.setattr(settings, "DATA_DIR", tmp_path / folder)
        config.journal.cache_clear()
        commands = [spec.command for spec in specs(all_roles()) if "--hostname" in spec.command]
        found |= {command[command.index("--hostname") + 1] for command in commands}
    assert len(found) == 2 * 4
    assert {f"flush@{journal().identity}", f"celerybeat@{journal().identity}"} <= found


@pytest.mark.filterwarnings("ignore:You.re running the worker")
@pytest.mark.parametrize("hostname", [None, "mine", "mine@%h"])
def test_a_worker_that_is_started_by_hand_has_a_unique_name_too(hostname: str | None) -> None:
    given = hostname and hostname.replace("%h", socket.gethostname())
    worker = Worker(app=app, hostname=given, queues=["default"])
    name = "celery" if hostname in (None, "mine") else "mine"
    expected = "celery@mine" if hostname == "mine" else f"{name}@{journal().identity}"
    assert str(worker) == expected


def test_the_names_of_the_processes_are_known_before_there_is_a_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(all_roles()) == [spec.name for spec in specs(all_roles())]
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "new")
    config.journal.cache_clear()
    names(all_roles())
    assert not (tmp_path / "new").exists()
