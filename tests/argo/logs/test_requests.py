"""Requests in the log: their id, the name of their key, and why they were refused."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from argo.middleware import REQUEST_ID
from signals.keys import create_key
from tests.argo.logs.conftest import Lines
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("the desk", ["write"])})


def post(client: Client, signal: object, **headers: str) -> dict[str, str]:
    answer = client.post("/api/signals", signal, content_type="application/json", headers=headers)
    return dict(answer.headers)


def test_a_refused_signal_is_a_warning_with_reason_request_and_key(
    client: Client, json_log: Lines
) -> None:
    headers = post(client, {**a_signal(), "action": "HOLD"})

    fields = json_log.fields
    assert fields["level"] == "warning"
    assert fields["event"].startswith("Refused POST /api/signals with 422: action: ")
    assert fields["key_name"] == "the desk"
    assert fields["request_id"] == headers[REQUEST_ID]
    assert fields["status_code"] == "422"
    assert len(json_log.lines) == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_bearers_name_is_on_the_line_too(scheme: str, json_log: Lines) -> None:
    headers = {"Authorization": f"{scheme} {create_key('the desk', ['write'])}"}
    post(Client(), {**a_signal(), "action": "HOLD"}, **headers)
    assert json_log.fields["key_name"] == "the desk"


@pytest.mark.parametrize(
    ("scopes", "status"), [(["write"], "403"), ([], "401")], ids=["cannot read", "no key"]
)
def test_refused_scrapes_are_warnings(scopes: list[str], status: str, json_log: Lines) -> None:
    key = create_key("scraper", scopes) if scopes else "argo_wrong"
    Client().get("/metrics", headers={"X-API-Key": key})
    fields = json_log.fields
    assert (fields["level"], fields["status_code"]) == ("warning", status)
    assert fields["event"].startswith(f"Refused GET /metrics with {status}: ")


def test_the_senders_id_is_kept_and_answered(client: Client, json_log: Lines) -> None:
    assert post(client, {}, **{REQUEST_ID: "desk-7.a:b_c"})[REQUEST_ID] == "desk-7.a:b_c"
    assert json_log.fields["request_id"] == "desk-7.a:b_c"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\x1b[2J", "ä", "a\n", '"'])
def test_an_invalid_id_is_replaced(client: Client, given: str) -> None:
    answered = post(client, a_signal(), **{REQUEST_ID: given})[REQUEST_ID]
    assert answered != given
    assert len(answered) == 16


def test_ids_differ_and_end_with_their_request(client: Client, json_log: Lines) -> None:
    first, second = (post(client, a_signal())[REQUEST_ID] for _ in range(2))
    assert first != second
    logging.getLogger("argo.api").error("after them")
    assert not {"request_id", "key_name"} & json_log.fields.keys()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content-Length": "9" * 12}, 413), ({"Transfer-Encoding": "chunked"}, 411),
     ({"X-API-Key": "wrong"}, 401)],
)  # fmt: skip
def test_other_refusals_are_warnings_too(
    client: Client, json_log: Lines, headers: dict[str, str], status: int
) -> None:
    assert REQUEST_ID in post(client, a_signal(), **headers)
    assert json_log.fields["level"] == "warning"
    assert json_log.fields["status_code"] == str(status)


def test_refused_signals_of_a_batch_are_one_line(client: Client, json_log: Lines) -> None:
    batch = [{**a_signal(), "action": "HOLD"}, a_signal(), 7]
    client.post("/api/signals/batch", batch, content_type="application/json")
    assert json_log.fields["event"].startswith("Refused 2 of 3 signals; the first: action: ")
    assert len(json_log.lines) == 1


def test_pages_that_do_not_exist_are_no_warning(client: Client, json_log: Lines) -> None:
    reader = Client(headers={"X-API-Key": create_key("reader", ["read"])})
    assert client.get("/nowhere").status_code == 404
    assert reader.get("/api/signals/nothing").status_code == 404
    assert not json_log.lines


def test_a_bug_is_one_error_with_its_traceback(
    client: Client, json_log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(body: bytes) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("signals.api.views.read_object", fail)
    post(client, a_signal())
    assert len(json_log.lines) == 1
    assert json_log.fields["level"] == "error"
    assert "RuntimeError: broken" in json_log.fields["exception"]


def test_a_hostile_path_is_escaped(json_log: Lines, settings: Settings) -> None:
    Client().get("/api/signals/a%0A%1B%5B2J%E2%80%AE")
    assert "Refused GET /api/signals/a\\n\\x1b[2J\\u202e with 401" in json_log.fields["event"]
