"""The meaning of each of Alpine's answers, over a real connection."""

import os
import time

import pytest

from sync.alpine import AlpineSyncService
from sync.retry import SyncError
from tests.sync.alpine_server import (
    Alpine,
    Behave,
    accept,
    answer,
    cut_short,
    endless,
    reset,
    running,
    silent,
    trickling_body,
    trickling_head,
)
from tests.sync.conftest import Clock

BODY = b'{"signal_id": "a"}'


def refused(service: AlpineSyncService) -> SyncError:
    with pytest.raises(SyncError) as raised:
        service.send("a", BODY)
    return raised.value


@pytest.mark.parametrize("status", [200, 201, 202, 409])
def test_an_accepted_or_duplicate_signal_is_delivered(
    alpine: Alpine, service: AlpineSyncService, status: int
) -> None:
    alpine.always(answer(status, b'{"status": "duplicate"}'))
    assert service.send("a", BODY) == (status, '{"status": "duplicate"}')
    assert alpine.times == {"a": 1}


def test_the_request_is_what_the_contract_says(alpine: Alpine, service: AlpineSyncService) -> None:
    service.send("a", BODY)
    headers, body = alpine.requests[0]
    assert headers["X-API-Key"] == "the key"
    assert headers["Idempotency-Key"] == "a"
    assert headers["Content-Type"] == "application/json"
    assert body == {"signal_id": "a"}


@pytest.mark.parametrize("status", [400, 404, 405, 410, 422])
def test_a_permanent_failure_is_not_tried_again(
    alpine: Alpine, service: AlpineSyncService, status: int
) -> None:
    alpine.always(answer(status, b"no such symbol"))
    error = refused(service)
    assert error.permanent
    assert (error.status, "no such symbol" in str(error)) == (status, True)
    assert alpine.times == {"a": 1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_neither_permanent_nor_tried_again(
    alpine: Alpine, service: AlpineSyncService, status: int
) -> None:
    alpine.always(answer(status))
    error = refused(service)
    assert error.is_refused_key
    assert not error.permanent
    assert not error.is_transport
    assert alpine.times == {"a": 1}


@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (answer(408), 408),
        (answer(425), 425),
        (answer(429), 429),
        (answer(500), 500),
        (answer(503), 503),
        (answer(302, Location="http://127.0.0.1:1/"), 302),
        (reset, None),
        (cut_short, None),
    ],
)
def test_a_temporary_failure_is_tried_again_three_times(
    alpine: Alpine, service: AlpineSyncService, clock: Clock, behave: Behave, status: int | None
) -> None:
    alpine.always(behave)
    error = refused(service)
    assert not error.permanent
    assert (error.status, error.is_transport) == (status, status is None)
    assert alpine.times == {"a": 4}
    assert len(clock.slept) == 3


def test_waiting_for_an_answer_ends_after_the_timeout(alpine: Alpine, clock: Clock) -> None:
    alpine.always(silent)
    service = AlpineSyncService(alpine.endpoint, "k", timeouts=(5.0, 0.2), sleep=clock.sleep)
    error = refused(service)
    assert (error.permanent, error.is_transport) == (False, True)
    assert "timed out" in str(error)
    assert alpine.times == {"a": 4}
    service.close()


def test_the_waits_between_tries_grow_and_differ(
    alpine: Alpine, service: AlpineSyncService, clock: Clock
) -> None:
    alpine.always(answer(500))
    for _ in range(5):
        refused(service)
    first, third = clock.slept[0::3], clock.slept[2::3]
    assert max(first) < min(third)
    assert len(set(first)) > 1


def test_a_try_succeeds_after_alpine_has_recovered(
    alpine: Alpine, service: AlpineSyncService
) -> None:
    alpine.choose = lambda signal_id, times: accept if times == 3 else answer(503)
    assert service.send("a", BODY).status == 201
    assert alpine.times == {"a": 3}


def test_a_short_retry_after_is_waited_for(
    alpine: Alpine, service: AlpineSyncService, clock: Clock
) -> None:
    alpine.choose = lambda _, times: accept if times == 2 else answer(429, Retry_After="7")
    service.send("a", BODY)
    assert clock.slept == [7.0]


def test_a_retry_after_may_be_a_date(
    alpine: Alpine, service: AlpineSyncService, clock: Clock
) -> None:
    date = "Tue, 01 Jan 2030 00:00:09 GMT"
    alpine.choose = lambda _, times: accept if times == 2 else answer(503, Retry_After=date)
    service.send("a", BODY)
    assert clock.slept == [9.0]


def test_a_long_retry_after_is_left_to_the_delivery(
    alpine: Alpine, service: AlpineSyncService, clock: Clock
) -> None:
    alpine.always(answer(503, Retry_After="3600"))
    assert refused(service).retry_after == 3600
    assert alpine.times == {"a": 1}


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "nan", "1e9", "\xb2"])
def test_an_invalid_retry_after_is_ignored(
    alpine: Alpine, service: AlpineSyncService, nonsense: str
) -> None:
    alpine.always(answer(503, Retry_After=nonsense))
    assert refused(service).retry_after is None
    assert alpine.times == {"a": 4}


@pytest.mark.parametrize("behave", [trickling_head, trickling_body])
def test_an_answer_that_comes_byte_by_byte_meets_the_deadline(
    alpine: Alpine, service: AlpineSyncService, monkeypatch: pytest.MonkeyPatch, behave: Behave
) -> None:
    monkeypatch.setattr("sync.http.ANSWER_TIMEOUT", 0.3)
    alpine.always(behave)
    began = time.monotonic()
    with pytest.raises(SyncError) as raised:
        service.send_once("a", BODY)
    assert raised.value.is_transport
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("behave", [endless, answer(201, b"<html>"), answer(201, b"\x00\xff")])
def test_odd_bodies_do_no_harm(alpine: Alpine, service: AlpineSyncService, behave: Behave) -> None:
    alpine.always(behave)
    text = service.send("a", BODY).text
    assert len(text) <= 1000
    assert "\0" not in text


@pytest.mark.parametrize("odd", ["a\r\nX-Other: b", "\u2192"])
def test_an_id_that_no_header_can_hold_fails_permanently(
    alpine: Alpine, service: AlpineSyncService, odd: str
) -> None:
    with pytest.raises(SyncError, match="cannot be sent") as raised:
        service.send(odd, BODY)
    assert raised.value.permanent
    assert alpine.requests == []
    assert service.send("a", BODY).status == 201


def test_a_refused_connection_is_a_transport_failure(clock: Clock) -> None:
    with running() as gone:
        endpoint = gone.endpoint
    service = AlpineSyncService(endpoint, "the key", sleep=clock.sleep)
    assert refused(service).is_transport
    assert len(clock.slept) == 3


def test_no_error_contains_the_key(clock: Clock) -> None:
    service = AlpineSyncService("http://127.0.0.1:1/", "top-secret", sleep=clock.sleep)
    assert "top-secret" not in repr(refused(service)) + str(refused(service).__cause__)


def test_connections_are_reused(alpine: Alpine, service: AlpineSyncService) -> None:
    for _ in range(10):
        service.send("a", BODY)
    assert len(set(alpine.ports)) == 1


def test_a_forked_child_makes_connections_of_its_own(
    alpine: Alpine, service: AlpineSyncService
) -> None:
    service.send("a", BODY)
    child = os.fork()
    if child == 0:
        try:
            service.send("b", BODY)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    service.send("c", BODY)
    assert alpine.times == {"a": 1, "b": 1, "c": 1}
    assert alpine.ports[0] == alpine.ports[2] != alpine.ports[1]
