"""A lock has one holder at a time, between real processes, and the second one learns who it is."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from signals.locks import FileLock, LockedByAnother, LockLost
from tests.installation import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from signals.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_error_names_the_holding_process(path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockedByAnother, match=rf"some\.lock is held by process {holder.pid}\.$"):
        FileLock(path).acquire()


def test_a_killed_holder_loses_the_lock(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    path.write_text("the number of an earlier holder, and a longer one")
    lock = FileLock(path)

    lock.acquire()

    assert path.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_released_lock_can_be_taken_again(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    first.acquire()
    first.release()

    second.acquire()
    second.verify()
    second.release()


def test_a_lock_whose_file_cannot_be_written_is_not_held(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    first = FileLock(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            first.acquire()
    second = FileLock(path)
    second.acquire()
    second.release()


def test_a_holder_notices_that_its_file_was_deleted(path: Path) -> None:
    lock = FileLock(path)
    lock.acquire()
    lock.verify()

    path.unlink()
    with pytest.raises(LockLost, match="deleted or replaced"):
        lock.verify()
    path.touch()
    with pytest.raises(LockLost):
        lock.verify()
    lock.release()


def test_a_file_deleted_before_it_is_locked_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(path)
    real = lock._lock

    def delete_meanwhile() -> int:
        monkeypatch.undo()
        descriptor = real()
        path.unlink()
        return descriptor

    monkeypatch.setattr(lock, "_lock", delete_meanwhile)

    lock.acquire()

    lock.verify()
    lock.release()
