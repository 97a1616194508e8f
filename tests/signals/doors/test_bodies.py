"""Request bodies: in chunks or whole, within the limits of size, work and memory."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from signals.config import journal
from tests.samples import a_signal, signals

MIB = 2**20
JSON = "application/json"


@pytest.fixture
def client(key: str) -> Client:
    return Client(headers={"X-API-Key": key})


def _in_chunks(
    client: Client, path: str, body: bytes | io.IOBase, kind: str = JSON
) -> tuple[int, dict[str, Any]]:
    """Send a body without a length, as a server passes it on: its stream ends with the body."""
    environ: dict[str, Any] = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
    }
    answer = client.post(path, content_type=kind, **environ)
    is_json = answer["Content-Type"].startswith(JSON)
    return answer.status_code, answer.json() if is_json else {"detail": answer.text}


class Endless(io.RawIOBase):
    """A body that never ends, in pieces of any size; `count` is how much was read of it."""

    count = 0

    def read(self, size: int = -1, /) -> bytes:
        assert 0 < size <= MIB, "the whole body was asked for"
        self.count += size
        return b" " * size


class Trickle(io.BytesIO):
    """A body that comes a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, 7 if size is None or size < 0 else size))


@pytest.mark.parametrize("kind", [io.BytesIO, Trickle])
def test_a_body_in_chunks_is_taken(client: Client, kind: type[io.BytesIO]) -> None:
    status, answer = _in_chunks(client, "/api/signals", kind(json.dumps(a_signal()).encode()))
    assert (status, answer["status"]) == (202, "accepted")
    body = "\n".join(map(json.dumps, signals(30))).encode()
    status, answer = _in_chunks(client, "/api/signals/batch", kind(body))
    assert (status, answer["accepted"]) == (202, 30)


def test_a_body_in_chunks_that_a_schema_describes_is_taken(client: Client) -> None:
    status, answer = _in_chunks(client, "/api/sync/deliveries/retry", b'{"signal_ids": []}')
    assert (status, answer) == (200, {"queued": 0})


def test_an_empty_body_in_chunks_is_a_bad_request(client: Client) -> None:
    assert _in_chunks(client, "/api/signals", b"")[0] == 400


@pytest.mark.parametrize("path", ["/api/signals", "/api/signals/batch", "/admin/login/"])
def test_a_body_in_chunks_is_counted_while_it_is_read(
    key: str, settings: Settings, path: str
) -> None:
    settings.API_MAX_BODY_BYTES = MIB
    endless = Endless()
    kind = "application/x-www-form-urlencoded" if "admin" in path else JSON
    status, answer = _in_chunks(Client(headers={"X-API-Key": key}), path, endless, kind)
    assert status == 413
    assert "API_MAX_BODY_BYTES" in answer["detail"]
    assert endless.count <= 2 * MIB


def test_a_body_of_exactly_the_limit_is_read(key: str, settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES = MIB
    padded = json.dumps(a_signal()).encode().ljust(MIB)
    client = Client(headers={"X-API-Key": key})
    assert _in_chunks(client, "/api/signals", padded)[0] == 202
    assert _in_chunks(client, "/api/signals", padded + b" ")[0] == 413


@pytest.mark.parametrize("body", [b'{"signal_ids": ["a"], "signal_ids": null}', b"[1]", b"{nope"])
def test_a_body_that_a_schema_describes_is_read_by_the_same_rules(
    client: Client, body: bytes
) -> None:
    """The last word would select every dead delivery."""
    answer = client.post("/api/sync/deliveries/retry", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_parameter_that_is_given_twice_is_refused(client: Client) -> None:
    answer = client.get("/api/signals?limit=1&limit=2")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "limit", "message": "is given more than once; use one value"}
    ]


def _padded(line: bytes) -> bytes:
    """Return 1 MiB of lines like this one, as long as 10,000 lines of 8 MiB are."""
    return b"\n".join([line.ljust(800)] * (MIB // 801))


LINES = {
    "short lines": b"x\n" * (MIB // 2),
    "empty objects in lines": b"{}\n" * (MIB // 3),
    "blank lines": b"\n" * MIB,
    "lines with all that can be wrong": _padded(
        b'{"symbol": "", "action": "x", "entry_price": "a", "target_price": "a", "stop_price": "a",'
        b'"confidence": "a", "strategy": "", "asset_type": "", "data_source": "", "sha256": "x",'
        b'"regime": "", "reasoning": 5, "sources": "a", "agreement": "a", "votes": 5,'
        b'"signal_id": "", "timestamp": 5, "outcome": 5, "exit_price": 5, "order_id": 5}'
    ),
    "lines of unknown fields": _padded(
        b"{" + b",".join(b'"%d": 0' % number for number in range(90)) + b"}"
    ),
    "votes that are none": _padded(b'{"votes": [' + b"0," * 300 + b"0]}"),
    "one line": b'{"votes": [' + b"0," * (MIB // 2 - 50) + b"0]}",
}
"""Bodies of 1 MiB with lines that take as much memory as they can."""
ARRAYS = {
    "objects in an array": b"[" + b"{}," * (8 * MIB // 3 - 9) + b"{}]",
    "as many objects as are allowed": b"[" + b'{"abcdefgh":1234567.5},' * 249_998 + b"{}]",
    "as many votes": b'[{"votes":[' + b'{"abcdefgh":1234567.5},' * 249_990 + b"{}]}]",
    "numbers in an array": b"[" + b"0," * (4 * MIB - 9) + b"0]",
    "texts with escapes": b"[" + rb'"\n",' * (8 * MIB // 5 - 9) + b"0]",
    "a long name": b'[{"' + b"x" * (8 * MIB - 50) + b'": 1}]',
}


def _memory_of(client: Client, body: bytes) -> int:
    """Return how many bytes a bad batch took at most."""
    tracemalloc.start()
    try:
        answer = client.post("/api/signals/batch", body, content_type="application/json")
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code in (400, 422)
    assert not journal().path.exists()
    return taken


@pytest.mark.parametrize("name", LINES)
def test_the_memory_for_bad_lines_is_bounded(client: Client, name: str) -> None:
    assert _memory_of(client, LINES[name]) < 4 * MIB + 128 * MIB // 8


@pytest.mark.parametrize("name", ARRAYS)
def test_the_memory_for_a_bad_array_is_bounded(client: Client, name: str) -> None:
    assert _memory_of(client, ARRAYS[name]) < 4 * len(ARRAYS[name]) + 128 * MIB


def test_a_signal_with_a_million_faults_has_a_short_answer(client: Client) -> None:
    many = {f"name {number}": float(number) for number in range(40_000)}
    for signal in (a_signal(**many), a_signal(votes=[1] * 100_000), {"x" * 900_000: 1}):
        answer = client.post("/api/signals", json.dumps(signal), content_type="application/json")
        assert answer.status_code == 422
        assert len(answer.content) < 5000


def test_one_too_many_signals_are_refused_before_they_are_validated(client: Client) -> None:
    body = b"{}\n" * 10_001
    answer = client.post("/api/signals/batch", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"] == (
        "body: has more than 10000 signals, the limit for each request"
    )
