"""GET /api/health: the status for everybody, each problem for those who may read."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from argo.health import registry
from signals import nodes
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.dialect import database_now
from signals.keys import create_key
from signals.models import DeadLetter, Heartbeat, Node
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals
from tests.signals.nodes.folders import a_folder
from tests.signs_of_life import all_alive

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_runs(db: None) -> None:
    all_alive()


@pytest.fixture
def key(db: None) -> str:
    return create_key("monitor", ["read"])


@pytest.fixture
def reader(key: str) -> Client:
    return Client(headers={"X-API-Key": key})


def health(client: Client) -> dict[str, Any]:
    answer = client.get("/api/health")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def codes(client: Client) -> list[str]:
    return [problem["code"] for problem in health(client)["problems"]]


def break_something() -> None:
    journal().append([b"garbage"])
    flusher().flush()


def test_signals_that_wait_without_a_flush_worker_are_not_all_right(reader: Client) -> None:
    Heartbeat.objects.filter(queues="flush").delete()
    SignalTracker("test", wakes_worker=False).accept(signals(200))
    found = health(reader)
    assert found["status"] == "degraded"
    assert [problem["code"] for problem in found["problems"]] == ["worker.missing"]
    later = registry.problems(utc_now() + timedelta(seconds=61))
    assert "journal.old_line" in {problem.kind.code for problem in later}


def test_signals_that_wait_on_another_node_are_not_all_right(
    reader: Client, tmp_path: Path
) -> None:
    other = a_folder(tmp_path / "other", 200)
    nodes.report(journal())
    nodes.report(other)
    assert codes(reader) == []
    Node.objects.filter(identity=other.identity).update(oldest_at=utc_now() - timedelta(seconds=61))
    assert codes(reader) == ["node.behind"]
    Node.objects.filter(identity=other.identity).update(
        seen_at=database_now() - timedelta(seconds=61)
    )
    assert codes(reader) == ["node.gone"]


def test_all_is_well(reader: Client) -> None:
    SignalTracker("test").log_signal(a_signal())
    found = health(reader)
    assert (found["status"], found["problems"]) == ("ok", [])
    assert found["journal"] == {"pending_bytes": 0}
    assert found["sqlite"] == sqlite3.sqlite_version
    assert [process["role"] for process in found["processes"]] == ["beat", *["worker"] * 3]
    assert found["disk"]["free_bytes"] > 0


def test_without_a_key_there_is_only_the_status(client: Client) -> None:
    nothing_else = {"database": {"vendor": connection.vendor, "answers": True}}
    assert health(client) == {"status": "ok"} | nothing_else
    break_something()
    assert health(client) == {"status": "degraded"} | nothing_else


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization"])
def test_a_key_comes_in_either_header(key: str, name: str) -> None:
    value = key if name == "X-API-Key" else f"Bearer {key}"
    assert "problems" in health(Client(headers={name: value}))


def test_a_key_that_may_not_read_is_refused(client: Client) -> None:
    for headers, status in (
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"X-API-Key": create_key("w", ["write"])}, 403),
    ):
        assert client.get("/api/health", headers=headers).status_code == status
    of_a_proxy = {"Authorization": "Basic bWU6c2VjcmV0"}
    assert client.get("/api/health", headers=of_a_proxy).status_code == 200


def test_staff_who_are_logged_in_see_the_problems(admin_client: Client) -> None:
    assert health(admin_client)["problems"] == []


def test_a_problem_says_what_to_do_and_where_to_read_more(reader: Client) -> None:
    break_something()
    (problem,) = health(reader)["problems"]
    assert problem == {
        "code": "ledger.dead_letters",
        "sentence": "1 dead letter waits for a person.",
        "advice": registry.kinds()["ledger.dead_letters"].advice,
        "page": "/docs/recover/#a-signal-could-not-be-stored",
    }
    DeadLetter.objects.update(resolved_at="2025-01-15T10:30:00Z")
    assert health(reader)["status"] == "ok"


def test_a_monitor_may_ask_for_a_status_code(client: Client) -> None:
    assert client.get("/api/health?fail=degraded").status_code == 200
    break_something()
    assert client.get("/api/health?fail=degraded").status_code == 503
    assert client.get("/api/health").status_code == 200
    for wrong in ("fail=yes", "fall=degraded"):
        assert client.get(f"/api/health?{wrong}").status_code == 422


def test_pending_bytes_are_counted(reader: Client) -> None:
    SignalTracker("test").accept([a_signal()])
    assert health(reader)["journal"] == {"pending_bytes": journal().path.stat().st_size}


def test_a_deleted_journal_is_a_problem(reader: Client) -> None:
    SignalTracker("test").log_signal(a_signal())
    journal().path.unlink()
    assert codes(reader) == ["journal.replaced"]
    flusher().flush()
    assert codes(reader) == ["journal.lost", "ledger.dead_letters"]


def test_a_check_that_fails_hides_no_other_one(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: object) -> None:
        raise OSError("the disk fails")

    monkeypatch.setattr("sync.problems.problems", fail)
    break_something()
    found = health(reader)
    assert codes(reader) == ["ledger.dead_letters", "health.check_failed"]
    assert "sync.problems failed: the disk fails" in found["problems"][1]["sentence"]


@pytest.mark.django_db(transaction=True)
def test_missing_tables_are_a_problem_and_no_error(reader: Client) -> None:
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE sync_breaker RENAME TO gone")
    try:
        found = health(reader)
    finally:
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE gone RENAME TO sync_breaker")
    (problem,) = found["problems"]
    assert problem["code"] == "database.no_answer"
    assert "sync_breaker" in problem["sentence"]
