"""POST /api/signals and /batch: durable before the answer; each signal has its own result."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from signals.config import flusher, journal
from signals.ledger.hashing import Hashed, sha256_of
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals
from tests.signals.api.conftest import flush


def _post(client: Client, signal: object, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/api/signals", json.dumps(signal), content_type="application/json", headers=headers
    )
    return answer.status_code, answer.json()


def _post_batch(client: Client, body: str | bytes) -> tuple[int, dict[str, Any]]:
    answer = client.post("/api/signals/batch", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_an_accepted_signal_is_in_the_journal(writer: Client) -> None:
    status, answer = _post(writer, a_signal())
    assert (status, answer["status"]) == (202, "accepted")
    assert answer["signal_id"] in journal().path.read_text()
    assert flush().stored == 1
    stored = Signal.objects.get(signal_id=answer["signal_id"])
    assert stored.sha256 == answer["sha256"]


def test_a_bad_signal_is_refused_with_every_fault_and_nothing_is_written(writer: Client) -> None:
    status, answer = _post(writer, a_signal(symbol="", confidence=101))
    assert status == 422
    assert {error["field"] for error in answer["errors"]} == {"symbol", "confidence"}
    assert not journal().path.exists()


def test_a_wrong_hash_is_refused_before_anything_is_said_of_duplicates(writer: Client) -> None:
    """Fault 21: "duplicate" was answered before the hash was checked."""
    signal = a_signal()
    _post(writer, signal)
    flush()
    status, answer = _post(writer, {**signal, "sha256": "0" * 64}, Prefer="wait=1")
    assert status == 400
    assert answer["errors"][0]["field"] == "sha256"


def test_a_signal_as_another_argo_sends_it_to_its_alpine(writer: Client) -> None:
    hashed = Hashed("AAPL", "BUY", 150.5, 158.0, 146.0, 85.5, "s", "2025-01-15T10:30:00Z")
    sha256 = sha256_of(hashed, "theirs")
    body = hashed._asdict() | {"signal_id": "theirs", "sha256": sha256, "verification_hash": sha256}
    status, answer = _post(writer, body | {"consensus_agreement": 0.8, "sources_count": 5})
    assert (status, answer["signal_id"], answer["sha256"]) == (202, "theirs", sha256)


def test_waiting_for_a_stored_signal_answers_duplicate(writer: Client) -> None:
    signal = a_signal()
    _post(writer, signal)
    flush()
    status, answer = _post(writer, signal, Prefer="wait=1")
    assert (status, answer["status"]) == (200, "duplicate")
    assert journal().path.read_text().count(answer["signal_id"]) == 1


def test_a_wait_that_times_out_is_answered_with_accepted(writer: Client) -> None:
    assert _post(writer, a_signal(), Prefer="respond-async, wait=0")[0] == 202


@pytest.mark.django_db(transaction=True)
def test_waiting_for_the_row_answers_stored(writer: Client) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=_flush_until, args=(stop,))
    worker.start()
    try:
        status, answer = _post(writer, a_signal(), Prefer="wait=20")
    finally:
        stop.set()
        worker.join()
    assert (status, answer["status"]) == (201, "stored")


def _flush_until(stop: threading.Event) -> None:

    while not stop.wait(0.02):
        flusher().flush()
    connection.close()


def test_another_signal_under_a_stored_id_is_refused(writer: Client) -> None:
    _post(writer, a_signal(signal_id="same"))
    flush()
    status, answer = _post(writer, a_signal(signal_id="same"), Prefer="wait=1")
    assert status == 422  # 409 would tell a sender that this same signal is stored
    assert "stored with the hash" in answer["detail"]


@pytest.mark.parametrize("body", ["", "nope", "[]", "5", '{"entry_price": NaN}', '{"a": "\xff"}'])
def test_a_body_that_is_not_a_signal_is_a_bad_request(writer: Client, body: str) -> None:
    answer = writer.post("/api/signals", body.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "body"


def test_a_batch_answers_for_each_signal_in_order(writer: Client) -> None:
    good, bad = signals(2), a_signal(action="HOLD")
    status, answer = _post_batch(writer, json.dumps([good[0], bad, 5, good[1]]))
    assert status == 202
    assert [item["status"] for item in answer["results"]] == [
        "accepted",
        "refused",
        "refused",
        "accepted",
    ]
    assert answer["results"][1]["errors"][0]["field"] == "action"
    assert flush().stored == 2


def test_a_batch_may_have_one_signal_on_each_line(writer: Client) -> None:
    one, other = map(json.dumps, signals(2))
    status, answer = _post_batch(writer, f"{one}\n\nnope\n{other}\n")
    assert (status, answer["accepted"], answer["refused"]) == (202, 2, 1)


def test_a_batch_of_bad_signals_is_refused(writer: Client) -> None:
    status, answer = _post_batch(writer, json.dumps([a_signal(action="HOLD")]))
    assert (status, answer["accepted"]) == (422, 0)


@pytest.mark.parametrize("body", ["", "[]", "[1,", " \n "])
def test_an_empty_or_broken_batch_is_a_bad_request(writer: Client, body: str) -> None:
    assert _post_batch(writer, body)[0] == 400


def test_a_batch_has_a_limit(writer: Client) -> None:
    status, answer = _post_batch(writer, json.dumps([0] * 10_001))
    assert status == 400
    assert "10000" in answer["detail"]


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(
    writer: Client, settings: Settings
) -> None:
    settings.API_MAX_BODY_BYTES = 1000
    client = Client(headers=writer.headers)
    answer = client.post("/api/signals", "{" + " " * 1000, content_type="application/json")
    assert answer.status_code == 413
    assert "API_MAX_BODY_BYTES" in answer.json()["detail"]


def test_an_internal_error_is_answered_in_json_and_logged_completely(
    writer: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(SignalTracker, "accept", fail)
    status, answer = _post(writer, a_signal())
    assert (status, answer["errors"]) == (500, [])
    assert "RuntimeError: broken" in caplog.text


def test_one_invalid_time_does_not_refuse_a_batch(writer: Client) -> None:
    odd = a_signal(timestamp="0001-01-01T00:00:00+14:00")
    status, answer = _post_batch(writer, json.dumps([odd, a_signal()]))
    assert (status, answer["accepted"], answer["refused"]) == (202, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_waiting_requests_do_not_block_the_others(writer: Client) -> None:
    """Nothing is flushed here: waiting requests must not take all threads or all connections."""
    waiting = [threading.Thread(target=_post_and_close, args=(writer, "wait=3")) for _ in range(8)]
    for thread in waiting:
        thread.start()
    assert _post(writer, a_signal())[0] == 202
    for thread in waiting:
        thread.join()


def _post_and_close(client: Client, prefer: str) -> None:
    assert _post(client, a_signal(), Prefer=prefer)[0] == 202
    connection.close()
