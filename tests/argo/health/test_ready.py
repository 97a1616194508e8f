"""GET /api/health/ready: 503 only if this machine cannot accept a signal."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from argo.health import intake
from argo.health.bounded import Bounded
from signals import config
from signals.journal import JournalError
from signals.models import Heartbeat
from tests.argo.up.processes import wait_until
from tests.databases import both_databases
from tests.installation import Installation
from tests.services import POSTGRESQL
from tests.tcp_proxy import Proxy, proxy

READY = {"status": "ready", "reasons": []}


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/api/health/ready")
    return answer.status_code, answer.json()


@pytest.mark.django_db
def test_a_machine_without_any_worker_is_ready_and_needs_no_key(client: Client) -> None:
    assert not Heartbeat.objects.exists()
    assert ready(client) == (200, READY)


@pytest.mark.django_db
def test_a_file_in_place_of_the_data_folder_is_not_ready(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "file"
    settings.DATA_DIR.write_text("")
    config.journal.cache_clear()
    assert ready(client) == (503, {"status": "not_ready", "reasons": ["journal.unwritable"]})
    settings.DATA_DIR.unlink()
    assert ready(client) == (200, READY)


@pytest.mark.django_db(transaction=True)
def test_missing_migrations_are_not_ready(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    ((app, name),) = MigrationLoader(connection).graph.leaf_nodes("sync")
    recorder.record_unapplied(app, name)
    try:
        assert ready(client) == (503, {"status": "not_ready", "reasons": ["database.migrations"]})
    finally:
        recorder.record_applied(app, name)
    assert ready(client) == (200, READY)


@pytest.mark.django_db
def test_a_full_disk_is_not_ready_and_ready_again_with_space(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as folder:
        settings.DATA_DIR = folder
        config.journal.cache_clear()
        config.journal().append([b"{}"])
        assert ready(client) == (200, READY)
        fill(folder / "filler")
        with pytest.raises(JournalError):
            config.journal().append([b"x" * 8192])
        assert ready(client)[1]["reasons"] == ["journal.unwritable"]
        (folder / "filler").unlink()
        assert ready(client) == (200, READY)
        config.journal().append([b"{}"])
        config.journal().close()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 512 KiB."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


WEB = """
import json, sys, time, django
django.setup()
from django.test import Client
for path in sys.stdin:
    began = time.monotonic()
    answer = Client().get(path.strip())
    print(json.dumps([answer.status_code, answer.json(), time.monotonic() - began]), flush=True)
"""


class Web:
    """Asks an installation's API in a process of its own."""

    def __init__(self, argo: Installation) -> None:
        self.process = argo.start("-c", WEB, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def get(self, path: str) -> tuple[int, dict[str, Any], float]:
        """Return the status, the answer, and the seconds that it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        status, body, seconds = json.loads(self.process.stdout.readline())
        return status, body, seconds


@pytest.fixture
def web(tmp_path: Path, hanging: Proxy) -> Iterator[Web]:
    """The API of an installation whose database is the tests' PostgreSQL, behind the proxy."""
    name = connections["postgresql"].settings_dict["NAME"]
    settings = {
        "DATABASE_URL": f"postgres://postgres@127.0.0.1:{hanging.port}/{name}",
        "ARGO_ALLOWED_HOSTS": "testserver",
    }
    made = Web(Installation(tmp_path / "data", settings))
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.fixture
def hanging() -> Iterator[Proxy]:
    with proxy(POSTGRESQL.host, POSTGRESQL.port) as made:
        yield made


@both_databases
@pytest.mark.services("postgresql")
def test_a_database_that_hangs_takes_nobody_out_of_service(web: Web, hanging: Proxy) -> None:
    """Connections stay open and nothing comes back, as from a stopped server."""
    assert web.get("/api/health/ready")[:2] == (200, READY)
    assert web.get("/api/health")[1]["database"]["answers"] is True

    hanging.swallow()
    for path in ("/api/health/ready", "/api/health", "/api/health/ready"):
        status, body, seconds = web.get(path)
        assert (status, seconds < 5) == (200, True), (path, body, seconds)
        assert body == READY or body["database"]["answers"] is False
    assert web.get("/api/health?fail=degraded")[0] == 503

    hanging.pass_on()
    deadline = time.monotonic() + 30
    while not web.get("/api/health")[1]["database"]["answers"]:
        assert time.monotonic() < deadline
    assert web.get("/api/health/ready")[:2] == (200, READY)


def test_a_database_that_never_answered_leaves_the_tables_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables, go = intake._Tables(), threading.Event()
    monkeypatch.setattr(intake, "_count_missing", Bounded(lambda: int(go.wait(30)), wait=0.05))
    assert tables.missing() == 0
    go.set()
    wait_until(lambda: tables.missing() == 1, lambda: "the answer")
