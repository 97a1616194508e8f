"""Copies and hashes the files of a backup. What it writes only its owner can read."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from signals.files import open_private, sync_folder

BLOCK_BYTES = 2**20
DRAFT = ".unfinished"
"""The end of the name of a file that is being written."""

Progress = Callable[[int], object]
"""Called with the number of bytes just read or written."""


class StoredFile(NamedTuple):
    """The size and the SHA-256 of a file."""

    bytes: int
    sha256: str


def create(path: Path) -> BinaryIO:
    """Create a file that only its owner can read; an older file of that name is replaced."""
    path.unlink(missing_ok=True)
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    return os.fdopen(descriptor, "r+b")


def draft_of(path: Path) -> Path:
    """Return where a file is written before it gets its name."""
    return path.with_name(path.name + DRAFT)


def store(blocks: Iterator[bytes], path: Path, progress: Progress) -> StoredFile:
    """Write a new file and sync it. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with create(path) as file:
        for block in blocks:
            file.write(block)
            digest.update(block)
            size += len(block)
            progress(len(block))
        file.flush()
        os.fsync(file.fileno())
    return StoredFile(size, digest.hexdigest())


def read_from(descriptor: int, size: int) -> Iterator[bytes]:
    """Yield the first `size` bytes of an open file, block by block."""
    byte = 0
    while byte < size and (block := os.pread(descriptor, min(BLOCK_BYTES, size - byte), byte)):
        yield block
        byte += len(block)


def read_file(path: Path) -> Iterator[bytes]:
    """Yield the content of a file, block by block. Raises OSError."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def hashed(path: Path, progress: Progress = lambda count: None) -> StoredFile:
    """Return the size and the hash of a file. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    for block in read_file(path):
        digest.update(block)
        size += len(block)
        progress(len(block))
    return StoredFile(size, digest.hexdigest())


def write_synced(path: Path, content: bytes) -> None:
    """Write a small file so that it appears whole, even after a power cut. Raises OSError."""
    store(iter([content]), draft_of(path), lambda count: None)
    put_in_place(path)


def put_in_place(path: Path) -> None:
    """Give the draft of `path` its name, for good. Raises OSError."""
    draft_of(path).rename(path)
    sync_folder(path.parent)


def remove(paths: list[Path]) -> None:
    """Remove files that may be there; a failure must not hide the error that came before."""
    for path in paths:
        with suppress(OSError):
            path.unlink()
