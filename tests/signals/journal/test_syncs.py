"""What a power cut may not lose is synced before anything relies on it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from signals.journal import START, Journal, JournalPosition, JournalReplaced
from tests.signals.journal.helpers import numbered, read_all


class Calls:
    """The system calls in their order: syncs with the size of their file, and renames."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str, int]] = []
        for name in ("fdatasync", "fsync"):
            patch.setattr(os, name, self._sync(name, getattr(os, name)))
        rename = Path.rename

        def record(path: Path, target: Path) -> Path:
            self.made.append(("rename", path.name, path.stat().st_size))
            return rename(path, target)

        patch.setattr(Path, "rename", record)

    def _sync(self, name: str, real: Callable[[int], None]) -> Callable[[int], None]:
        def record(descriptor: int) -> None:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            self.made.append(("sync", path.name, os.fstat(descriptor).st_size))
            real(descriptor)

        return record

    def synced_before_renamed(self, name: str) -> bool:
        """Return whether the file had been synced at its full size when it was renamed."""
        (place,) = [place for place, call in enumerate(self.made) if call[:2] == ("rename", name)]
        return ("sync", name, self.made[place][2]) in self.made[:place]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


def test_what_a_writer_has_not_synced_yet_is_synced_before_it_is_read(
    tmp_path: Path, calls: Calls
) -> None:
    """A writer died between write and sync; its line must not be in the database alone."""
    path = tmp_path / "signals.log"
    path.write_bytes(b"one\ntwo\n")
    reader = Journal(path)
    chunk = reader.read(START)
    assert chunk is not None
    assert [line.data for line in chunk.lines] == [b"one", b"two"]
    assert calls.made == [("sync", "signals.log", 8)]
    with path.open("ab") as file:
        file.write(b"three\n")
    assert reader.read(chunk.end) is not None
    assert calls.made[-1] == ("sync", "signals.log", 14)


def test_a_segment_is_synced_before_it_is_sealed(tmp_path: Path, calls: Calls) -> None:
    """Readers take a sealed segment for durable; the line of a writer that died may not be."""
    path = tmp_path / "signals.log"
    path.write_bytes(b"unsynced line\n" * 10)
    journal = Journal(path, segment_bytes=100)
    journal.append([b"next"])
    journal.close()
    assert calls.synced_before_renamed("signals.log")


def test_a_rescued_copy_is_synced_before_it_counts(tmp_path: Path, calls: Calls) -> None:
    path = tmp_path / "signals.log"
    journal = Journal(path)
    journal.append(numbered("a", 5))
    path.unlink()
    journal.append([b"after"])
    journal.close()
    draft = "signals-000001-rescued.log.draft"
    assert calls.synced_before_renamed(draft)
    renamed = [call[:2] for call in calls.made].index(("rename", draft))
    assert ("sync", tmp_path.name) in [call[:2] for call in calls.made[renamed:]]


@pytest.mark.parametrize("segment", [1, 2])
def test_a_replaced_segment_that_has_later_ones_is_read_from_its_beginning(
    tmp_path: Path, segment: int
) -> None:
    journal = Journal(tmp_path / "signals.log", segment_bytes=40)
    for line in numbered("a" * 50, 4):
        journal.append([line])
    sealed = journal.segments.sealed()
    assert len(sealed) >= 3
    position = _end_of(journal, segment)
    sealed[segment].write_bytes(b"".join(line + b"\n" for line in numbered("b" * 50, 1)))
    with pytest.raises(JournalReplaced):
        journal.read(position)
    restart = journal.restart(position)
    assert restart == JournalPosition(segment, 0, "")
    lines = [line.data for line in read_all(journal, restart)]
    assert lines == [*numbered("b" * 50, 1), *numbered("a" * 50, 4)[segment:]]
    journal.close()


def _end_of(journal: Journal, segment: int) -> JournalPosition:
    """Return the position of a reader that has read all of a segment."""
    return next(chunk.end for chunk in journal.chunks() if chunk.end.segment == segment)
