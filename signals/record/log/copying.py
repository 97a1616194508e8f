"""Copies the published record to a folder that any static host can serve."""

import os
from collections.abc import Iterator
from pathlib import Path

from argo.errors import Conflict, NotFound
from signals.record.folder import TileFolder
from signals.record.formats.encoding import BadRecord
from signals.record.log.disk import Disk
from signals.record.log.tables import PORTION
from signals.record.one_file import source

FILE_MODE, FOLDER_MODE = 0o644, 0o755
BESIDE = ("checkpoints", "stamps")
"""Folders beside the tiles, whose files never change."""
VERIFIER = "verify.py"


def copy_record(disk: Disk, target: Path) -> int:
    """Bring a copy of the published record up to date, the checkpoint last; return its size.

    Everybody can read the copy. Raises NotFound if nothing is published, and Conflict if the folder
    has another record, or a larger one.
    """
    shown = disk.published()
    if shown is None:
        raise NotFound("Nothing is published yet.")
    copy = TileFolder(target)
    try:
        _copy_tiles(disk.folder, copy, shown.size)
        _copy_beside(disk.folder.path, copy)
        copy.keep(VERIFIER, source().encode())
        _open_to_all(target)
        copy.publish(shown.note)
    except BadRecord as error:
        raise Conflict(f"{target} cannot be a copy of this record: {error}.") from None
    _open_to_all(target)
    return shown.size


def _copy_tiles(record: TileFolder, copy: TileFolder, size: int) -> None:
    there = copy.checkpoint()
    begin, tiles = there.size if there else 0, record.tiles(size)
    while begin < size:
        end = min(size, (begin // PORTION + 1) * PORTION)
        copy.append(begin, tiles.entries(begin, end))
        begin = end


def _copy_beside(record: Path, copy: TileFolder) -> None:
    for path in _files_beside(record):
        name = path.relative_to(record).as_posix()
        if not (copy.path / name).exists():
            copy.keep(name, path.read_bytes())


def _files_beside(record: Path) -> Iterator[Path]:
    for name in BESIDE:
        yield from (path for path in (record / name).rglob("*") if path.is_file())


def _open_to_all(folder: Path) -> None:
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            each = Path(path) / name
            each.chmod(FOLDER_MODE if each.is_dir() else FILE_MODE)
    folder.chmod(FOLDER_MODE)
