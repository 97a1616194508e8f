"""The journal file is deleted, moved, replaced or cut while writers have it open."""

import logging
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from signals.journal import Journal, JournalError, JournalReplaced
from tests.signals.journal.helpers import (
    by_writer,
    children,
    content,
    end_position,
    fork,
    lines_of,
    numbered,
    read_all,
)

Loss = Callable[[Path], object]


def delete(path: Path) -> None:
    path.unlink(missing_ok=True)


def move_away(path: Path) -> None:
    if path.exists():
        path.rename(path.with_suffix(".elsewhere"))


def replace(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_bytes(b"somebody else's 0\n")
    other.replace(path)


def delete_the_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


LOSSES = pytest.mark.parametrize("lose", [delete, move_away, replace, delete_the_folder])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "signals.log"


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(path)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@LOSSES
def test_the_next_write_puts_the_lost_lines_back(
    journal: Journal, path: Path, lose: Loss, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append(numbered("a", 5))
    lose(path)
    journal.append([b"after"])

    assert set(lines_of(journal)) >= {*numbered("a", 5), b"after"}
    assert content(path.parent)["signals-000001-rescued.log"] == b"a 0\na 1\na 2\na 3\na 4\n"
    assert [rescued.name for rescued in journal.segments.rescued()] == [
        "signals-000001-rescued.log"
    ]
    assert "kept as signals-000001-rescued.log" in errors(caplog)[0]


@LOSSES
def test_closing_puts_the_lost_lines_back(journal: Journal, path: Path, lose: Loss) -> None:
    journal.append(numbered("a", 5))
    lose(path)
    journal.close()
    assert set(lines_of(Journal(path))) >= set(numbered("a", 5))


def test_a_line_is_written_again_if_the_file_is_deleted_during_the_write(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may die before its next write, so the line is written again at once."""
    journal.append([b"one"])
    real = os.fdatasync

    def lose_once(descriptor: int) -> None:
        real(descriptor)
        monkeypatch.setattr(os, "fdatasync", real)
        path.unlink()

    monkeypatch.setattr(os, "fdatasync", lose_once)
    journal.append([b"two"])
    assert set(lines_of(Journal(path))) == {b"one", b"two"}


def test_two_writers_that_lost_the_same_file_put_it_back_once(journal: Journal, path: Path) -> None:
    other = Journal(path)
    journal.append([b"one"])
    other.append([b"two"])
    path.unlink()
    journal.append([b"three"])
    other.append([b"four"])
    assert lines_of(journal) == [b"one", b"two", b"three", b"four"]
    assert len(journal.segments.rescued()) == 1


def test_lines_that_cannot_be_put_back_now_are_put_back_later(journal: Journal, path: Path) -> None:
    journal.append([b"one"])
    path.unlink()
    in_the_way = path.with_name("signals-000001-rescued.log.draft")
    in_the_way.mkdir()
    with pytest.raises(JournalError):
        journal.append([b"refused"])

    in_the_way.rmdir()
    journal.append([b"two"])
    assert lines_of(journal) == [b"one", b"two"]


def test_a_file_that_another_process_sealed_is_not_taken_for_lost(path: Path) -> None:
    journal, other = Journal(path, segment_bytes=100), Journal(path, segment_bytes=100)
    journal.append([b"one"])
    other.append([b"x" * 200])
    other.append([b"two"])
    journal.append([b"three"])
    assert lines_of(journal) == [b"one", b"x" * 200, b"two", b"three"]
    assert journal.segments.rescued() == []


def test_a_person_acknowledges_a_rescue_by_renaming_the_file(journal: Journal, path: Path) -> None:
    journal.append([b"one"])
    position = end_position(journal)
    path.unlink()
    journal.append([b"two"])
    journal.segments.rescued()[0].rename(journal.segments.sealed_path(1))
    assert journal.segments.rescued() == []
    assert [line.data for line in read_all(journal, position)] == [b"two"]
    assert lines_of(journal) == [b"one", b"two"]


@pytest.mark.parametrize("lose", [delete, move_away, replace])
def test_nothing_is_lost_when_many_writers_lose_the_file_repeatedly(path: Path, lose: Loss) -> None:
    stop = fork.Event()
    answers = fork.SimpleQueue()

    def write(who: str) -> None:
        journal, number = Journal(path, segment_bytes=20_000), 0
        while not stop.is_set():
            journal.append([f"{who} {number}".encode()])
            number += 1
        journal.close()
        answers.put((who, number))

    with children() as writers:
        for who in "abcd":
            writers.start(partial(write, who))
        for _ in range(25):
            lose(path)
            time.sleep(0.02)
        stop.set()
        acknowledged = dict(answers.get() for _ in "abcd")
        writers.finish()

    found = by_writer(lines_of(Journal(path)))
    lost = {who: set(numbered(who, acknowledged[who])) - set(found[who]) for who in "abcd"}
    assert lost == {who: set() for who in "abcd"}


def test_a_file_cut_under_a_writer_is_logged_at_error(
    journal: Journal, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append(numbered("a", 5))
    position = end_position(journal)
    os.truncate(path, 0)
    journal.append([b"after"])

    assert "was cut from 20 to 0 bytes" in errors(caplog)[0]
    with pytest.raises(JournalReplaced, match="another file"):
        journal.read(position)
    assert [line.data for line in read_all(journal, journal.restart(position))] == [b"after"]


def test_a_file_cut_and_extended_beyond_the_reader_is_noticed(journal: Journal, path: Path) -> None:
    """It looks like an older copy that was put back: it begins with the same lines."""
    journal.append(numbered("a", 200))
    position = end_position(journal)
    os.truncate(path, path.stat().st_size // 2)
    journal.append(numbered("b", 500))
    assert path.stat().st_size > position.byte
    with pytest.raises(JournalReplaced, match="another file"):
        journal.read(position)
