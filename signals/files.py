"""Files and folders that only their owner can read, and that a power cut does not take away."""

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file and return its descriptor; if it is new, only its owner can read it.

    It is an `opener` for `open`. Raises OSError.
    """
    return os.open(path, flags, FILE_MODE)


def private(path: Path, mode: str) -> IO[Any]:
    """Open a file as `path.open(mode)` does; if it is new, only its owner can read it."""
    return open(path, mode, opener=open_private)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner can enter, and the missing ones above it, durably.

    Do nothing if it is there. Raises OSError.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise
    with suppress(PermissionError):  # the folder above is another user's
        sync_folder(path.parent)


def kept_text(path: Path, make: Callable[[], str]) -> str:
    """Return the text in a private file; make the file the first time, as `make_once` does.

    The text survives a power cut before anybody uses it. Raises OSError.
    """
    if not path.exists():
        make_once(path, make())
    else:
        with suppress(OSError):  # a read-only medium: nothing in it is new
            sync_names(path.parent)
    return path.read_text().strip()


def make_once(path: Path, content: str) -> None:
    """Make a private file that appears whole; if another process is first, keep that one's.

    When this returns, the file, its name and its folder survive a power cut. Raises OSError.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{uuid4().hex}")
    try:
        with private(draft, "x") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave an empty file
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink(missing_ok=True)
    sync_names(path.parent)


def replace_synced(path: Path, content: bytes) -> None:
    """Write a private file so that it is the old one or the new one, whole, whatever happens.

    When this returns, the new content survives a power cut. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{uuid4().hex}")
    try:
        with private(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_names(path.parent)


def sync_names(folder: Path) -> None:
    """Make durable the names in `folder`, its own name, and those of the folders above it.

    Another process may have made one of them, and have been killed before it synced it. A process
    syncs the name of a folder once. Raises OSError.
    """
    sync_folder(folder)
    synced = set()
    for inner, outer in pairwise([folder.resolve(), *folder.resolve().parents]):
        status = inner.stat()
        identity = status.st_dev, status.st_ino
        if identity in _named or status.st_dev != outer.stat().st_dev:
            break  # what is mounted has its name from elsewhere
        with suppress(PermissionError):  # `outer` is another user's, and unreadable
            sync_folder(outer)
        synced.add(identity)
    _named.update(synced)


_named: set[tuple[int, int]] = set()
"""The folders whose names are durable, and the names of all those above."""


def sync_folder(folder: Path) -> None:
    """Make a creation or a rename in `folder` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
