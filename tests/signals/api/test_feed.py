"""GET /api/feed and /api/feed/stream, as any web server answers them."""

import threading
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from signals.api import feed as api
from signals.clock import utc_now
from signals.config import flusher, sequencer
from signals.feed.cursor import START
from signals.feed.formats import as_stream
from signals.feed.reading import read
from signals.feed.waiting import HANDOVER, Asked, TooManyReaders
from signals.keys import create_key, revoke
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


def store(*names: str) -> None:
    SignalTracker("test").accept([a_signal(signal_id=name) for name in names])
    flusher().flush()
    sequencer().assign()


def get(path: str = "", **headers: str) -> Any:  # noqa: ANN401  # Django's answer for tests
    client = Client(headers={"X-API-Key": create_key("me", ["read"])} | headers)
    return client.get(f"/api/feed{path}")


def test_pages_follow_each_other_by_their_cursors() -> None:
    store("a", "b", "c")
    first = get("?limit=2").json()
    second = get(f"?limit=2&after={first['next']}").json()
    found = [each["data"]["signal_id"] for each in first["items"] + second["items"]]
    assert found == ["a", "b", "c"]
    assert get(f"?after={second['next']}").json() == {"items": [], "next": second["next"]}
    assert get("?after=now").json() == {"items": [], "next": second["next"]}


def test_an_answer_is_kept_by_nobody() -> None:
    assert get()["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"), ("after=%00", "after"), ("wait=61", "wait"), ("wait=-1", "wait"),
        ("wait=nan", "wait"), ("limit=0", "limit"), ("limit=1001", "limit"), ("since=now", "since"),
        ("limit=2&limit=3", "limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_what_to_do(query: str, field: str) -> None:
    answer = get(f"?{query}")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_a_wrong_cursor_of_a_stream_is_refused_too() -> None:
    for answer in (get("/stream?after=x"), get("/stream", **{"Last-Event-ID": "x"})):
        assert answer.status_code == 422
        assert "send the `next`" in answer.json()["detail"]


def test_another_web_server_waits_on_few_threads_and_refuses_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store("a")
    end = get("?after=now").json()["next"]
    monkeypatch.setattr(api, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(api, "close_old_connections", lambda: None)  # the test is in a transaction
    assert get(f"?after={end}&wait=0.01").json() == {"items": [], "next": end}
    monkeypatch.setattr(api, "_threads", threading.BoundedSemaphore(1))
    with api._threads:
        answer = get(f"?after={end}&wait=1")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "wait=0" in answer.json()["detail"]
        assert get(f"?after={end}&wait=0").status_code == 200


def test_another_web_server_streams_nothing_and_says_what_to_do() -> None:
    answer = get("/stream")
    assert answer.status_code == 501
    assert "argo up" in answer.json()["detail"]


class House:
    """Takes readers in as the web server does."""

    is_full = False

    def take(self, asked: Asked) -> None:
        if self.is_full:
            raise TooManyReaders("the house is full")
        self.asked = asked


def handed_to(house: House) -> dict[str, Any]:
    """Return what a web server that takes readers in adds to the environment."""
    return {HANDOVER: house}


def test_a_stream_begins_behind_the_last_event_that_a_browser_had() -> None:
    store("a", "b")
    page, house = get("?limit=1").json(), House()
    client = Client(headers={"X-API-Key": create_key("me", ["read"])})
    answer = client.get(
        "/api/feed/stream?after=now", headers={"Last-Event-ID": page["next"]},
        **handed_to(house),
    )  # fmt: skip
    assert answer["Content-Type"] == "text/event-stream"
    assert house.asked.cursor.text() == page["next"]
    assert (house.asked.seconds, house.asked.who) == (None, "key me")


def test_a_full_house_is_503_with_a_time_to_try_again() -> None:
    house = House()
    house.is_full = True
    client = Client(headers={"X-API-Key": create_key("me", ["read"])})
    for path in ("?wait=5&after=now", "/stream"):
        answer = client.get(f"/api/feed{path}", **handed_to(house))
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_reader_with_events_does_not_wait() -> None:
    store("a")
    client = Client(headers={"X-API-Key": create_key("me", ["read"])})
    house = House()
    assert len(client.get("/api/feed?wait=60", **handed_to(house)).json()["items"]) == 1
    assert not hasattr(house, "asked")


@pytest.mark.parametrize("form", ["X-API-Key", "Authorization"])
def test_a_reader_may_read_until_the_key_is_revoked(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, house = create_key("me", ["read"]), House()
    client = Client(headers={form: key if form == "X-API-Key" else f"Bearer {key}"})
    client.get("/api/feed/stream", **handed_to(house))
    assert house.asked.may_read()
    revoke(key[:10], utc_now())
    monkeypatch.setattr("time.monotonic", lambda: 1e9)  # a key is looked up once a second
    assert not house.asked.may_read()


def test_a_reader_who_is_logged_in_may_read_until_logged_out_or_locked_out() -> None:
    client, house = Client(), House()
    user = User.objects.create_superuser("clerk")
    client.force_login(user)
    client.get("/api/feed/stream", **handed_to(house))
    assert (house.asked.who, house.asked.may_read()) == ("user clerk", True)
    user.is_active = False
    user.save()
    assert not house.asked.may_read()
    user.is_active = True
    user.save()
    assert house.asked.may_read()
    client.logout()
    assert not house.asked.may_read()


def test_hostile_texts_stay_within_their_event() -> None:
    store("a")
    hostile = "x\n\ndata: forged\r\nid: 1\n"
    SignalTracker("test").accept([a_signal(signal_id="b", reasoning=hostile)])
    flusher().flush()
    sequencer().assign()
    text = as_stream(read(START, 10))
    assert text.count(b"\ndata: ") == 2
    assert b"\r" not in text
    (_, last) = [line for line in text.split(b"\n") if line.startswith(b"data: ")]
    assert orjson.loads(last.removeprefix(b"data: "))["data"]["reasoning"].startswith("x\n\n")


def test_the_description_has_both_calls() -> None:
    paths = Client().get("/api/openapi.json").json()["paths"]
    assert {"200", "401", "422", "503"} <= paths["/api/feed"]["get"]["responses"].keys()
    stream = paths["/api/feed/stream"]["get"]["responses"]
    assert "text/event-stream" in stream["200"]["content"]
    assert "501" in stream
