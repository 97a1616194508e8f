"""Readers of the feed wait in the event loop: they share reads, have limits, and leave nothing."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse

import pytest

from argo.web import readers as waiting
from argo.web.readers import Readers
from signals.events import EventType
from signals.feed.batch import Batch, Event
from signals.feed.cursor import Cursor
from signals.feed.waiting import HANDOVER, Asked, TooManyReaders
from tests.argo.web.clients import PATIENCE, Served, connect, read_all, served

MOST, MOST_EACH = 600, 550


class Numbers:
    """A feed of numbers, which counts how often it is read and looked at."""

    def __init__(self) -> None:
        self.last = self.reads = self.looks = 0
        self.is_away = False

    def end(self) -> int:
        self.looks += 1
        if self.is_away:
            raise OSError("the database is away")
        return self.last

    def read(self, cursor: Cursor, limit: int) -> Batch:
        self.reads += 1
        if self.is_away:
            raise OSError("the database is away")
        last = min(self.last, cursor.index + limit)
        events = [
            Event(EventType.SIGNAL_STORED, b"%d" % each, f"c{each}")
            for each in range(cursor.index + 1, last + 1)
        ]
        return Batch(events, Cursor(last, {}), is_last=last == self.last)


class Feed:
    """The server with a feed of numbers; anybody may read until `may_read` says no."""

    def __init__(self, port: int, numbers: Numbers, readers: Readers) -> None:
        self.port, self.numbers, self.readers = port, numbers, readers
        self.may_read: Callable[[], bool] = lambda: True
        self.served: Served

    def application(self, variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        query = parse_qs(variables["QUERY_STRING"])
        wait = query.get("wait")
        after, who = int(query.get("after", "0")[0]), query.get("who", "anna")[0]
        asked = Asked(Cursor(after, {}), 10, float(wait[0]) if wait else None, who,
                      self._still_may_read)  # fmt: skip
        status = "200 OK"
        if variables["PATH_INFO"].startswith("/api/feed"):
            try:
                variables[HANDOVER].take(asked)
            except TooManyReaders:
                status = "503 Service Unavailable"
        start(status, [("Content-Length", "2"), ("X-Kept", "yes")])
        return [b"{}"]

    def _still_may_read(self) -> bool:
        return self.may_read()

    def ask(self, query: str = "wait=30") -> socket.socket:
        """Ask and do not read the answer yet."""
        client = connect(self.port)
        client.sendall(f"GET /api/feed?{query} HTTP/1.1\r\nHost: a\r\n"
                       "Connection: close\r\n\r\n".encode())  # fmt: skip
        return client

    def wait_for_readers(self, count: int) -> None:
        until(lambda: self.readers.places.taken == count)


def nothing_after(index: int) -> bytes:
    return b'{"items":[],"next":"%b"}' % Cursor(index, {}).text().encode()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def feed(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setattr("argo.web.news.LOOK_EVERY", 0.01)
    monkeypatch.setattr("argo.web.news.LOOK_AFTER_ERROR", 0.01)
    numbers = Numbers()
    feed = Feed(port, numbers, Readers(numbers, MOST, MOST_EACH))
    with served(feed.application, port, readers=feed.readers) as feed.served:
        yield feed
    assert feed.readers.places.taken == 0


def test_a_poll_waits_for_the_first_event_and_keeps_the_headers_of_the_view(feed: Feed) -> None:
    with feed.ask() as client:
        feed.wait_for_readers(1)
        feed.numbers.last = 3
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert body == b'{"items":[1,2,3],"next":"%b"}' % Cursor(3, {}).text().encode()
    assert b"x-kept: yes" in head
    assert re.findall(rb"(?i)content-length: (\d+)", head) == [b"%d" % len(body)]


def test_a_poll_without_an_event_ends_in_time_with_its_own_cursor(feed: Feed) -> None:
    feed.numbers.last = 5
    with feed.ask("wait=0.05&after=5") as client:
        assert read_all(client).endswith(
            b'{"items":[],"next":"%b"}' % Cursor(5, {}).text().encode()
        )


def test_a_stream_sends_what_happens_and_a_comment_when_nothing_does(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "COMMENT_EVERY", 0.05)
    feed.numbers.last = 1
    with feed.ask("after=0") as client:
        found = b""
        while b":\n\n" not in found:
            found += client.recv(4096)
        feed.numbers.last = 2
        while b"data: 2\n\n" not in found:
            found += client.recv(4096)
    assert b"id: c1\nevent: signal.stored\ndata: 1\n\n" in found
    assert b"content-length" not in found.lower()
    assert found.index(b"retry: ") < found.index(b"data: 1")
    feed.wait_for_readers(0)


def test_a_stream_ends_when_its_reader_may_not_read_any_more(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "COMMENT_EVERY", 0.02)
    with feed.ask("after=0") as client:
        feed.wait_for_readers(1)
        feed.may_read = lambda: False
        assert read_all(client).endswith(b"0\r\n\r\n")


def test_readers_at_one_place_share_one_read(feed: Feed) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(feed.ask("wait=30")) for _ in range(50)]
        feed.wait_for_readers(50)
        until(lambda: len(feed.readers.news._waiting) == 50)
        before = feed.numbers.reads
        feed.numbers.last = 1
        for client in clients:
            assert b'"items":[1]' in read_all(client)
    assert feed.numbers.reads - before <= 2


def test_nobody_looks_while_nobody_waits(feed: Feed) -> None:
    with feed.ask("wait=0.05") as client:
        read_all(client)
    feed.wait_for_readers(0)
    until(lambda: feed.readers.news._watcher is None or feed.readers.news._watcher.done())
    looks = feed.numbers.looks
    time.sleep(0.1)
    assert feed.numbers.looks == looks


def test_500_readers_who_vanish_leave_nothing_behind(feed: Feed) -> None:
    threads = threading.active_count()
    clients = [feed.ask("after=0" if number % 2 else "wait=60") for number in range(500)]
    feed.wait_for_readers(500)
    for client in clients:
        client.close()
    feed.wait_for_readers(0)
    feed.served.wait_until_empty()
    assert not feed.readers.news._waiting
    assert threading.active_count() < threads + 20


def test_a_reader_above_the_limits_is_refused_and_others_are_not(feed: Feed) -> None:
    feed.readers.places._most, feed.readers.places._most_each = 3, 2
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(feed.ask("wait=30&who=anna"))
        feed.wait_for_readers(2)
        with feed.ask("wait=30&who=anna") as refused:
            assert read_all(refused).startswith(b"HTTP/1.1 503")
        stack.enter_context(feed.ask("wait=30&who=bert"))
        feed.wait_for_readers(3)
        with feed.ask("wait=30&who=carl") as refused:
            assert read_all(refused).startswith(b"HTTP/1.1 503")


def test_a_server_that_stops_ends_its_readers_cleanly(feed: Feed) -> None:
    with feed.ask("wait=60&after=0") as poll, feed.ask("after=0") as stream:
        feed.wait_for_readers(2)
        feed.served.stop()
        assert read_all(poll).endswith(nothing_after(0))
        assert read_all(stream).endswith(b"0\r\n\r\n")
    feed.served.thread.join(PATIENCE)
    assert not feed.served.thread.is_alive()


def test_readers_wait_while_the_database_is_away_and_go_on_after_it(feed: Feed) -> None:
    with feed.ask("after=0") as stream:
        until(lambda: len(feed.readers.news._waiting) == 1)
        feed.numbers.is_away = True
        looks = feed.numbers.looks
        until(lambda: feed.numbers.looks > looks + 2)
        feed.numbers.last, feed.numbers.is_away = 1, False
        found = b""
        while b"data: 1\n\n" not in found:
            found += stream.recv(4096)


def test_readers_who_wait_take_no_thread_from_others(feed: Feed) -> None:
    with ExitStack() as stack:
        for _ in range(40):  # there are four threads
            stack.enter_context(feed.ask("wait=60"))
        feed.wait_for_readers(40)
        with connect(feed.port) as client:
            client.sendall(b"GET /api/signals HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in read_all(client)


def test_a_reader_who_reads_slowly_gets_everything_and_holds_little(feed: Feed) -> None:
    feed.numbers.last = 200_000
    with connect(feed.port, receive=4096) as client:
        client.sendall(b"GET /api/feed?after=0 HTTP/1.0\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        assert feed.numbers.reads < 20_000  # it waits for its reader
        feed.readers.stop()
        found = re.findall(rb"data: (\d+)\n", read_all(client))
    assert found == [b"%d" % each for each in range(1, len(found) + 1)]
