"""Real folders: reads what is in one, and lays out what a disk may hold."""

import os
import shutil
from pathlib import Path

Contents = dict[str, bytes | None]
"""Files by their path, with their bytes; folders with None."""


def contents(root: Path) -> Contents:
    """Return everything below the folder, each folder before what is in it."""
    found: Contents = {}
    for parent, folders, files in os.walk(root):
        base = Path(parent).relative_to(root)
        found |= {str(base / name): None for name in folders}
        found |= {str(base / name): Path(parent, name).read_bytes() for name in files}
    return found


def lay_out(root: Path, wanted: Contents) -> None:
    """Make the folder hold exactly this; write no file again that is right already."""
    for path in [path for path in _below(root) if path not in wanted]:
        _delete(root / path)
    for path, data in wanted.items():
        target = root / path
        if data is None:
            target.mkdir(exist_ok=True)
        elif not target.exists() or target.read_bytes() != data:
            target.write_bytes(data)


def _below(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*")]


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)  # it was in a folder that is deleted already
