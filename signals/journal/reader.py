"""Reads complete, durable lines, a chunk of limited size at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate, count, repeat
from operator import add
from pathlib import Path
from typing import NamedTuple

from signals.journal.errors import JournalReplaced
from signals.journal.segments import JournalPosition, Offset, Segments, fingerprint
from signals.journal.writer import end_of_lines

CHUNK_BYTES = 2 * 2**20


class Line(NamedTuple):
    """One line, without its newline, and where it begins."""

    offset: Offset
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive lines of one segment. The next chunk begins at `end`."""

    lines: list[Line]
    end: JournalPosition


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment that is open for reading, whatever its file is called by now."""

    name: str
    descriptor: int
    size: int
    """The bytes that are durable; no writer will undo them."""
    sealed: bool


class Reader:
    """Reads the segments of one journal while any number of writers append.

    `is_synced` says whether this process's writer has synced a file of this status.
    """

    def __init__(self, segments: Segments, is_synced: Callable[[os.stat_result], bool]) -> None:
        self._segments = segments
        self._is_synced = is_synced
        self._synced = (0, 0, 0)

    def read(self, position: JournalPosition, *, max_lines: int) -> Chunk | None:
        """Return the next lines after `position`, or None if there are none.

        Raises JournalReplaced if `position` points into a file that is gone or was replaced.
        """
        while True:
            with self._segment(position.segment) as segment:
                if segment is None:
                    if self._is_to_come(position):
                        return None
                    continue
                self._check_identity(position, segment)
                if position.byte < segment.size:
                    return _chunk(position, segment, max_lines)
                if not segment.sealed:
                    return None
            position = JournalPosition(position.segment + 1, 0, "")

    def end(self) -> Offset:
        """Return the current end of the durable lines."""
        number = self._segments.active_number()
        with self._segment(number) as segment:
            return Offset(number, segment.size if segment else 0)

    def pending_bytes(self, position: JournalPosition) -> int:
        """Return the bytes between `position` and the end of the files."""
        paths = (path for number, path in self._segments.all() if number >= position.segment)
        return max(0, sum(map(_size, paths)) - position.byte)

    def pending_lines(self, position: JournalPosition) -> int:
        """Return the number of whole lines between `position` and the end of the files."""
        return sum(
            _newlines(path, position.byte if number == position.segment else 0)
            for number, path in self._segments.all()
            if number >= position.segment
        )

    def open_segments(self) -> Iterator[OpenSegment]:
        """Yield every segment, oldest first, each open until the next one is asked for.

        The last one is the active segment, up to its last whole line, even if a writer seals it
        meanwhile.
        """
        last = 0
        while (number := self._next(last)) is not None:
            with self._segment(number) as segment:
                if segment is None:  # it was removed since we looked
                    continue
                yield segment
                if not segment.sealed:
                    return
                last = number

    def _next(self, number: int) -> int | None:
        """Return the number of the first segment after `number`, or None if it was the last."""
        return next((each for each, _ in self._segments.all() if each > number), None)

    def _is_to_come(self, position: JournalPosition) -> bool:
        """Return True if the position's segment will be the next one that is written.

        False if the segment was made, and even sealed, since we looked for it. Raises
        JournalReplaced if it is missing.
        """
        sealed = self._segments.sealed()
        if position.segment in sealed:
            return False
        if position.byte == 0 and position.segment == max(sealed, default=0) + 1:
            return True
        raise JournalReplaced(f"Segment {position.segment} of {self._segments.active} is gone.")

    def _check_identity(self, position: JournalPosition, segment: OpenSegment) -> None:
        if position.byte == 0:
            return
        seen = fingerprint(segment.descriptor, position.byte)
        if segment.size < position.byte or seen != position.fingerprint:
            raise JournalReplaced(
                f"Segment {position.segment} of {self._segments.active} is another file than the "
                f"one read up to byte {position.byte}."
            )

    @contextmanager
    def _segment(self, number: int) -> Iterator[OpenSegment | None]:
        while path := self._path(number):
            with suppress(FileNotFoundError), path.open("rb") as file:
                descriptor = file.fileno()
                size = self._settled_size(descriptor, number, path)
                if size is not None:
                    sealed = path != self._segments.active
                    yield OpenSegment(path.name, descriptor, size, sealed)
                    return
        yield None

    def _path(self, number: int) -> Path | None:
        sealed = self._segments.sealed()
        is_active = number == max(sealed, default=0) + 1 and self._segments.active.exists()
        return self._segments.active if is_active else sealed.get(number)

    def _settled_size(self, descriptor: int, number: int, path: Path) -> int | None:
        """Return how much of the segment is durable; None if it was renamed before we locked it.

        While we hold the lock, no writer can seal the active file or undo a write. It is synced
        first, so that the database never has a line that the journal loses in a power cut.
        """
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        try:
            same = self._path(number) == path
            if not same or not os.path.samestat(os.fstat(descriptor), path.stat()):
                return None
            size = os.fstat(descriptor).st_size
            if path != self._segments.active:
                return size
            self._sync(descriptor)
            return end_of_lines(descriptor, size)  # the next writer cuts off the rest
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _sync(self, descriptor: int) -> None:
        """Sync once for each state of the file: a sync takes time even if nothing has changed."""
        status = os.fstat(descriptor)
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        if state != self._synced and not self._is_synced(status):
            os.fdatasync(descriptor)
            self._synced = state


def _chunk(position: JournalPosition, segment: OpenSegment, max_lines: int) -> Chunk | None:
    data = _whole_lines(position.byte, segment)
    if data is None:
        return None
    texts = data.split(b"\n", max_lines)[:max_lines]
    *starts, after = map(add, accumulate(map(len, texts), initial=position.byte), count())
    offsets = map(Offset._make, zip(repeat(position.segment), starts, strict=False))
    lines = list(map(Line._make, zip(offsets, texts, strict=True)))
    end = min(after, segment.size)
    return Chunk(
        lines, JournalPosition(position.segment, end, fingerprint(segment.descriptor, end))
    )


def _whole_lines(start: int, segment: OpenSegment) -> bytes | None:
    """Return bytes from `start` up to a newline, without it: about a chunk, or one longer line.

    The last line of a sealed segment counts as complete even without its newline.
    """
    size = CHUNK_BYTES
    while True:
        data = os.pread(segment.descriptor, min(size, segment.size - start), start)
        newline = data.rfind(b"\n")
        if newline >= 0:
            return data[:newline]
        if start + size >= segment.size:
            return data if segment.sealed else None
        size *= 2


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # it was just renamed


def _newlines(path: Path, start: int) -> int:
    """Return the number of newlines after `start`."""
    count = 0
    with suppress(FileNotFoundError), path.open("rb") as file:  # it may just be renamed
        file.seek(start)
        while block := file.read(CHUNK_BYTES):
            count += block.count(b"\n")
    return count
