"""Appended lines are on disk, a failed write leaves nothing, and a torn line is not read."""

import asyncio
import errno
import os
import resource
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signals.journal import Journal, JournalError
from tests.signals.journal.helpers import TIMEOUT, in_processes, lines_of, numbered

Sync = Callable[[int], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signals.log"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The content of the file after each `fdatasync`."""
    seen: list[bytes] = []
    real = os.fdatasync

    def record(descriptor: int) -> None:
        real(descriptor)
        seen.append(os.pread(descriptor, 2**20, 0))

    monkeypatch.setattr(os, "fdatasync", record)
    return seen


def test_append_returns_after_the_sync_that_covers_its_lines(
    journal: Journal, synced: list[bytes]
) -> None:
    journal.append([b"one", b"two"])
    assert synced[-1] == b"one\ntwo\n"
    journal.append([b"three"])
    assert synced[-1] == b"one\ntwo\nthree\n"


def test_what_another_process_wrote_is_synced_before_it_is_read(
    journal: Journal, synced: list[bytes], path: Path
) -> None:
    """It may have died before its own sync; what this process wrote is synced already."""
    journal.append([b"one"])
    assert lines_of(journal) == [b"one"]
    assert synced == [b"one\n"]
    with path.open("ab") as other:
        other.write(b"two\n")
    assert lines_of(journal) == [b"one", b"two"]
    assert synced == [b"one\n", b"one\ntwo\n"]


def test_a_coroutine_goes_on_after_the_sync_that_covers_its_line(
    journal: Journal, synced: list[bytes]
) -> None:
    asyncio.run(journal.append_async(b"one"))
    assert synced[-1] == b"one\n"


def test_append_does_not_return_while_the_sync_is_under_way(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_sync, go_on = threading.Event(), threading.Event()

    def hold_up(_: int) -> None:
        at_sync.set()
        assert go_on.wait(TIMEOUT)

    monkeypatch.setattr(os, "fdatasync", hold_up)
    caller = threading.Thread(target=journal.append, args=([b"one"],))
    caller.start()
    assert at_sync.wait(TIMEOUT)

    caller.join(0.2)
    assert caller.is_alive()
    go_on.set()
    caller.join(TIMEOUT)
    assert not caller.is_alive()


def test_a_line_that_may_yet_be_undone_is_not_read(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_sync, go_on, real = threading.Event(), threading.Event(), os.fdatasync

    def fail_in_the_end(_: int) -> None:
        monkeypatch.setattr(os, "fdatasync", real)
        at_sync.set()
        assert go_on.wait(TIMEOUT)
        raise OSError(errno.EIO, "Input/output error")

    def append() -> None:
        with pytest.raises(JournalError):
            journal.append([b"undone"])

    read: list[bytes] = []
    monkeypatch.setattr(os, "fdatasync", fail_in_the_end)
    writer = threading.Thread(target=append)
    reader = threading.Thread(target=lambda: read.extend(lines_of(Journal(journal.path))))
    writer.start()
    assert at_sync.wait(TIMEOUT)
    reader.start()
    reader.join(0.2)
    go_on.set()
    writer.join(TIMEOUT)
    reader.join(TIMEOUT)
    assert read == []


def test_a_new_file_is_synced_into_its_folder_before_anything_is_acknowledged(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[tuple[int, bool]] = []
    real = os.fsync

    def record(descriptor: int) -> None:
        real(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append((os.fstat(descriptor).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", record)
    journal.append([b"one"])
    assert (path.parent.stat().st_ino, True) in folders


def test_a_failed_sync_is_undone_and_raised_to_the_caller(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([b"before"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails_with(errno.EIO))
        with pytest.raises(JournalError, match=r"signals\.log cannot be written"):
            journal.append([b"lost", b"lost too"])
    assert path.read_bytes() == b"before\n"

    journal.append([b"after"])
    assert lines_of(journal) == [b"before", b"after"]


def test_a_failed_sync_reaches_a_coroutine(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails_with(errno.EIO))
        with pytest.raises(JournalError):
            asyncio.run(journal.append_async(b"lost"))
    assert path.read_bytes() == b""
    asyncio.run(journal.append_async(b"after"))
    assert lines_of(journal) == [b"after"]


def test_a_write_beyond_a_limit_is_undone_and_later_ones_work(path: Path) -> None:
    in_processes(lambda: write_beyond_a_limit(Journal(path)))
    assert lines_of(Journal(path)) == [b"before", b"small", b"after" * 1000]


def write_beyond_a_limit(journal: Journal) -> None:
    """Use RLIMIT_FSIZE like a full disk: the kernel writes a part and refuses the rest."""
    journal.append([b"before"])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    with pytest.raises(JournalError, match="File too large"):
        journal.append([b"a" * 600, b"b" * 600])
    assert journal.path.read_bytes() == b"before\n"
    journal.append([b"small"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.append([b"after" * 1000])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=256k", "argo-test", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(small_disk: Path) -> None:
    journal = Journal(small_disk / "signals.log")
    journal.append([b"before"])
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 200 * 1024)

    with pytest.raises(JournalError, match="No space left on device"):
        journal.append([b"a" * 1000] * 100)
    assert journal.path.read_bytes() == b"before\n"
    assert lines_of(journal) == [b"before"]

    filler.unlink()
    journal.append([b"a" * 1000] * 100)
    assert lines_of(journal) == [b"before", *[b"a" * 1000] * 100]
    journal.close()


@pytest.mark.parametrize("torn", [b"half a li", b"x" * 200_000], ids=["short", "long"])
@pytest.mark.parametrize("before", [[], [b"whole"]], ids=["alone", "behind a line"])
def test_a_torn_tail_is_not_read_and_the_next_writer_cuts_it_off(
    path: Path, before: list[bytes], torn: bytes
) -> None:
    Journal(path).append(before)
    with path.open("ab") as file:
        file.write(torn)
    reader = Journal(path)
    assert lines_of(reader) == before
    assert reader.end().byte == sum(len(line) + 1 for line in before)

    Journal(path).append([b"next"])
    assert lines_of(reader) == [*before, b"next"]
    assert path.read_bytes() == b"".join(line + b"\n" for line in [*before, b"next"])


def test_a_writer_cuts_off_a_torn_line_that_came_after_its_own_last_line(
    journal: Journal, path: Path
) -> None:
    journal.append([b"one"])
    Journal(path).append([b"two"])
    with path.open("ab") as file:
        file.write(b"thr")
    journal.append([b"four"])
    assert path.read_bytes() == b"one\ntwo\nfour\n"


def test_a_failed_write_brings_no_torn_tail_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"before\nhalf a line that nobody was told of")
    journal = Journal(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails_with(errno.EIO))
        with pytest.raises(JournalError):
            journal.append([b"lost"])
    assert path.read_bytes() == b"before\n"

    journal.append([b"after"])
    assert lines_of(journal) == [b"before", b"after"]
    journal.close()


def test_a_closed_journal_opens_again(journal: Journal) -> None:
    journal.append([b"one"])
    journal.close()
    journal.close()
    journal.append([b"two"])
    asyncio.run(journal.append_async(b"three"))
    journal.close()
    asyncio.run(journal.append_async(b"four"))
    assert lines_of(journal) == [b"one", b"two", b"three", b"four"]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "not" / "yet" / "signals.log")
    assert lines_of(journal) == []
    journal.append(numbered("a", 3))
    assert lines_of(journal) == numbered("a", 3)
    journal.close()


def fails_with(number: int) -> Sync:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    return fail
