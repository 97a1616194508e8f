"""Makes everything in the data folder private to its owner, also what an older Argo left.

A folder that other programs use too, such as `/tmp`, is left as it is: a check reports it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
ROOT = 0
OF_THE_SYSTEM = {
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/root",
    "/run", "/sbin", "/srv", "/usr", "/usr/local", "/var", "/var/lib", "/var/log",
}  # fmt: skip


def close_folder(folder: Path) -> None:
    """Keep others out of the folder, and so away from everything in it, if it is Argo's alone."""
    if not is_shared_folder(folder):
        _close(folder)


def make_private(folder: Path) -> None:
    """Make the folder and everything in it private, if it is Argo's alone."""
    if not is_shared_folder(folder):
        for path in open_to_others(folder):
            _close(path)


def open_to_others(folder: Path) -> Iterator[Path]:
    """Yield what others may read, write or enter: the folder itself and what is in it.

    Links are not followed.
    """
    if _is_open(folder):
        yield folder
    for parent, folders, files in os.walk(folder):
        yield from filter(_is_open, (Path(parent, name) for name in (*folders, *files)))


def is_shared_folder(folder: Path) -> bool:
    """Return whether other programs use the folder too, so that its mode is not Argo's to set."""
    if str(folder) in OF_THE_SYSTEM or folder.stat().st_mode & stat.S_ISVTX:
        return True
    home = Path(os.path.expanduser("~"))  # the other way fails without a home
    inside = (home, Path(__file__), Path(os.__file__))
    if any(path.resolve().is_relative_to(folder) for path in inside):
        return True
    return os.geteuid() == ROOT and _has_several_owners(folder)


def _has_several_owners(folder: Path) -> bool:
    """Return whether users other than root and the folder's owner have something in it."""
    owners = {found.st_uid for path in folder.iterdir() if (found := _status(path))}
    return bool(owners - {ROOT, folder.stat().st_uid})


def _is_open(path: Path) -> bool:
    found = _status(path)
    return found is not None and not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & OTHERS)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:  # renamed or deleted meanwhile
        return None


def _close(path: Path) -> None:
    """Take the permissions of others away; what belongs to another user, the check reports."""
    with suppress(FileNotFoundError, PermissionError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
