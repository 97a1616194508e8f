"""Fixtures for tests with a real supervisor."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.argo.up.processes import Running, supervise
from tests.databases import empty_postgresql
from tests.installation import Installation

StartUp = Callable[[Installation], Running]
BROKER = "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Return a function that starts a supervisor over children; all of them end with the test."""
    started: list[Running] = []

    def start_one(*children: dict[str, Any], wrapper: tuple[str, ...] = ()) -> Running:
        started.append(supervise(*children, wrapper=wrapper))
        return started[-1]

    yield start_one
    for running in started:
        running.kill_all()


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Let SIGHUP reach what a test starts: what `nohup` starts, and its children, ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Installation]]:
    """Return three machines that share a database and a broker; none runs yet."""
    with empty_postgresql() as url:
        shared = {"DATABASE_URL": url, "CELERY_BROKER_URL": BROKER, "SIGNAL_BATCH_TIMEOUT": "1"}
        yield [
            Installation(tmp_path / name, shared | {"ARGO_WEB_PORT": str(_free_port())})
            for name in ("one", "two", "copy")
        ]


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    """Return what runs `up`; at the end it is killed, with all that it started."""
    started: list[Running] = []

    def start(argo: Installation) -> Running:
        process = argo.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(Running(process))
        return started[-1]

    yield start
    for running in started:
        running.kill_all()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
