"""The permissions of the data folder's files: Argo must read and write them, others nothing."""

import os
import pwd
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from argo.doctor.check import Finding, Repair, ok, problem
from argo.private import OTHERS, is_shared_folder, open_to_others
from signals.dialect import is_shared

SECRET = frozenset(
    {
        "secret.key", "webhooks.key", "demo.key", "record.key", "record-next.key", "signals.salt",
        "witness.key",
    }
)  # fmt: skip
FOLDERS = ("", "metrics", "logs", "broker", "broker/control")
WITH_FILES = ("", "metrics", "logs")
"""Folders whose files are looked at: the broker's are messages, which live for moments."""
OWNER = stat.S_IRUSR | stat.S_IWUSR
MOST_SHOWN = 3
ADVICE = (
    "Run argo doctor --fix, or correct them with chmod and chown: everything in the data folder "
    "belongs to the user that runs Argo."
)


class Fault(NamedTuple):
    """What is wrong with a file, and how to correct it."""

    path: Path
    text: str
    repair: Repair


def permissions() -> Finding:
    """Report files that their owner cannot read or write, files that others can read, and files
    that belong to somebody else than the folder does."""
    is_alone = not is_shared_folder(settings.DATA_DIR)
    paths = sorted({*_paths(), *(open_to_others(settings.DATA_DIR) if is_alone else ())})
    faults = [fault for path in paths for fault in _faults(path, is_alone=is_alone)]
    if not faults:
        return ok(f"{len(paths)} files and folders in {settings.DATA_DIR}, all as they should be")
    shown = "; ".join(f"{_name(fault.path)} {fault.text}" for fault in faults[:MOST_SHOWN])
    more = f"; and {len(faults) - MOST_SHOWN} more" if len(faults) > MOST_SHOWN else ""
    return problem(f"{shown}{more}.", ADVICE, *(fault.repair for fault in faults))


def _paths() -> Iterator[Path]:
    for name in FOLDERS:
        folder = settings.DATA_DIR / name
        if folder.is_dir():
            yield folder
            if name in WITH_FILES:
                yield from (path for path in folder.iterdir() if path.is_file())
    if not is_shared("default"):
        database = Path(str(connection.settings_dict["NAME"]))
        if database.is_file() and database.parent != settings.DATA_DIR:
            yield database


def _faults(path: Path, *, is_alone: bool) -> Iterator[Fault]:
    """Yield what is wrong; if the folder is not Argo's alone, only its secrets must be private."""
    try:
        found = path.stat()
    except FileNotFoundError:  # renamed or deleted meanwhile
        return
    mode = stat.S_IMODE(found.st_mode)
    needed = OWNER | stat.S_IXUSR if path.is_dir() else OWNER
    if mode & needed != needed:
        yield _mode_fault(path, f"cannot be written (mode {mode:o})", (mode | needed) & ~OTHERS)
    elif mode & OTHERS and (is_alone or path.name in SECRET):
        yield _mode_fault(path, f"can be read by others (mode {mode:o})", mode & ~OTHERS)
    owner = settings.DATA_DIR.stat().st_uid
    if found.st_uid != owner:
        yield _owner_fault(path, found.st_uid, owner)


def _mode_fault(path: Path, text: str, mode: int) -> Fault:
    repair = Repair(f"set the mode of {_name(path)} to {mode:o}", partial(path.chmod, mode))
    return Fault(path, text, repair)


def _owner_fault(path: Path, has: int, wanted: int) -> Fault:
    text = f"belongs to {_user(has)}, and the folder to {_user(wanted)}"
    apply = partial(os.chown, path, wanted, -1)
    return Fault(path, text, Repair(f"give {_name(path)} to {_user(wanted)}", apply))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _name(path: Path) -> str:
    inside = path.is_relative_to(settings.DATA_DIR)
    return str(path.relative_to(settings.DATA_DIR.parent) if inside else path)
