"""Ctrl-C and other interrupts of the main thread end its waits, and never a write for others."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest

from signals.journal import Journal, interrupts
from signals.journal.interrupts import InterruptsHeld
from tests.signals.journal.helpers import TIMEOUT, lines_of, numbered

SEED = 20261129


class Disk:
    """Lets a test stop in a sync of the journal, which then does what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.during_sync: Callable[[], object] = int
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self)

    def stop_in_sync(self) -> tuple[threading.Event, threading.Event]:
        """Let the next sync set the first event, and then wait for the second."""
        at_sync, go_on = threading.Event(), threading.Event()

        def stop() -> None:
            at_sync.set()
            assert go_on.wait(TIMEOUT)

        self.during_sync = stop
        return at_sync, go_on

    def __call__(self, descriptor: int) -> None:
        during_sync, self.during_sync = self.during_sync, int
        during_sync()
        self._real(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt: what a script starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


@pytest.fixture
def told() -> Iterator[list[int]]:
    """Handle SIGUSR1 and SIGUSR2 without an exception; give the numbers that came."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = {n: signal.signal(n, note) for n in (signal.SIGUSR1, signal.SIGUSR2)}
    yield came
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt(number: int = signal.SIGINT) -> None:
    """Interrupt this process, and give the main thread time to notice."""
    os.kill(os.getpid(), number)
    time.sleep(0.01)


def test_an_interrupt_comes_after_the_write_that_it_meets(journal: Journal, disk: Disk) -> None:
    disk.during_sync = interrupt
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"written"])
    assert lines_of(journal) == [b"written"]
    journal.append([b"next"])
    assert lines_of(journal) == [b"written", b"next"]


def test_those_who_wait_for_an_interrupted_leader_get_their_turn(
    journal: Journal, disk: Disk
) -> None:
    other = threading.Thread(target=journal.append, args=([b"other"],), daemon=True)

    def interrupted() -> None:
        other.start()
        time.sleep(0.1)  # the other waits for its turn by now; if not, it simply comes later
        interrupt()

    disk.during_sync = interrupted
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"first"])
    other.join(TIMEOUT)
    assert lines_of(journal) == [b"first", b"other"]


def test_a_handler_that_raises_nothing_leaves_the_append_whole(
    journal: Journal, disk: Disk, told: list[int]
) -> None:
    disk.during_sync = partial(interrupt, signal.SIGUSR1)
    journal.append([b"one"])
    assert told == [signal.SIGUSR1]
    assert lines_of(journal) == [b"one"]


def test_a_wait_goes_on_after_a_handler_that_raises_nothing(
    journal: Journal, disk: Disk, told: list[int]
) -> None:
    """The entry that left the queue for the handler joins it again, once."""
    at_sync, go_on = disk.stop_in_sync()
    first = threading.Thread(target=journal.append, args=([b"first"],), daemon=True)
    first.start()
    assert at_sync.wait(TIMEOUT)
    here = threading.get_ident()
    timers = [
        threading.Timer(0.1, signal.pthread_kill, [here, signal.SIGUSR1]),
        threading.Timer(0.4, go_on.set),
    ]
    for timer in timers:
        timer.start()
    journal.append([b"second"])
    for thread in (first, *timers):
        thread.join(TIMEOUT)
    assert told == [signal.SIGUSR1]
    assert lines_of(journal) == [b"first", b"second"]


def test_a_wait_that_is_broken_off_writes_nothing(journal: Journal, disk: Disk) -> None:
    at_sync, go_on = disk.stop_in_sync()
    first = threading.Thread(target=journal.append, args=([b"first"],), daemon=True)
    first.start()
    assert at_sync.wait(TIMEOUT)
    timer = threading.Timer(0.1, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"broken off"])
    go_on.set()
    for thread in (first, timer):
        thread.join(TIMEOUT)
    assert lines_of(journal) == [b"first"]


def test_several_interrupts_of_one_write_all_happen(
    journal: Journal, disk: Disk, told: list[int]
) -> None:
    def interrupted() -> None:
        for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGUSR2):
            interrupt(number)

    disk.during_sync = interrupted
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"one"])
    assert sorted(told) == [signal.SIGUSR1, signal.SIGUSR2]


def test_who_insists_is_obeyed_though_the_disk_hangs(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts, "PATIENCE", 0.05)
    steps: list[str] = []

    def hangs() -> None:
        interrupt()
        steps.append("held back")
        time.sleep(0.1)
        interrupt()
        steps.append("held back too")

    disk.during_sync = hangs
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"one"])
    assert steps == ["held back"]


def test_a_handler_that_somebody_took_from_the_block_still_works(
    journal: Journal, disk: Disk
) -> None:
    taken: list[Any] = []
    disk.during_sync = lambda: taken.append(signal.getsignal(signal.SIGINT))
    journal.append([b"one"])
    with pytest.raises(KeyboardInterrupt):
        taken[0](signal.SIGINT, None)


def test_an_interrupt_while_another_writes_this_entry_writes_it_no_second_time(
    journal: Journal, disk: Disk, told: list[int]
) -> None:
    here = threading.get_ident()
    gathered = threading.Event()
    second = threading.Thread(target=journal.append, args=([b"second"],), daemon=True)
    timer = threading.Timer(0.3, gathered.set)  # by then "second" waits, and then the main thread

    def interrupts_main() -> None:
        signal.pthread_kill(here, signal.SIGUSR1)
        time.sleep(0.3)

    def gathers() -> None:
        second.start()
        timer.start()
        assert gathered.wait(TIMEOUT)
        disk.during_sync = interrupts_main

    disk.during_sync = gathers
    first = threading.Thread(target=journal.append, args=([b"first"],), daemon=True)
    first.start()
    time.sleep(0.15)
    journal.append([b"third"])
    for thread in (first, second, timer):
        thread.join(TIMEOUT)
    assert told == [signal.SIGUSR1]
    assert lines_of(journal) == [b"first", b"second", b"third"]


def test_an_interrupt_at_the_moment_of_its_turn_leaves_the_turn_to_nobody_else(
    journal: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_sync, go_on = disk.stop_in_sync()
    first = threading.Thread(target=journal.append, args=([b"first"],), daemon=True)
    first.start()
    assert at_sync.wait(TIMEOUT)

    def turn_comes(_: InterruptsHeld) -> bool:
        go_on.set()
        first.join(TIMEOUT)
        interrupt()
        return True

    monkeypatch.setattr(InterruptsHeld, "any", property(turn_comes))
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"second"])
    third = threading.Thread(target=journal.append, args=([b"third"],), daemon=True)
    third.start()
    third.join(10)
    assert lines_of(journal) == [b"first", b"second", b"third"]


class Noise:
    """Interrupts the main thread again and again; raises once after `begin`, before `end`."""

    def __init__(self) -> None:
        self._chance = random.Random(SEED)
        self._here, self._done = threading.get_ident(), threading.Event()
        self._raises = False
        self._thread = threading.Thread(target=self._interrupt, daemon=True)

    def __enter__(self) -> "Noise":
        signal.signal(signal.SIGINT, self._handle)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(TIMEOUT)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(self) -> None:
        self._raises = True

    def end(self) -> None:
        self._raises = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._raises:
            self._raises = False
            signal.default_int_handler(number, frame)

    def _interrupt(self) -> None:
        while not self._done.wait(self._chance.uniform(0, 0.002)):
            signal.pthread_kill(self._here, signal.SIGINT)


def test_interrupts_at_any_moment_lose_nothing_and_stop_nobody(journal: Journal) -> None:
    acknowledged: list[bytes] = []

    def append_each(name: str) -> None:
        for line in numbered(name, 150):
            journal.append([line])
            acknowledged.append(line)

    threads = [threading.Thread(target=append_each, args=(name,), daemon=True) for name in "ab"]
    for thread in threads:
        thread.start()
    interrupted = 0
    with Noise() as noise:
        for line in numbered("main", 300):
            try:
                noise.begin()
                journal.append([line])
                acknowledged.append(line)
                noise.end()
            except KeyboardInterrupt:
                interrupted += 1
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
    lines = lines_of(journal)
    assert interrupted > 0
    assert len(set(lines)) == len(lines)
    assert set(acknowledged) <= set(lines)
