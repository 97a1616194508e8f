"""POST /hooks/{token}: an alert is durable before its answer, whatever it holds."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from signals.alerts import exits, rows, seen, senders, taking
from signals.alerts.content import MAX_BYTES
from signals.alerts.log import alerts_journal
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.journal import JournalError
from signals.ledger import in_time
from signals.models import Alert, DeadLetter, SignalContext
from tests.signals.alerts.conftest import ALERT, Hook, the_alert, the_signal, work

pytestmark = pytest.mark.django_db


def alert(**changes: object) -> dict[str, object]:
    return {name: value for name, value in (ALERT | changes).items() if value is not ...}


def lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_an_alert_becomes_a_signal_in_one_line_of_the_journal_with_its_raw_body(hook: Hook) -> None:
    body = '\ufeff{"symbol": "NASDAQ:AAPL", "action": "buy",\r\n "price": "1,150.50"}'
    status, answer = hook.send(body)
    assert (status, answer["status"]) == (202, "accepted")
    (line,) = lines(journal().path)
    assert line["signal_id"] == answer["signal_id"]
    assert line["alert"] == {
        "sender": "tv", "sender_id": hook.sender.pk, "body": body.removeprefix("\ufeff"),
        "content_type": "text/plain",
    }  # fmt: skip
    assert not alerts_journal().path.exists()
    work()
    signal = the_signal()
    assert (signal.symbol, signal.action, signal.entry_price) == ("AAPL", "BUY", 1150.5)
    assert (signal.target_price, signal.stop_price) == (1219.53, 1115.98)  # 6% and 3%, in cents
    assert (signal.confidence, signal.strategy) == (75.0, "tv")
    context = SignalContext.objects.get()
    assert (context.origin, context.symbol_as_sent) == ("hook", "NASDAQ:AAPL")
    assert the_alert().status == "signal"
    assert hook.sender.alerts.get().signal_id == signal.signal_id


def test_an_alert_that_cannot_be_read_is_kept_with_every_fault(hook: Hook) -> None:
    status, answer = hook.send(alert(price="{{close}}", action="hold", symbol=...))
    assert status == 422
    faults = {each["field"]: each["message"] for each in answer["errors"]}
    assert faults.keys() == {"symbol", "action", "price"}
    assert "did not fill in '{{close}}'" in faults["price"]
    assert not journal().path.exists()
    (line,) = lines(alerts_journal().path)
    assert (line["status"], line["faults"]) == ("unread", answer["errors"])
    work()
    kept = the_alert(status="unread")
    assert json.loads(kept.body) == alert(price="{{close}}", action="hold", symbol=...)
    assert kept.faults == answer["errors"]


def test_the_same_alert_again_is_answered_with_its_first_id(hook: Hook) -> None:
    first = hook.send(alert())
    assert hook.send(alert(time=utc_now().isoformat())) == (
        200,
        {**first[1], "status": "the same alert came before"},
    )
    work()
    seen.forget()  # another process, or a later one
    assert hook.send(alert())[0] == 200
    assert the_signal().signal_id == first[1]["signal_id"]


def test_the_same_alert_at_two_processes_at_once_is_one_signal_and_no_dead_letter(
    hook: Hook,
) -> None:
    """The rows come later: nothing but the id says that both are one, and the prices differ."""
    first = hook.send(alert())
    seen.forget()
    second = hook.send(alert(price=151))
    assert (second[0], second[1]["signal_id"]) == (202, first[1]["signal_id"])
    work()
    assert the_signal().entry_price == 150.5
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"action": "sell"}, {"symbol": "MSFT"}, {"bar_time": "2026-01-05T14:31:00Z"},
     {"order_id": "other"}, {"id": "a"}],
)  # fmt: skip
def test_another_alert_of_the_same_second_is_another_signal(
    hook: Hook, change: dict[str, object]
) -> None:
    first, second = hook.send(alert()), hook.send(alert(**change))
    assert (first[0], second[0]) == (202, 202)
    assert first[1]["signal_id"] != second[1]["signal_id"]


def test_the_same_alert_of_another_sender_is_another_one(
    hook: Hook, make_hook: Callable[..., Hook]
) -> None:
    other = make_hook(name="other")
    assert [each.send(alert())[0] for each in (hook, other)] == [202, 202]


def test_without_any_mark_the_same_body_is_the_same_alert_for_a_while(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    plain = alert(bar_time=...)

    def send_after(seconds: float, body: object = plain) -> tuple[int, str]:
        monkeypatch.setattr("signals.api.hooks.utc_now", lambda: now + timedelta(seconds=seconds))
        status, answer = hook.send(body)
        return status, answer["signal_id"]

    status, first = send_after(0)
    assert status == 202
    assert send_after(59) == (200, first)
    work()
    seen.forget()
    assert send_after(59.5) == (200, first)
    assert send_after(1, alert(bar_time=..., price=150.6))[0] == 202
    later = send_after(61)
    assert later[0] == 202
    assert later[1] != first
    hook.change(dedup_window=0)
    assert send_after(61.5)[0] == 202


def test_an_unknown_or_revoked_token_is_no_hook(hook: Hook) -> None:
    answer = Client().post("/hooks/nobody", alert(), content_type="application/json")
    assert (answer.status_code, answer.json()["errors"]) == (404, [])
    senders.revoke_sender("tv", who="a test")
    senders.forget()
    assert hook.send(alert())[0] == 404
    assert not journal().path.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_only_a_post_is_taken(hook: Hook, method: str) -> None:
    answer = getattr(Client(), method)(hook.path)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_body_over_the_limit_is_refused(hook: Hook, pack: Callable[[bytes], bytes]) -> None:
    status, answer = hook.send(pack(b"x" * (MAX_BYTES + 1)))
    assert status == 413
    assert "65536" in answer["detail"]


def test_the_largest_body_is_taken(hook: Hook) -> None:
    body = json.dumps(alert()).ljust(MAX_BYTES)
    assert hook.send(body)[0] == 202


def test_a_journal_that_cannot_be_written_asks_the_sender_to_try_again(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise JournalError("the disk is full")

    for file in (journal(), alerts_journal()):
        monkeypatch.setattr(file, "append", fail)
    for body in (alert(), "nothing that can be read", alert(action="exit")):
        answer = hook.post(body)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "the disk is full" in json.loads(answer.content)["detail"]
    monkeypatch.undo()
    assert hook.send(alert())[0] == 202, "nothing was remembered of it"


def test_a_mapping_that_raises_loses_no_alert(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(taking, "read", fail)
        status, answer = hook.send(alert())
    assert status == 422
    assert "Argo failed on it (ZeroDivisionError)" in answer["errors"][0]["message"]
    assert lines(alerts_journal().path)[0]["body"] == json.dumps(alert())
    assert "could not be read" in caplog.text


def test_while_the_database_is_away_a_known_sender_is_served(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hook.send(alert())[0] == 202
    senders._terms.cache_clear()

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("no answer")

    monkeypatch.setattr("signals.alerts.senders.Sender.objects.filter", fail)
    monkeypatch.setattr("signals.ledger.lookup.stored_hashes", fail)
    assert hook.send(alert(symbol="MSFT"))[0] == 202
    assert Client().post("/hooks/unknown", "x", content_type="text/plain").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_a_database_that_hangs_keeps_no_sender_waiting(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look-up ends in time: senders give up after three seconds."""
    hangs = threading.Event()
    assert hook.send(alert())[0] == 202
    senders._terms.cache_clear()
    monkeypatch.setattr(in_time, "is_shared", lambda _: True)  # the readers of a file never wait
    for place, name in ((senders, "_sender_with"), (seen, "_stored_exits"), (exits, "_may_end")):
        monkeypatch.setattr(place, name, lambda *_: hangs.wait(60))
        monkeypatch.setattr(place, "WAIT", place.WAIT / 10)
    began = time.monotonic()
    assert hook.send(alert(action="exit", price=160))[0] == 202
    senders._terms.cache_clear()
    assert Client().post("/hooks/unknown", "x", content_type="text/plain").status_code == 503
    assert time.monotonic() - began < 5
    hangs.set()
    monkeypatch.undo()
    senders._terms.cache_clear()
    work()
    assert the_signal().outcome == "win"


