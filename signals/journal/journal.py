"""The journal's public interface."""

from collections.abc import Coroutine, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from signals.files import kept_text, make_folder
from signals.journal.errors import unwritable
from signals.journal.group import GroupCommit
from signals.journal.reader import Chunk, OpenSegment, Reader
from signals.journal.segments import START, JournalPosition, Offset, Segments
from signals.journal.trial import try_writing
from signals.journal.writer import Writer

DEFAULT_SEGMENT_BYTES = 64 * 2**20


class Journal:
    """An append-only file of lines, with its sealed segments beside it.

    Any number of processes may append and read at once. `path` is the active segment; once it has
    `segment_bytes`, it is sealed: renamed to a numbered name.
    """

    def __init__(self, path: Path, *, segment_bytes: int = DEFAULT_SEGMENT_BYTES) -> None:
        self.path = path
        self.segments = Segments(path)
        writer = Writer(self.segments, segment_bytes=segment_bytes)
        self._group = GroupCommit(writer)
        self._reader = Reader(self.segments, writer.has_synced)

    @cached_property
    def identity(self) -> str:
        """This journal's unique name; made once, in a file beside it."""
        make_folder(self.path.parent)
        return kept_text(self.identity_path, lambda: uuid4().hex)

    @property
    def identity_path(self) -> Path:
        """Return the file that holds the identity."""
        return self.path.with_suffix(".id")

    def append(self, lines: Sequence[bytes]) -> None:
        """Return once all `lines` (without newlines) are on disk, in this order.

        Raises JournalError if that failed: then none of them is in the journal.
        """
        self._group.append(lines)

    def append_async(self, line: bytes) -> Coroutine[Any, Any, None]:
        """Return an awaitable; when it is done, `line` (without a newline) is on disk.

        Raises JournalError if that failed: then the line is not in the journal.
        """
        return self._group.append_async(line)

    def read(self, position: JournalPosition, *, max_lines: int = 5000) -> Chunk | None:
        """Return the next lines after `position`, or None at the end. Raises JournalReplaced."""
        return self._reader.read(position, max_lines=max_lines)

    def chunks(self, position: JournalPosition = START) -> Iterator[Chunk]:
        """Yield all lines after `position`, chunk by chunk. Raises JournalReplaced."""
        while chunk := self.read(position):
            yield chunk
            position = chunk.end

    def open_segments(self) -> Iterator[OpenSegment]:
        """Yield every segment, oldest first, open for copying up to its durable size.

        Writers may append, and seal the active segment, meanwhile.
        """
        return self._reader.open_segments()

    def check(self, position: JournalPosition) -> None:
        """Raise JournalReplaced if `position` points into a file that is gone or was replaced."""
        self._reader.read(position, max_lines=1)

    def restart(self, position: JournalPosition) -> JournalPosition:
        """Return where to continue if the file of `position` is gone or was replaced."""
        numbers = [*self.segments.sealed(), self.segments.active_number()]
        later = [number for number in numbers if number >= position.segment]
        return JournalPosition(min(later or numbers), 0, "")

    def end(self) -> Offset:
        """Return the current end of the durable lines."""
        return self._reader.end()

    def pending_bytes(self, position: JournalPosition) -> int:
        """Return how many bytes follow `position`."""
        return self._reader.pending_bytes(position)

    def pending_lines(self, position: JournalPosition) -> int:
        """Return how many lines follow `position`."""
        return self._reader.pending_lines(position)

    def try_writing(self) -> None:
        """Check that a line could be appended now; write nothing.

        Raises JournalError if not: a missing permission, a read-only or a full disk.
        """
        try:
            try_writing(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        self._group.close()
