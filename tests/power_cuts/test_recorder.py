"""The recorder: nothing that changes a file escapes it."""

import io
import mmap
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from signals.files import make_folder, make_once
from signals.journal import Journal, JournalError
from tests.power_cuts.disk import NOTHING
from tests.power_cuts.escapes import NotModelled
from tests.power_cuts.layout import Contents, contents
from tests.power_cuts.recorder import Recorder
from tests.power_cuts.trace import Acknowledged, Refused, Sent


def durable(recorder: Recorder) -> Contents:
    """Return what is on the disk for certain after the trace."""
    return recorder.disk_at_end().after(NOTHING)


def test_what_is_synced_is_known_and_the_rest_too(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"before")
    with Recorder(tmp_path) as recorder:
        make_folder(tmp_path / "data" / "below")
        make_once(tmp_path / "data" / "secret", "content")
        (tmp_path / "text").write_text("not synced")
        with (tmp_path / "there").open("r+b") as file:
            file.truncate(3)
            os.fsync(file.fileno())
        (tmp_path / "text").replace(tmp_path / "moved")
    assert durable(recorder) == {
        "data": None, "data/below": None, "data/secret": b"content", "there": b"bef",
    }  # fmt: skip
    assert contents(tmp_path).keys() - durable(recorder).keys() == {"moved"}


def test_what_the_journal_promises_is_recorded(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        journal = Journal(tmp_path / "signals.log")
        journal.append([b"one", b"two"])
        recorder.run(lambda: refused(journal), fails_at=0)
    journal.close()
    promises = [step for step in recorder.trace if isinstance(step, Sent | Acknowledged | Refused)]
    assert promises == [
        Sent((b"one", b"two")), Acknowledged((b"one", b"two")), Sent((b"no",)), Refused((b"no",)),
    ]  # fmt: skip
    assert durable(recorder) == {"signals.log": b"one\ntwo\n"}


def refused(journal: Journal) -> None:
    with suppress(JournalError):
        journal.append([b"no"])


ESCAPES: dict[str, Callable[[Path], object]] = {
    "a file that C opens": lambda path: io.FileIO(path, "w"),
    "truncate": lambda path: os.truncate(path, 0),
    "symlink": lambda path: os.symlink(path, path.with_name("link")),
    "a database": lambda path: sqlite3.connect(path.with_name("signals.db")),
    "another folder": lambda path: os.rename(path, path.parent / "folder" / "file"),
}


@pytest.mark.parametrize("how", ESCAPES)
def test_a_change_that_is_not_modelled_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotModelled), Recorder(tmp_path):
        ESCAPES[how](path)
    assert path.read_bytes() == b"content"


def test_a_change_that_nobody_saw_is_noticed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with (
        path.open("r+b") as file,
        mmap.mmap(file.fileno(), 0) as mapped,
        pytest.raises(NotModelled, match="does not explain file"),
        Recorder(tmp_path),
    ):
        mapped[0:1] = b"C"


def test_a_dead_process_changes_nothing_and_promises_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "signals.log")
    with Recorder(tmp_path) as recorder:
        process = recorder.run(lambda: journal.append([b"four"]), dies_after=3)
        recorder.run((tmp_path / "later").touch)
    journal.close()
    assert process.dead
    assert [step for step in recorder.trace if isinstance(step, Acknowledged | Refused)] == []
    assert contents(tmp_path)["later"] == b""