def test_the_token_is_never_logged(
    hook: Hook, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    from argo.logs.secrets import hider

    hide = hider([])
    hook.send("nothing")
    Client().get(hook.path)
    Client().post(f"{hook.path}x", "y", content_type="text/plain")
    assert hook.token not in hide(caplog.text)
    assert hide(f"Not Found: {hook.path}/x?y") == "Not Found: /hooks/***/x?y"


def test_the_token_and_secrets_in_the_body_are_stored_nowhere(hook: Hook) -> None:
    secret = "hunter2hunter2"
    key = "argo_" + "k" * 43
    bodies: list[object] = [
        alert(password=secret, inner=[{"Api-Key": secret}], passphrase=5551234),
        alert(token=secret, reasoning=f"see {hook.path} and {key}", price="x"),
        f"symbol=AAPL&action=buy&price=1&key={secret}&pass%77ord={secret}",
        f'buy AAPL @ 1\npassphrase: "{secret}" token={secret}; note="key={secret}"',
        alert(action="exit", key=secret, note=json.dumps({"password": secret})),
        f'{{"symbol": "A", "x": {{"password": "{secret}"}}, "x": 1, "passw\\u006frd": "{secret}"}}',
        f'{{"symbol": "A", "key": "{secret}"',
    ]
    for body in bodies:
        assert hook.send(body)[0] in (200, 202, 422)
    work()
    stored = journal().path.read_text() + alerts_journal().path.read_text()
    stored += repr(list(Alert.objects.values())) + repr(list(SignalContext.objects.values()))
    for hidden in (secret, "5551234", key, hook.token):
        assert hidden not in stored, stored[max(0, stored.find(hidden) - 200) :][:300]


def test_the_alerts_of_a_file_are_rows_once_also_if_it_is_read_again(hook: Hook) -> None:
    hook.send("one")
    hook.send("two")
    assert rows.drain() == 2
    assert rows.drain() == 0
    Alert.objects.filter(body="one").update(status="resolved")
    from signals.models import AlertCursor

    AlertCursor.objects.update(byte=0, fingerprint="")  # a restored database
    assert rows.drain() == 2
    assert sorted(Alert.objects.values_list("body", "status")) == [
        ("one", "resolved"),
        ("two", "unread"),
    ]


def test_a_broken_line_of_the_file_blocks_no_other(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    alerts_journal().append([b"nope", b'{"alert_id": "x", "sender": 0, "status": "unread"}'])
    hook.send("one")
    rows.drain()
    assert the_alert().body == "one"
    assert "is broken" in caplog.text


def test_verification_finds_no_fault_in_an_alert_that_came_twice(hook: Hook) -> None:
    hook.send(alert())
    seen.forget()
    hook.send(alert(price=151))
    flusher().flush()
    from signals.verification import verify_one

    assert not list(verify_one(journal(), the_signal().signal_id))
