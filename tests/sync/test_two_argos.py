"""One Argo is the Alpine of another, through the real API.

The receiver is its web server alone; the test of the demo runs both with all their processes.
The long form: ARGO_OUTAGE_SECONDS=60 python -m pytest tests/sync/test_two_argos.py
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argo.up.port import next_free
from tests.argo.up.processes import Running, wait_until
from tests.installation import Installation
from tests.sync.installations import log, statuses
from tests.web_server import served

pytestmark = pytest.mark.slow
AWAY = float(os.environ.get("ARGO_OUTAGE_SECONDS", "3"))
"""Seconds that Alpine does not answer, at least; the processes' own waits are not counted."""


@contextmanager
def up(argo: Installation) -> Iterator[None]:
    """Run `manage.py up` for the time of the block."""
    process = argo.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    running = Running(process)
    try:
        running.wait_for("Argo is ready")
        yield
        running.signal(signal.SIGTERM)
        running.end()
    finally:
        running.kill_all()


@pytest.fixture
def receiver(tmp_path: Path, port: int) -> Installation:
    return Installation(tmp_path / "receiver", {"ARGO_WEB_PORT": str(port)})


@pytest.fixture
def sender(installation: Installation, receiver: Installation, port: int) -> Installation:
    """Return an installation that sends to the receiver."""
    receiver.manage("migrate", "--verbosity", "0").check_returncode()
    key = receiver.manage("api_key", "--create", "sender").stdout.split()[0]
    return Installation(
        installation.folder,
        {
            "ALPINE_ENDPOINT": f"http://127.0.0.1:{port}/api/signals",
            "ALPINE_API_KEY": key,
            "ARGO_WEB_PORT": str(next_free("127.0.0.1", port)),
        },
    )


def ids_and_hashes(argo: Installation) -> list[Any]:
    return argo.query("SELECT signal_id, sha256 FROM signals ORDER BY signal_id")


def test_signals_arrive_with_valid_hashes(
    sender: Installation, receiver: Installation, port: int
) -> None:
    log(sender, 300)
    with served(receiver, port):
        sent = sender.manage("sync_signals")
        assert sent.stdout.startswith("300 delivered, 0 wait"), sent.stdout + sent.stderr

        receiver.manage("flush_signals").check_returncode()
        columns = "SELECT signal_id, sha256, timestamp, entry_price FROM signals ORDER BY 1"
        assert receiver.query(columns) == sender.query(columns)
        receiver.manage("verify_signals").check_returncode()
        asked = sender.manage("sync_signals", "--reconcile", "300")
        assert re.match("Alpine has 300 of 300; 0 queued", asked.stdout), asked.stderr


def test_everything_arrives_after_an_outage(
    sender: Installation, receiver: Installation, port: int
) -> None:
    with up(sender):
        with served(receiver, port):
            log(sender, 50)
            wait_until(lambda: statuses(sender) == {"delivered": 50})
        for _ in range(6):
            log(sender, 10)
            time.sleep(AWAY / 6)
        waiting = statuses(sender)["pending"]
        assert waiting >= 50
        with served(receiver, port):
            wait_until(lambda: statuses(sender) == {"delivered": 50 + waiting})
            receiver.manage("flush_signals").check_returncode()
            assert ids_and_hashes(receiver) == ids_and_hashes(sender)
            receiver.manage("verify_signals").check_returncode()
    attempts = sender.query("SELECT max(attempts) FROM deliveries")[0][0]
    assert attempts <= 2
