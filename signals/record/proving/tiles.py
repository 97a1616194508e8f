"""Reads the tree: from the record's folder, or without one from the tables."""

from pathlib import Path

from django.conf import settings
from django.db import connections
from typing_extensions import override

from argo.errors import Conflict
from signals.record.formats.encoding import BadRecord
from signals.record.formats.tiles import WIDTH, TileReader, width_of
from signals.record.formats.tree import root_of
from signals.record.log.disk import Disk
from signals.record.log.tables import entries_between
from signals.record.proving.checkpoints import Cosigned


class TableReader(TileReader):
    """Reads the tree of `size` from the tables, as a node does that has no tiles.

    It reads every leaf below a hash: the folder's tiles are quicker.
    """

    def __init__(self, size: int, using: str = "default") -> None:
        super().__init__(lambda path: None, size)
        self._using = using

    @override
    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of one bundle."""
        end = min(self.size, (index + 1) * WIDTH)
        parts = entries_between(index * WIDTH, end, self._using)
        return [each.data for part in parts for each in part]

    @override
    def _tile(self, level: int, index: int) -> list[bytes]:
        width = width_of(level, index, self.size)
        if level:
            below = range(index * WIDTH, index * WIDTH + width)
            return [root_of(self._tile(level - 1, each)) for each in below]
        return self._leaves(index * WIDTH, width)

    def _leaves(self, first: int, count: int) -> list[bytes]:
        with connections[self._using].cursor() as cursor:
            cursor.execute(
                "SELECT leaf FROM record_entries WHERE id >= %s AND id < %s ORDER BY id",
                [first, first + count],
            )
            found = [bytes(row[0]) for row in cursor.fetchall()]
        if len(found) != count:
            raise BadRecord(f"entries from {first} on are missing in the table record_entries")
        return found


def tiles_of(
    checkpoint: Cosigned, using: str = "default", folder: Path | None = None
) -> TileReader:
    """Return a reader of the tree of a checkpoint. Raises Conflict if its entries are not here.

    `folder` is the data folder: of this machine, if none is named.
    """
    disk = Disk(folder or Path(settings.DATA_DIR))
    try:
        shown = disk.published()
        if shown is not None and shown.size >= checkpoint.size:
            tiles = disk.folder.tiles(checkpoint.size)
        else:
            tiles = TableReader(checkpoint.size, using)
        if tiles.root() == checkpoint.root:
            return tiles
        reason = "they have another root"
    except BadRecord as error:
        reason = str(error)
    raise Conflict(
        f"The entries of the checkpoint of size {checkpoint.size} cannot be read: {reason}. See "
        "argo record --status."
    )
