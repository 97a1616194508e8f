"""Names of claim holders, and of the places of data folders."""

import os
from pathlib import Path
from uuid import getnode, uuid4

BOOT = Path("/proc/sys/kernel/random/boot_id")


def new_owner_id() -> str:
    """Return a name that no other claim holder has; its first part is the process id."""
    return f"{os.getpid()}-{uuid4().hex}"


def place_of(folder: Path) -> str:
    """Return a name of the folder that its processes share, and that no copy of it has.

    It is made of the running kernel, the file system and the folder's number in it. So it also
    changes if the machine boots.
    """
    status = folder.stat()
    return f"{_kernel()}:{status.st_dev:x}:{status.st_ino:x}"


def _kernel() -> str:
    """Return the id of this boot; where the system has none, the network card's address."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return f"{getnode():012x}"
