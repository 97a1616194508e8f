"""Finds single lines by their offset; fast if they are asked for in order."""

import os
from contextlib import suppress

from signals.journal.segments import Offset, Segments

BLOCK_BYTES = 2**20


class LineLookup:
    """Reads lines of one journal by offset; keeps one block, so that the next line costs little."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._segment = 0
        self._descriptor = -1
        self._start, self._block = 0, b""

    def line(self, offset: Offset) -> bytes | None:
        """Return the line that begins at `offset`, without its newline; None if there is none."""
        if offset.segment != self._segment and not self._open(offset.segment):
            return None
        found = self._in_block(offset.byte)
        if found is None:
            self._load(offset.byte)
            found = self._in_block(offset.byte)
        return found

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._segment, self._descriptor = 0, -1

    def _in_block(self, byte: int) -> bytes | None:
        begin = byte - self._start
        if begin < 0:
            return None
        end = self._block.find(b"\n", begin)
        return self._block[begin:end] if end >= 0 else None

    def _load(self, byte: int) -> None:
        """Read from `byte` on, until the block contains a newline or the file ends."""
        size = BLOCK_BYTES
        while True:
            self._start, self._block = byte, os.pread(self._descriptor, size, byte)
            if len(self._block) < size or b"\n" in self._block:
                return
            size *= 2

    def _open(self, segment: int) -> bool:
        """Open a segment; try again if it was sealed, and so renamed, before it was opened."""
        self.close()
        while path := dict(self._segments.all()).get(segment):
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY)
                if dict(self._segments.all()).get(segment) == path:
                    self._segment, self._descriptor = segment, descriptor
                    self._start, self._block = 0, b""
                    return True
                os.close(descriptor)
        return False
