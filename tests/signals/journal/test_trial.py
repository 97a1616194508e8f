"""Whether the journal can be written is found out by trying, and leaves nothing behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signals.journal import Journal, JournalError

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is reached and owned by a user without privileges."""
    made = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be an ordinary user within the block: nothing is forbidden to root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def is_writable(journal: Journal) -> bool:
    try:
        journal.try_writing()
    except JournalError:
        return False
    return True


def test_nothing_remains_of_the_trial(folder: Path) -> None:
    journal = Journal(folder / "signals.log")
    assert is_writable(journal)
    assert list(folder.iterdir()) == []
    journal.append([b"a line"])
    before = journal.path.stat()
    assert is_writable(journal)
    after = journal.path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert [path.name for path in folder.iterdir()] == ["signals.log"]
    journal.close()


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    journal = Journal(folder / "signals.log")
    with without_privileges():
        assert is_writable(journal)
        folder.chmod(0o555)
        assert not is_writable(journal)
        folder.chmod(0o755)
        assert is_writable(journal)


def test_a_journal_of_another_user(folder: Path) -> None:
    journal = Journal(folder / "signals.log")
    journal.append([b"a line"])
    journal.close()
    journal.path.chmod(0o444)
    with without_privileges():
        assert not is_writable(journal)
    journal.path.chmod(0o666)
    with without_privileges():
        assert is_writable(journal)


def test_a_folder_in_place_of_the_journal(folder: Path) -> None:
    journal = Journal(folder / "signals.log")
    journal.path.mkdir()
    with pytest.raises(JournalError, match="cannot be written"):
        journal.try_writing()
