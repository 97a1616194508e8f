"""Writes the tiles of a record into a folder, so that no crash leaves a checkpoint without them.

Entries and tiles are whole and synced before `publish` shows a checkpoint that needs them. Writing
the same entries again, as after a crash, changes nothing.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from signals.files import make_folder, private, sync_folder
from signals.record.formats.checkpoints import Checkpoint, parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, parse_note
from signals.record.formats.tiles import (
    HEIGHT,
    WIDTH,
    TileReader,
    encode_entries,
    entries_path,
    tile_path,
)
from signals.record.formats.tree import EMPTY_ROOT, leaf_hash, root_of
from signals.record.verifier.sources import folder_source

CHECKPOINT = "checkpoint"
LEVELS = 8
"""More levels than any record fills: 256 to the 8th entries."""


class TileFolder:
    """The folder of one record. One process at a time writes into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read = folder_source(path)

    def checkpoint(self) -> Checkpoint | None:
        """Return the published checkpoint; None if there is none. Raises BadRecord."""
        data = self.read(CHECKPOINT)
        return None if data is None else parse_checkpoint(parse_note(data).text)

    def tiles(self, size: int) -> TileReader:
        """Return a reader of the tree of this size."""
        return TileReader(self.read, size)

    def root(self, size: int) -> bytes:
        """Return the root of the tree of this size. Raises BadRecord if tiles are missing."""
        return self.tiles(size).root() if size else EMPTY_ROOT

    def append(self, size: int, entries: Sequence[bytes]) -> bytes:
        """Write entries after the first `size` ones, durably; return the new root.

        What a crash left after `size` is written again. Raises BadRecord if `size` is below that of
        the published checkpoint, whose entries never change, and if tiles are missing.
        """
        published = self.checkpoint()
        if published is not None and size < published.size:
            raise BadRecord(
                f"entries from {size} on would replace those of the published checkpoint, which "
                f"has {published.size}"
            )
        if published is not None and self.root(published.size) != published.root:
            raise BadRecord("the tiles have another root than the published checkpoint")
        if entries:
            self._write_entries(size, entries)
            self._write_tiles(size, list(map(leaf_hash, entries)))
        return self.root(size + len(entries))

    def publish(self, note: Note) -> None:
        """Show a signed checkpoint, durably; then delete the partial tiles that full ones replace.

        Raises BadRecord if the tiles have another root, or an earlier checkpoint was larger.
        """
        checkpoint, published = parse_checkpoint(note.text), self.checkpoint()
        if published is not None and checkpoint.size < published.size:
            raise BadRecord(f"a checkpoint of size {published.size} is published already")
        if self.root(checkpoint.size) != checkpoint.root:
            raise BadRecord("the tiles have another root than the checkpoint")
        self._write(CHECKPOINT, note.encoded())
        self._delete_partial(published.size if published else 0, checkpoint.size)

    def keep(self, path: str, data: bytes) -> None:
        """Write another file of the record, such as `checkpoints/<digest>`, durably."""
        self._write(path, data)

    def _write_entries(self, size: int, entries: Sequence[bytes]) -> None:
        first = size // WIDTH
        before = self.tiles(size).bundle(first) if size % WIDTH else []
        together = [*before, *entries]
        for start in range(0, len(together), WIDTH):
            part = together[start : start + WIDTH]
            self._write(entries_path(first + start // WIDTH, len(part)), encode_entries(part))

    def _write_tiles(self, size: int, hashes: list[bytes]) -> None:
        """Write new hashes of level 0, and those of the tiles above that they complete."""
        for level in range(LEVELS):
            hashes = self._write_level(level, size >> HEIGHT * level, hashes)
            if not hashes:
                return

    def _write_level(self, level: int, count: int, hashes: list[bytes]) -> list[bytes]:
        """Write hashes after the first `count` of a level; return those of completed tiles."""
        first = count // WIDTH
        known = self.tiles(count << HEIGHT * level)
        together = [*(known.tile(level, first) if count % WIDTH else []), *hashes]
        above = []
        for start in range(0, len(together), WIDTH):
            part = together[start : start + WIDTH]
            self._write(tile_path(level, first + start // WIDTH, len(part)), b"".join(part))
            above += [root_of(part)] if len(part) == WIDTH else []
        return above

    def _write(self, path: str, data: bytes) -> None:
        """Write a file so that it is whole, or not there, whatever happens."""
        if self._has(path, data):
            return
        target = self.path / path
        make_folder(target.parent)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with private(draft, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)

    def _has(self, path: str, data: bytes) -> bool:
        """Return True if the file is there; sync it, as it may be of a process that was killed."""
        try:
            with (self.path / path).open("rb") as file:
                if file.read(len(data) + 1) != data:
                    return False
                os.fsync(file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            return False
        sync_folder((self.path / path).parent)
        return True

    def _delete_partial(self, old: int, new: int) -> None:
        """Delete the partial tiles that became full between two sizes."""
        for level in range(LEVELS):
            first, end = old >> HEIGHT * (level + 1), new >> HEIGHT * (level + 1)
            for index in range(first, end):
                self._delete_partials_of(tile_path(level, index))
                if level == 0:
                    self._delete_partials_of(entries_path(index))

    def _delete_partials_of(self, path: str) -> None:
        folder = self.path / f"{path}.p"
        with suppress(FileNotFoundError):
            for each in folder.iterdir():
                each.unlink()
            folder.rmdir()
