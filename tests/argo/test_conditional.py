"""Reads of the API have entity tags: who has the present version gets 304 and no body."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from signals.clock import utc_now
from signals.config import journal
from signals.keys import create_key
from signals.ledger import version
from signals.ledger.outcomes import record_outcome
from signals.tracker import SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
LISTS = ("/api/signals", "/api/signals?symbol=aapl&sort=confidence", "/api/signals/latest",
         "/api/signals/stats?by=symbol")  # fmt: skip
OF_ONE = ("/api/signals/a", "/api/signals/a/votes", "/api/signals/a/outcome")
OTHERS = (
    "/api/signals/a/verify", "/api/signals/a/lifecycle", "/api/sync/deliveries",
    "/api/execution/orders", "/api/instruments/AAPL", "/api/signals?decision=none",
)  # fmt: skip


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    log("a")


def log(signal_id: str) -> None:
    SignalTracker("test").log_signals([a_signal(signal_id=signal_id)])


def end(signal_id: str) -> None:
    said: dict[str, Any] = {"who": "t", "why": "t", "now": utc_now(), "journal": journal()}
    record_outcome(signal_id, outcome="win", exit_price=158.0, **said)


@pytest.mark.parametrize("path", [*LISTS, *OF_ONE, *OTHERS])
def test_the_same_version_is_answered_with_304_and_no_body(client: Client, path: str) -> None:
    tag = client.get(path)["ETag"]
    for sent in (tag, tag.removeprefix("W/"), f"W/{tag.removeprefix('W/')}", f'"x", {tag}', "*"):
        answer = client.get(path, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag), sent
    answer = client.get(path, headers={"If-None-Match": '"other"'})
    assert (answer.status_code, answer["ETag"]) == (200, tag)


@pytest.mark.parametrize("path", LISTS)
def test_every_new_signal_and_outcome_is_another_version_of_a_list(
    client: Client, path: str
) -> None:
    tags = [client.get(path)["ETag"]]
    for change, signal_id in ((log, "b"), (end, "b"), (end, "a")):
        change(signal_id)
        assert client.get(path, headers={"If-None-Match": ", ".join(tags)}).status_code == 200
        tags.append(client.get(path)["ETag"])
    assert len(set(tags)) == 4


@pytest.mark.parametrize("path", OF_ONE)
def test_only_its_own_outcome_is_another_version_of_one_signal(client: Client, path: str) -> None:
    tag = client.get(path)["ETag"]
    log("b")
    end("b")
    assert client.get(path)["ETag"] == tag
    end("a")
    assert client.get(path)["ETag"] != tag


def test_other_parameters_are_another_version(client: Client) -> None:
    tags = {client.get(f"/api/signals?limit={limit}")["ETag"] for limit in (1, 2, 3)}
    assert len(tags) == 3


def test_what_depends_on_decisions_is_compared_by_its_bytes(client: Client) -> None:
    for path in ("/api/signals?decision=none", "/api/signals?fields=delivery"):
        assert not client.get(path)["ETag"].startswith("W/")


def test_a_version_at_hand_saves_reading_the_page(client: Client) -> None:
    tag = client.get("/api/signals")["ETag"]
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/signals", headers={"If-None-Match": tag})
    assert not [each for each in queries if "reasoning" in each["sql"]]


@pytest.mark.parametrize("path", [*LISTS, *OF_ONE, *OTHERS])
def test_head_is_get_without_its_body(client: Client, path: str) -> None:
    got, asked = client.get(path), client.head(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked["ETag"] == got["ETag"]
    assert int(asked["Content-Length"]) == len(got.content)
    unchanged = client.head(path, headers={"If-None-Match": got["ETag"]})
    assert unchanged.status_code == 304


def test_head_of_a_stream_sends_nothing(client: Client) -> None:
    answer = client.head("/api/signals/export")
    assert (answer.status_code, b"".join(answer)) == (200, b"")
    assert answer["Content-Type"].startswith("text/csv")


def test_refusals_have_no_tag_and_stay_refusals(client: Client) -> None:
    for path, status in (("/api/signals/none", 404), ("/api/signals?x=1", 422), ("/api/no", 404)):
        for method in ("GET", "HEAD"):
            answer = client.generic(method, path, headers={"If-None-Match": "*"})
            assert answer.status_code == status
            assert "ETag" not in answer


def test_a_precondition_that_does_not_hold_is_refused(client: Client) -> None:
    answer = client.get("/api/instruments/AAPL", headers={"If-Match": '"other"'})
    assert answer.status_code == 412
    assert answer.json().keys() == {"detail", "errors"}


@both_databases
def test_the_version_moves_with_every_commit_on_both_databases(using: str) -> None:
    before = version.ledger_version(using)
    assert version.ledger_version(using) == before
    assert version.signal_version("nope", using) is None
    assert version.signal_version("a\0", using) is None
