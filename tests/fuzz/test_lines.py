"""Whatever is in a body of lines, every door gives each line the same answer."""

import json
import re
import socket
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from argo.wsgi import application
from signals.config import flusher, journal
from signals.keys import create_key
from signals.models import DeadLetter, Signal
from signals.verification import verify
from tests.argo.web.clients import connect, read_all, served
from tests.fuzz.bodies import BOM, bodies
from tests.fuzz.rounds import examples
from tests.signals.doors.conftest import doors, key
from tests.signals.doors.doors import Doors, Outcome

__all__ = ["doors", "key"]  # fixtures
CLOCK = re.compile(r"(ahead of the clock), \S+")
NO_OBJECT = {
    "body: must be one JSON object; send several to /api/signals/batch": (
        "signal: must be a JSON object"
    )
}
HASHES = (b"sha256", b"verification_hash")
"""Fields that make an imported signal history, which is kept as it is."""
UNREAD = re.compile(r"body: |.*: is given twice")
"""The reasons for which a text does not become an object that Python could pass."""


def split(body: bytes) -> list[tuple[int, bytes]]:
    """Return each line that is not blank, with its number."""
    numbered = enumerate(re.split(rb"\r\n|\n|\r", body), 1)
    return [(number, line) for number, line in numbered if line.removeprefix(BOM).strip()]


@examples(40)
@given(body=bodies())
@example(body=BOM * 2 + b'{"symbol": "AAPL"}\n')
@example(body=b'{}\n"x"\n' + BOM + b"\n5")
@example(body=b'{"strategy": null}\n')
def test_every_door_answers_each_line_alike(doors: Doors, body: bytes) -> None:
    numbered = split(body)
    first = body.removeprefix(BOM).strip()[:1]
    assume(numbered and first != b"[")
    numbers, lines = zip(*numbered, strict=True)
    single = plain(doors.all_through("single", *lines))
    assert plain(doors.all_through("argument", *lines)) == single
    ndjson = doors.all_through("ndjson_lines", body)
    if isinstance(ndjson.answers[0], str):
        whole = ndjson.answers[0]
        assert single.answers[0] == whole
        assert doors.all_through("stdin_lines", body) == Outcome([whole], [], 0)
        file = doors.all_through("file_lines", body)
        assert file == Outcome([whole.removeprefix("body: ")], [], 0)
        return
    assert plain(ndjson) == single
    assert plain(doors.all_through("stdin_lines", body), numbers) == single
    if first == b"{" and not any(name in body for name in HASHES):
        assert plain(doors.all_through("file_lines", body), numbers) == single
    read = [line for line, why in zip(lines, single.answers, strict=True) if not UNREAD.match(why)]
    if read:
        python = plain(doors.all_through("python", *read))
        assert python.answers == [why for why in single.answers if not UNREAD.match(why)]
        assert python.rows == single.rows


def plain(outcome: Outcome, numbers: Sequence[int] = ()) -> Outcome:
    """Return the outcome with one answer for each line, without what differs by design."""
    (first, *_), rows, dead = outcome
    answers: list[str] = first if isinstance(first, list) else outcome.answers
    if isinstance(first, dict):
        assert first.keys() <= set(numbers)
        answers = [first.get(number, "") for number in numbers]
    texts = [CLOCK.sub(r"\1", NO_OBJECT.get(why, why)) for why in answers]
    return Outcome(texts, rows, dead)


HEAD = "POST /api/signals/batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


def posted(port: int, key: str, body: bytes, cuts: Sequence[int]) -> dict[str, Any]:
    """Post a body, in chunks and in packets that end at these places; return the answer."""
    head = f"{HEAD}X-API-Key: {key}\r\n".encode()
    if not cuts:
        pieces = [head + b"Content-Length: %d\r\n\r\n" % len(body) + body]
    else:
        ends = sorted({*(cut % len(body) for cut in cuts), 0, len(body)})
        chunks = [body[start:end] for start, end in pairwise(ends)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        data = head + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
        pieces = [data[start:end] for start, end in pairwise([0, *ends[1:-1], len(data)])]
    with connect(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        answer: dict[str, Any] = json.loads(read_all(client).partition(b"\r\n\r\n")[2])
    return answer


@pytest.mark.django_db(transaction=True)
def test_a_body_that_is_cut_anywhere_is_read_as_a_whole_one(port: int) -> None:
    """And what was accepted is stored, once, with the hash of the answer."""
    key = create_key("sender", ["write"])
    accepted: dict[str, str] = {}

    @examples(150)
    @given(body=bodies(), cuts=st.lists(st.integers(0), min_size=1, max_size=8))
    def is_read_as_whole(body: bytes, cuts: list[int]) -> None:
        whole, in_parts = (posted(port, key, body, each) for each in ([], cuts))
        assert in_parts == whole
        for each in in_parts.get("results", ()):
            if each["status"] == "accepted":
                accepted[each["signal_id"]] = each["sha256"]

    with served(application, port):
        is_read_as_whole()
    flusher().flush()
    assert dict(Signal.objects.values_list("signal_id", "sha256")) == accepted
    assert Signal.objects.count() == len(accepted) > 9
    assert not DeadLetter.objects.exists()
    assert verify(journal()).findings == []
