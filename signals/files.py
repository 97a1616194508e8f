"""Files and folders that only their owner can read, and that a power cut does not take away."""

import os
from contextlib import suppress
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
    _sync_entry_of(path)


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
    sync_folder(path.parent)
    _sync_entry_of(path.parent)  # the process that made it may have been killed before it did this


def _sync_entry_of(folder: Path) -> None:
    """Make the folder's own name durable, unless its parent is another user's and unreadable."""
    with suppress(PermissionError):
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make a creation or a rename in `folder` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
