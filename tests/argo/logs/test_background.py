"""A log that nobody reads delays nobody, and says afterwards what is missing."""

import fcntl
import logging
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from argo.logs.background import BackgroundWriter
from argo.logs.handler import BackgroundHandler
from argo.logs.lines import line_formatter
from tests.installation import Installation

LONG = "x" * 1000


@dataclass
class Pipe:
    """A pipe, which holds 64 KiB until somebody reads."""

    ends: tuple[int, int] = field(default_factory=os.pipe)

    def read_all(self, last: str) -> str:
        """Read until this text has come."""
        found = b""
        while last.encode() not in found:
            found += os.read(self.ends[0], 2**20)
        return found.decode()

    def close(self) -> None:
        for end in self.ends:
            os.close(end)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


@pytest.fixture
def handler(pipe: Pipe) -> BackgroundHandler:
    made = BackgroundHandler(pipe.ends[1])
    made.setFormatter(line_formatter("text"))
    return made


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("sync.some", logging.INFO, "", 0, text, (), None)


def test_lines_come_whole_and_in_order_from_many_threads(
    pipe: Pipe, handler: BackgroundHandler
) -> None:
    def log(name: int) -> None:
        for number in range(50):
            handler.handle(record(f"<{name} {number}>"))

    threads = [threading.Thread(target=log, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()
    handler.handle(record("the end"))

    lines = pipe.read_all("the end").splitlines()
    assert len(lines) == 201
    for name in range(4):
        mine = [line for line in lines if f": <{name} " in line]
        assert [f"<{name} {number}>" in line for number, line in enumerate(mine)] == [True] * 50


def test_a_pipe_that_nobody_reads_delays_nobody_and_one_line_says_what_is_missing(
    pipe: Pipe, handler: BackgroundHandler
) -> None:
    began = time.monotonic()
    for number in range(5000):
        handler.handle(record(f"{number} {LONG}"))
    assert time.monotonic() - began < 5  # it would wait for ever

    text = pipe.read_all("were dropped")
    handler.handle(record("it goes on"))
    text += pipe.read_all("it goes on")
    missing = sum(map(int, re.findall(r"WARNING argo\.logs\.handler: (\d+) log lines", text)))
    assert missing == 5000 - text.count(LONG) > 0


def test_the_end_of_a_program_waits_only_a_moment_for_a_pipe_that_nobody_reads(pipe: Pipe) -> None:
    writer = BackgroundWriter(lambda text: (os.write(pipe.ends[1], b"x" * 2**20), None)[1], str)
    writer.put("line\n")
    began = time.monotonic()
    assert not writer.finish(0.2)
    assert 0.1 < time.monotonic() - began < 5
    os.set_blocking(pipe.ends[0], False)
    while not writer.finish(0.05):
        os.read(pipe.ends[0], 2**20)


def test_a_terminal_that_another_program_made_non_blocking_gets_every_line(
    pipe: Pipe, handler: BackgroundHandler
) -> None:
    os.set_blocking(pipe.ends[1], False)
    for number in range(200):
        handler.handle(record(f"{number} {LONG}"))
    handler.handle(record("the end"))
    assert pipe.read_all("the end").count(LONG) == 200


def test_a_closed_pipe_ends_nobody(handler: BackgroundHandler, pipe: Pipe) -> None:
    nobody, closed = os.pipe()
    os.close(nobody)
    os.dup2(closed, pipe.ends[1])
    os.close(closed)
    for _ in range(3):
        handler.handle(record("one"))
        handler.flush()


def test_a_forked_child_writes_its_own_lines_and_not_its_parents(
    pipe: Pipe, handler: BackgroundHandler
) -> None:
    fcntl.fcntl(pipe.ends[1], fcntl.F_SETPIPE_SZ, 4096)
    handler.handle(record(f"parent {LONG * 3}"))
    handler.handle(record(f"parent {LONG * 3}"))  # waits for its turn
    if (pid := os.fork()) == 0:
        handler.handle(record("child"))
        handler.flush()
        os._exit(0)
    text = pipe.read_all("child")
    os.waitpid(pid, 0)
    handler.flush()
    os.set_blocking(pipe.ends[0], False)
    with suppress(BlockingIOError):
        text += os.read(pipe.ends[0], 2**20).decode()
    assert text.count("parent") == 2
    assert text.count("child") == 1


def test_a_line_that_cannot_be_made_is_reported_without_what_it_contains(
    pipe: Pipe, handler: BackgroundHandler
) -> None:
    bad = logging.LogRecord("sync.some", logging.INFO, "x.py", 7, "%d", ("secret",), None)
    handler.handle(bad)
    text = pipe.read_all("could not be made")
    assert "A log line of x.py, line 7, could not be made: TypeError" in text
    assert "secret" not in text


STORE = """
import django; django.setup()
from signals.tracker import SignalTracker
from tests.samples import a_signal
tracker = SignalTracker()
tracker.log_signals([a_signal(signal_id=f"s-{n:05}", reasoning="x") for n in range(6000)])
"""


def test_intake_and_flush_go_on_while_nobody_reads_their_log(installation: Installation) -> None:
    argo = Installation(installation.folder, {"ARGO_LOG_LEVELS": "storage=DEBUG"})
    process = argo.start("-c", STORE, stderr=subprocess.PIPE)

    assert process.wait(60) == 0
    assert argo.query("SELECT count(*) FROM signals") == [(6000,)]
    assert process.stderr is not None
    assert "DEBUG signals.ledger.flush: Stored s-00000" in process.stderr.read()
    process.stderr.close()
