"""Alerts on SQLite and on PostgreSQL: stored, ended, kept as unread, and never twice."""

import pytest

from signals.alerts import exits, rows
from signals.alerts.exits import Ending
from signals.alerts.senders import create_sender
from signals.models import Alert, AlertCursor, Signal
from tests.databases import DATABASES
from tests.execution.threads import on_database
from tests.signals.alerts.conftest import ALERT, Hook, work

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.mark.parametrize(
    "name", ["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def test_an_alert_an_exit_and_an_unread_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_ending", lambda *_: Ending.FREE)
    with on_database(name):
        hook = Hook(*create_sender("tv", "tradingview", who="a test"))
        assert hook.send(ALERT)[0] == 202
        assert hook.send(b"\0\xff {{nothing}}")[0] == 422
        work()
        assert hook.send(ALERT | {"action": "exit", "price": 160})[0] == 202
        work()
        assert Signal.objects.get().outcome == "win"
        AlertCursor.objects.update(segment=1, byte=0, fingerprint="")
        rows.drain()
        found = sorted(Alert.objects.values_list("status", flat=True))
        assert found == ["done", "signal", "unread"]
