"""Deliveries over the API: permissions, listings, and sending dead deliveries again."""

import json

import pytest
from django.test import Client
from pytest_django import Settings

from signals.clock import utc_now
from signals.keys import create_key
from signals.tracker import SignalTracker
from sync.models import Breaker, Delivery
from tests.samples import signals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ids(tracker: SignalTracker) -> list[str]:
    return tracker.log_signals(signals(3))


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("t", ["read", "write"])})


def retried(client: Client, choice: dict[str, object]) -> int:
    body = json.dumps(choice)
    answer = client.post("/api/sync/deliveries/retry", body, content_type="application/json")
    queued: int = answer.json()["queued"]
    return queued


@pytest.mark.parametrize("choice", [{"signal_id": ["x"]}, [], {"since": "yesterday"}])
def test_an_invalid_choice_sends_nothing_again(
    client: Client, ids: list[str], choice: object
) -> None:
    Delivery.objects.update(status="dead")
    body = json.dumps(choice)
    answer = client.post("/api/sync/deliveries/retry", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dead"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"signal_ids": ["a\\u0000"]}',
        b'{"signal_ids": ["\\ud800"]}',
        b'{"signal_ids": ["\xff"]}',
        b'{"signal_ids": [""]}',
        b'{"signal_ids": ["' + b"x" * 601 + b'"]}',
        b'{"signal_ids": [' + b'"x",' * 10_000 + b'"x"]}',
        b'{"signal_ids": [' + b"5," * 200_000 + b"5]}",
        b'{"signal_ids": ["a"], "signal_ids": null}',
        b'{"since": "2025-01-15T10:30:00Z\\u0000"}',
    ],
    ids=[
        "nul",
        "half a character",
        "no utf-8",
        "empty",
        "long",
        "many",
        "numbers",
        "twice",
        "time",
    ],
)
def test_ids_that_no_signal_can_have_are_refused(
    client: Client, ids: list[str], body: bytes
) -> None:
    Delivery.objects.update(status="dead")
    answer = client.post("/api/sync/deliveries/retry", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert len(answer.content) < 2000
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dead"}


@pytest.mark.parametrize("signal_id", ["a%00", "%ED%A0%80", "%FF", "x" * 601, ""])
def test_a_filter_for_an_id_that_no_signal_can_have_selects_nothing(
    client: Client, ids: list[str], signal_id: str
) -> None:
    answer = client.get(f"/api/sync/deliveries?signal_id={signal_id}")
    assert answer.status_code in (200, 422)
    assert answer.json().get("items", []) == []


def test_a_number_that_is_too_large_for_after_is_refused(client: Client) -> None:
    assert client.get(f"/api/sync/deliveries?after={10**20}").status_code in (400, 422)


@pytest.mark.parametrize("path", ["/api/sync/status", "/api/sync/deliveries"])
def test_a_key_is_required(path: str) -> None:
    assert Client().get(path).status_code == 401


def test_the_status_counts(client: Client, ids: list[str]) -> None:
    Delivery.objects.filter(signal__signal_id=ids[0]).update(status="dead")
    status = client.get("/api/sync/status").json()
    assert (status["state"], status["pending"], status["dead"]) == ("off", 2, 1)
    assert status["oldest_pending_seconds"] >= 0
    assert status["last_hour"]["success_rate"] is None


def test_deliveries_come_in_pages_newest_first(client: Client, ids: list[str]) -> None:
    first = client.get("/api/sync/deliveries?limit=2").json()
    assert [item["signal_id"] for item in first["items"]] == [ids[2], ids[1]]
    rest = client.get(f"/api/sync/deliveries?limit=2&after={first['next']}").json()
    assert [item["signal_id"] for item in rest["items"]] == [ids[0]]
    assert rest["next"] is None


def test_deliveries_are_filtered_and_a_misspelt_filter_is_refused(
    client: Client, ids: list[str]
) -> None:
    Delivery.objects.filter(signal__signal_id=ids[0]).update(status="dead")
    dead = client.get("/api/sync/deliveries?status=dead").json()["items"]
    assert [item["signal_id"] for item in dead] == [ids[0]]
    assert client.get("/api/sync/deliveries?stat=dead").status_code == 422


def test_only_dead_deliveries_are_sent_again(client: Client, ids: list[str]) -> None:
    Delivery.objects.exclude(signal__signal_id=ids[0]).update(status="dead", attempts=9)
    assert retried(client, {"signal_ids": ids[:2]}) == 1
    assert retried(client, {}) == 1
    assert set(Delivery.objects.values_list("status", "attempts")) == {("pending", 0)}


def test_health_reports_that_sync_is_paused_and_why(client: Client, settings: Settings) -> None:
    settings.ALPINE_API_KEY = "key"
    Breaker.objects.create(pk=1, probe_at=utc_now(), failures=5, reason="no answer: refused")
    health = client.get("/api/health").json()
    assert health["sync"]["state"] == "paused"
    sentences = {problem["code"]: problem["sentence"] for problem in health["problems"]}
    assert sentences["sync.paused"] == "Sync is paused: no answer: refused"
    breaker = client.get("/api/sync/status").json()["breaker"]
    assert (breaker["open"], breaker["reason"]) == (True, "no answer: refused")
