"""Alerts, events and readers after a restore: nothing is lost, read twice or shown twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.argo.backup.backups import restore, rows
from tests.argo.backup.conftest import MakeEmpty
from tests.installation import Installation

BEFORE = """
import json
from django.core.management import call_command
from django.test import Client
from signals.alerts import rows
from signals.alerts.senders import create_sender
from signals.clock import utc_now
from signals.config import flusher, sequencer
from signals.feed.reading import begin
from sync.webhooks import subscriptions
from sync.webhooks.signing import public_key

sender, token = create_sender("tv", "tradingview", who="a test")
subscriptions.create("desk", "https://receiver.example/", ["all"], now=utc_now())
public_key()  # it is shown with the secret

def send(**fields):
    body = {"symbol": "AAPL", "action": "buy", "price": 150.5} | fields
    answer = Client(headers={"Host": "localhost"}).post(
        f"/hooks/{token}", body, content_type="application/json")
    return json.loads(answer.content)

def store():
    flusher().flush()
    rows.drain()
    sequencer().assign()

first = send(id=1)["signal_id"]
send(action="dance", id=2)
store()
second = send(id=3)["signal_id"]
send(action="sway", id=4)  # both are in the files, and not in the database yet
"""
SEEN = """
call_command("backup", FOLDER)
store()
found = {"ids": [first, second], "cursor": begin("now").text()}
"""
SIGNED = """
import json
from sync.models import Subscription
from sync.webhooks.signing import private_key, public_key, signatures

secret = Subscription.objects.get().secret
signed = [public_key(), signatures("msg_1", 1, b"{}", [secret], private_key())]
print(json.dumps(found | {"signed": signed}))
"""
AFTER = """
import json
from signals.alerts import rows
from signals.config import sequencer
from signals.feed.cursor import cursor_of
from signals.feed.reading import read
from signals.tracker import SignalTracker
from tests.samples import a_signal

def shown(cursor):
    batch = read(cursor_of(cursor), 100)
    return [json.loads(each.body)["data"]["signal_id"] for each in batch.events]

drained = rows.drain(), rows.drain()
sequencer().assign()
known = shown(CURSOR)
(new,) = SignalTracker("python").log_signals([a_signal()])
sequencer().assign()
found = {"drained": drained, "known": known, "new": new, "then": shown(CURSOR)}
"""


def run(argo: Installation, *parts: str) -> Any:  # noqa: ANN401  # what it prints as JSON
    answer = argo.manage("shell", "--no-imports", "--command", "".join(parts))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["sqlite"])
def test_alerts_events_and_readers_go_on_after_a_restore(
    argo: Installation, empty: MakeEmpty, tmp_path: Path
) -> None:
    """A backup is made before the last two alerts are rows; a reader sees all of them before the
    machine is lost."""
    folder = str(tmp_path / "backup")
    before = run(argo, f"FOLDER = {folder!r}", BEFORE, SEEN, SIGNED)
    other = empty()
    restore(other, tmp_path / "backup")
    name = "webhooks.key"
    assert (other.folder / name).read_bytes() == (argo.folder / name).read_bytes()
    after = run(other, f"CURSOR = {before['cursor']!r}", AFTER, SIGNED)
    assert after["signed"] == before["signed"]
    alerts = "SELECT status, signal_id FROM alerts ORDER BY status, received_at"
    assert rows(other, alerts) == [
        ("signal", before["ids"][0]), ("signal", before["ids"][1]), ("unread", ""), ("unread", ""),
    ]  # fmt: skip
    assert rows(other, alerts) == rows(argo, alerts)
    assert after["drained"][1] == 0
    assert after["known"] == []
    assert after["then"] == [after["new"]]
