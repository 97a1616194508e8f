"""The files of the journal, and places in them."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FINGERPRINT_BYTES = 512


class Offset(NamedTuple):
    """A place in the journal: the number of the segment, from 1, and a byte in it, from 0."""

    segment: int
    byte: int


class JournalPosition(NamedTuple):
    """How far a reader has read: an offset, and a fingerprint of the file.

    `fingerprint` identifies the file by the bytes before the offset, so that a reader notices if
    it was replaced, or cut and extended. It is empty at byte 0, where it is not needed.
    """

    segment: int
    byte: int
    fingerprint: str


START = JournalPosition(1, 0, "")


@dataclass(frozen=True)
class Segments:
    """The file `active` and its sealed segments (`signals.log`, `signals-000001.log`, ...).

    A sealed segment with a name that ends in `-rescued` was deleted or moved away while a writer
    had it open, and the writer put it back.
    """

    active: Path

    def sealed(self) -> dict[int, Path]:
        """Return the sealed segments by number, in order."""
        pattern = re.compile(
            rf"{re.escape(self.active.stem)}-(\d{{6,}})(?:-rescued)?{re.escape(self.active.suffix)}"
        )
        found = ((pattern.fullmatch(path.name), path) for path in self._files())
        return dict(sorted((int(match[1]), path) for match, path in found if match))

    def _files(self) -> list[Path]:
        try:
            return list(self.active.parent.iterdir())
        except FileNotFoundError:
            return []  # the folder is gone; the next writer makes a new one

    def rescued(self) -> list[Path]:
        """Return the segments that were put back; a person acknowledges one by renaming it."""
        return [path for path in self.sealed().values() if path.stem.endswith("-rescued")]

    def sealed_path(self, number: int, *, rescued: bool = False) -> Path:
        mark = "-rescued" if rescued else ""
        return self.active.with_name(f"{self.active.stem}-{number:06d}{mark}{self.active.suffix}")

    def active_number(self) -> int:
        return max(self.sealed(), default=0) + 1

    def all(self) -> Iterator[tuple[int, Path]]:
        """Yield every segment that exists, oldest first, the active one last."""
        sealed = self.sealed()
        yield from sealed.items()
        if self.active.exists():
            yield max(sealed, default=0) + 1, self.active


def fingerprint(descriptor: int, end: int) -> str:
    """Return a hash of the last bytes before `end`, which identifies the segment up to there."""
    start = max(0, end - FINGERPRINT_BYTES)
    return hashlib.sha256(os.pread(descriptor, end - start, start)).hexdigest()[:16]
