"""Many processes on one journal: every line is complete and read once; some seal, fork or die."""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

from signals.journal import START, Journal, Line, LineLookup
from tests.signals.journal.helpers import (
    TIMEOUT,
    by_writer,
    children,
    fork,
    in_processes,
    lines_of,
    numbered,
    read_all,
    wait_until,
)

TINY = 2048
"""The size of a segment of about five lines."""


def write(path: Path, who: str, count: int) -> None:
    """Append `count` lines of many lengths, most of them singly, some in small groups."""
    journal = Journal(path, segment_bytes=TINY)
    lines = padded(who, count)
    while lines:
        few = 5 if len(lines) % 7 == 0 else 1
        journal.append(lines[:few])
        lines = lines[few:]


def padded(who: str, count: int) -> list[bytes]:
    return [b"x" * (number * 37 % 1000) + who.encode() + b" %d" % number for number in range(count)]


def unpadded(lines: list[bytes]) -> list[bytes]:
    return [line.lstrip(b"x") for line in lines]


def test_every_line_is_complete_and_read_once_while_hundreds_of_segments_are_sealed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "signals.log"
    with children() as writers:
        for number in range(5):
            writers.start(partial(write, path, f"w{number}", 400))
        seen = follow(Journal(path), 2000)
        writers.finish()

    journal = Journal(path)
    assert by_writer(unpadded(lines_of(journal))) == {
        f"w{n}": numbered(f"w{n}", 400) for n in range(5)
    }
    assert len(journal.segments.sealed()) > 250
    assert all(file.stat().st_size >= TINY for file in journal.segments.sealed().values())
    assert seen == read_all(journal)
    assert_offsets_hold(journal, seen)


def follow(journal: Journal, count: int) -> list[Line]:
    """Read while others write, until `count` lines have come."""
    position, lines = START, list[Line]()

    def all_came() -> bool:
        nonlocal position
        assert min(journal.pending_bytes(position) for _ in range(3)) >= 0
        if chunk := journal.read(position, max_lines=100):
            position = chunk.end
            lines.extend(chunk.lines)
        return len(lines) >= count

    wait_until(all_came)
    return lines


def assert_offsets_hold(journal: Journal, lines: list[Line]) -> None:
    lookup = LineLookup(journal.segments)
    assert [lookup.line(line.offset) for line in lines] == [line.data for line in lines]
    assert all(one.offset < next_.offset for one, next_ in pairwise(lines))
    lookup.close()


def test_a_forked_child_and_its_parent_append_at_once(tmp_path: Path) -> None:
    """The fork may come while a thread of the parent writes: the child has no part in that."""
    journal = Journal(tmp_path / "signals.log")
    stop = threading.Event()
    threads = [
        threading.Thread(target=append_until, args=(journal, f"t{n}", stop)) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    with children() as forked:
        for number in range(30):
            forked.start(partial(append_in_child, journal, f"c{number}"))
        forked.finish()
    stop.set()
    for thread in threads:
        thread.join(TIMEOUT)

    found = by_writer(lines_of(journal))
    assert all(found[f"c{n}"] == numbered(f"c{n}", 10) for n in range(30))
    assert all(found[who] == numbered(who, len(found[who])) for who in ("t0", "t1", "t2"))
    assert len(found) == 33


def append_until(journal: Journal, who: str, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        journal.append([f"{who} {number}".encode()])
        number += 1


def append_in_child(journal: Journal, who: str) -> None:
    for line in numbered(who, 10):
        journal.append([line])
    journal.close()


def test_a_forked_child_does_not_keep_the_lock_of_a_killed_parent(tmp_path: Path) -> None:
    """An inherited descriptor would keep it: `flock` ends when its last copy is closed."""
    path = tmp_path / "signals.log"
    grandchild, says = fork.Pipe(duplex=False)
    with children() as running:
        parent = running.start(partial(hold_the_lock_and_fork, path, says.send))
        pid = grandchild.recv()
        try:
            parent.kill()
            parent.join()
            in_processes(lambda: Journal(path).append([b"after"]))
        finally:
            os.kill(pid, 9)
    assert lines_of(Journal(path))[-1] == b"after"


def hold_the_lock_and_fork(path: Path, send: Callable[[int], None]) -> None:
    """Fork a child while a thread is between its write and the end of its sync."""
    at_sync = threading.Event()

    def hold_up(_: object) -> None:
        at_sync.set()
        threading.Event().wait(TIMEOUT)

    os.fdatasync = hold_up  # type: ignore[assignment]  # in this process alone
    journal = Journal(path)
    threading.Thread(target=journal.append, args=([b"one"],), daemon=True).start()
    assert at_sync.wait(TIMEOUT)
    pid = os.fork()
    if pid:
        send(pid)
    while True:
        signal.pause()


def test_a_journal_has_one_identity_even_if_many_processes_ask_first(tmp_path: Path) -> None:
    path = tmp_path / "new" / "signals.log"
    together = fork.Barrier(12)
    answers = fork.SimpleQueue()

    def ask() -> None:
        together.wait(TIMEOUT)
        answers.put(Journal(path).identity)

    in_processes(*[ask] * 12)
    identities = {answers.get() for _ in range(12)}
    assert identities == {Journal(path).identity}
    assert [file.name for file in path.parent.iterdir()] == ["signals.id"]


def test_another_journal_has_another_identity(tmp_path: Path) -> None:
    one, two = Journal(tmp_path / "one.log"), Journal(tmp_path / "two.log")
    assert one.identity != two.identity
    assert len(one.identity) == 32
