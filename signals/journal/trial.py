"""Tries whether the journal can be written, and leaves nothing behind."""

import os
import tempfile
from pathlib import Path

from signals.files import make_folder

RESERVED_BYTES = 64 * 2**10
"""What must still fit on the disk: many signals, or one large batch."""


def try_writing(active: Path) -> None:
    """Open the active segment for writing if it exists, and reserve space beside it.

    The reserved file has no name, so that nothing remains even if the process is killed. Raises
    what the operating system raises: no permission, a read-only file system, no space, a quota.
    """
    make_folder(active.parent)
    if active.exists():
        os.close(os.open(active, os.O_RDWR | os.O_APPEND))
    with tempfile.TemporaryFile(dir=active.parent) as scratch:
        os.posix_fallocate(scratch.fileno(), 0, RESERVED_BYTES)
