"""One Argo is the Alpine of another, through the real API."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.samples import signals

pytestmark = pytest.mark.slow


@pytest.fixture
def receiver(tmp_path: Path, port: int) -> Iterator[Installation]:
    """Running, with everything that belongs to it."""
    receiver = Installation(tmp_path / "receiver", {"ARGO_WEB_PORT": str(port)})
    up = receiver.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert up.stdout is not None
    for line in up.stdout:
        if "Argo is ready" in line:
            break
    yield receiver
    up.send_signal(signal.SIGTERM)
    up.communicate(timeout=90)


def test_what_one_stores_the_other_gets_with_hashes_that_hold(
    installation: Installation, receiver: Installation, port: int
) -> None:
    key = receiver.manage("api_key", "--create", "sender").stdout.split()[0]
    address = {"ALPINE_ENDPOINT": f"http://127.0.0.1:{port}/api/signals", "ALPINE_API_KEY": key}
    sender = Installation(installation.folder, address)
    lines = "".join(json.dumps(each, default=str) + "\n" for each in signals(300))
    sender.manage("log_signal", stdin=lines).check_returncode()

    sent = sender.manage("sync_signals")
    assert sent.stdout.startswith("300 delivered, 0 wait"), sent.stdout + sent.stderr

    receiver.manage("flush_signals").check_returncode()
    columns = "SELECT signal_id, sha256, timestamp, entry_price FROM signals ORDER BY signal_id"
    assert receiver.query(columns) == sender.query(columns)
    receiver.manage("verify_signals").check_returncode()
    asked = sender.manage("sync_signals", "--reconcile", "300")
    assert re.match("Alpine has 300 of 300; 0 queued", asked.stdout), asked.stderr
