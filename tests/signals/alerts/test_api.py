"""Senders and alerts over the API: made, tried, changed, listed, and read again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from argo.models import IdempotentAnswer
from signals.alerts import problems, senders
from signals.api.alert_schemas import AlertQuery
from signals.clock import utc_now
from signals.keys import create_key
from signals.models import Act, Alert, Sender, Signal
from tests.databases import both_databases
from tests.execution.threads import on_database
from tests.lists import check_filters, check_plans, items
from tests.signals.alerts.conftest import ALERT, Hook, work

pytestmark = pytest.mark.django_db
ODD = {"what": "AAPL", "do": "buy", "at": 150.5}
MAPPING = {"fields": {"symbol": "$.what", "action": "$.do", "price": "$.at"}}


@pytest.fixture
def api() -> Client:
    return Client(headers={"X-API-Key": create_key("ops", ["read", "write", "admin"])})


def send(api: Client, method: str, path: str, **body: object) -> Any:  # noqa: ANN401
    return api.generic(method, f"/api{path}", json.dumps(body), content_type="application/json")


def test_a_sender_is_made_and_its_address_is_shown_once(api: Client) -> None:
    made = send(api, "POST", "/senders", name="tv", preset="tradingview", max_lag=600)
    assert made.status_code == 201
    url = made.json()["url"]
    assert url.startswith("http://testserver/hooks/")
    assert "{{strategy.order.action}}" in made.json()["text"]
    token = url.rpartition("/")[2]
    assert (
        Client().post(f"/hooks/{token}", json.dumps(ALERT), content_type="a/b").status_code == 422
    )
    (listed,) = api.get("/api/senders").json()["senders"]
    assert (listed["name"], listed["max_lag"], listed["confidence"]) == ("tv", 600.0, 75.0)
    assert token not in json.dumps([listed, api.get("/api/senders/tv").json()])
    assert send(api, "POST", "/senders", name="tv", preset="plain").status_code == 409
    assert Act.objects.get(about="sender tv").who == "api:ops"


def test_a_kept_answer_has_no_address(api: Client) -> None:
    key = {"Idempotency-Key": "one"}
    body = json.dumps({"name": "tv", "preset": "plain"})
    first, second = (
        api.post("/api/senders", body, content_type="application/json", headers=key) for _ in "ab"
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == {**first.json(), "url": "***"}
    assert Sender.objects.count() == IdempotentAnswer.objects.count() == 1


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"name": "x", "preset": "nonsense"}, {"name": "a/b", "preset": "plain"},
    {"name": "..", "preset": "plain"}, {"name": "x\0", "preset": "plain"},
    {"name": "x", "preset": "plain", "mapping": {"fields": {"colour": "$.a"}}},
    {"name": "x", "preset": "plain", "mapping": {"form": "a\0"}},
    {"name": "x", "preset": "plain", "symbols": {"A\0": "AAPL"}},
    {"name": "x", "preset": "plain", "confidence": 101}, {"name": "x", "preset": "plain", "a": 1},
    {"name": "x", "preset": "plain", "confidence": None},
])  # fmt: skip
def test_a_sender_that_cannot_be_is_refused_with_the_field(
    api: Client, body: dict[str, object]
) -> None:
    answer = send(api, "POST", "/senders", **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]
    assert not Sender.objects.exists()


def test_a_sender_is_changed_and_revoked(api: Client, hook: Hook) -> None:
    changed = send(api, "PATCH", "/senders/tv", symbols={"GOLD": "XAUUSD"}, max_lag=None)
    assert changed.json()["symbols"] == {"GOLD": "XAUUSD"}
    refused = send(api, "PATCH", "/senders/tv", dedup_window=None, confidence=50)
    assert refused.status_code == 422
    assert Sender.objects.get().confidence == 75.0
    assert "GOLD" in Act.objects.latest("pk").after
    ended = send(api, "POST", "/senders/tv/revoke")
    assert ended.json()["revoked_at"] is not None
    assert send(api, "POST", "/senders/tv/revoke").status_code == 404
    senders.forget()
    assert hook.send(ALERT)[0] == 404
    for path in ("/senders/nobody", "/alerts?sender=nobody", "/alerts/nothing"):
        assert api.get(f"/api{path}").status_code == 404


def test_a_sender_that_is_expected_no_more_is_not_late(api: Client, hook: Hook) -> None:
    for clear in (
        lambda: send(api, "PATCH", "/senders/tv", expected_every=None),
        lambda: Sender.objects.update(expected_every=None),  # by an older version
    ):
        hook.change(expected_every=60, late_since=utc_now())
        assert [each.kind.code for each in problems.problems(utc_now())] == ["alerts.late_sender"]
        clear()
        assert list(problems.problems(utc_now())) == []
    hook.change(expected_every=60, late_since=utc_now())
    assert send(api, "PATCH", "/senders/tv", expected_every=120).json()["late_since"] is None


def test_a_text_is_tried_and_nothing_is_stored(api: Client, hook: Hook) -> None:
    found = send(api, "POST", "/senders/tv/test", alert=json.dumps(ALERT)).json()
    (order,) = found["orders"]
    assert (order["opens"], order["symbol"], order["price"]) == ("BUY", "AAPL", 150.5)
    found = send(api, "POST", "/senders/tv/test", alert="hello").json()
    assert found["orders"] == []
    assert "symbol" in [each["field"] for each in found["faults"]]
    work()
    assert not Alert.objects.exists()
    assert not Signal.objects.exists()


def test_unread_alerts_are_listed_and_read_again(api: Client, hook: Hook) -> None:
    hook.send(ODD)
    hook.send({**ODD, "do": "juggle"})
    work()
    assert len(items(api, "/api/alerts", status="unread", sender="tv")) == 2
    assert api.get("/api/senders/tv").json()["unread"] == 2
    still = send(api, "POST", "/alerts/read", sender="tv").json()
    assert (still["read"], still["unread"], still["more"]) == (0, 2, False)
    assert still["results"][0]["errors"]
    assert send(api, "PATCH", "/senders/tv", mapping=MAPPING).status_code == 200
    read = send(api, "POST", "/alerts/read").json()
    assert (read["read"], read["unread"]) == (1, 1)
    work()
    signal = Signal.objects.get()
    done, left = read["results"]
    assert (done["status"], done["signals"]) == ("read", [signal.signal_id])
    alert = api.get(f"/api/alerts/{done['alert_id']}").json()
    assert (alert["status"], alert["signal_id"], alert["sender"]) == (
        "signal", signal.signal_id, "tv",
    )  # fmt: skip
    again = send(api, "POST", "/alerts/read", alert_ids=[done["alert_id"]]).json()
    assert again["results"] == []
    closed = send(api, "POST", "/alerts/resolve", alert_ids=[left["alert_id"]]).json()
    assert closed == {"resolved": 1}
    assert items(api, "/api/alerts", status="unread") == []
    assert send(api, "POST", "/alerts/read", sendr="tv").status_code == 422


@pytest.fixture
def database(using: str) -> Iterator[None]:
    with on_database(using):
        yield


@both_databases
@pytest.mark.usefixtures("database")
def test_every_filter_finds_the_alert_with_its_value(api: Client, hook: Hook) -> None:
    for minute in (1, 2):
        hook.send({**ALERT, "bar_time": f"2026-01-05T14:3{minute}:00Z", "price": 150 + minute})
    work()
    Alert.objects.update(result="closes it", body="raw text", due_at=utc_now() + timedelta(hours=1))
    first = items(api, "/api/alerts", sort="time")[0]
    untried = check_filters(api, "/api/alerts", AlertQuery, first)
    assert untried == {"sender", "status", "alert_id", "signal_id", "content_type"}
    for name in ("sender", "status", "alert_id", "signal_id"):
        found = items(api, "/api/alerts", sort="time", **{name: first[name]})
        assert found[0] == first, name
    assert items(api, "/api/alerts", status="done") == items(api, "/api/alerts", signal_id="x")
    check_plans(api, "/api/alerts", AlertQuery, "alerts")
    assert len(items(api, "/api/alerts", sender="tv", limit=1, fields="id,price")) == 2
