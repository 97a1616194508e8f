"""The journal as its users see it."""

import os
from collections.abc import Coroutine, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from signals.journal.group import GroupCommit
from signals.journal.reader import Chunk, Reader
from signals.journal.segments import START, Offset, Position, Segments, sync_folder
from signals.journal.writer import Writer

DEFAULT_SEGMENT_BYTES = 64 * 2**20


class Journal:
    """An append-only file of lines, with its sealed segments beside it.

    Any number of processes may append and read at once. `path` is the active segment; one that
    has `segment_bytes` is sealed under a numbered name.
    """

    def __init__(self, path: Path, *, segment_bytes: int = DEFAULT_SEGMENT_BYTES) -> None:
        self.path = path
        self.segments = Segments(path)
        self._group = GroupCommit(Writer(self.segments, segment_bytes=segment_bytes))
        self._reader = Reader(self.segments)

    @cached_property
    def identity(self) -> str:
        """A name for this journal that no other has; made once, in a file beside it."""
        path = self.path.with_suffix(".id")
        if not path.exists():
            _make_identity(path)
        return path.read_text().strip()

    def append(self, lines: Sequence[bytes]) -> None:
        """Return once all `lines` (without newlines) are on disk, in this order.

        Raises JournalError: then none of them is in the journal.
        """
        self._group.append(lines)

    def append_async(self, line: bytes) -> Coroutine[Any, Any, None]:
        """Await it: `line` (without a newline) is on disk then. Raises JournalError."""
        return self._group.append_async(line)

    def read(self, position: Position, *, max_lines: int = 5000) -> Chunk | None:
        """The next lines after `position`; None at the end. Raises JournalReplaced."""
        return self._reader.read(position, max_lines=max_lines)

    def chunks(self, position: Position = START) -> Iterator[Chunk]:
        """All lines after `position`, chunk by chunk. Raises JournalReplaced."""
        while chunk := self.read(position):
            yield chunk
            position = chunk.end

    def check(self, position: Position) -> None:
        """Raise JournalReplaced where `position` points into a file that is gone or another."""
        self._reader.read(position, max_lines=1)

    def restart(self, position: Position) -> Position:
        """Where to go on when `position` points into a file that is gone or another one."""
        numbers = [*self.segments.sealed(), self.segments.active_number()]
        later = [number for number in numbers if number >= position.segment]
        return Position(min(later or numbers), 0, "")

    def end(self) -> Offset:
        """The end of what is durable now."""
        return self._reader.end()

    def pending_bytes(self, position: Position) -> int:
        """How many bytes stand behind `position`."""
        return self._reader.pending_bytes(position)

    def close(self) -> None:
        """Let go of the file; a later append opens it again."""
        self._group.close()


def _make_identity(path: Path) -> None:
    """The file appears whole, by a link that fails for the second of two that come together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{uuid4().hex}")
    with draft.open("w") as file:
        file.write(uuid4().hex)
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave an empty name
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other was first: its name counts
    finally:
        draft.unlink()
    sync_folder(path.parent)
