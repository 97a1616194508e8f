"""Tiles (C2SP tlog-tiles): the files of a record, and proofs from them."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from signals.record.formats.encoding import HASH_BYTES, BadRecord
from signals.record.formats.tree import (
    Range,
    consistency_ranges,
    folded,
    inclusion_ranges,
    perfect_subtrees,
)

HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL_TILE_BYTES = WIDTH * HASH_BYTES
MOST_BUNDLE_BYTES = WIDTH * (2 + 65_535)

Read = Callable[[str], bytes | None]
"""Returns the content of a file of the record by its path; None if there is none."""


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return a tile's path below the record; a partial tile has a width below WIDTH."""
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{grouped(index)}{suffix}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """Return the path of the bundle of entries for tile `index` of level 0."""
    return tile_path("entries", index, width)


def grouped(index: int) -> str:
    """Return a number in groups of three digits, all but the last after an `x`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def width_of(level: int, index: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of `size`; 0 or less if it is not there."""
    return min(WIDTH, (size >> HEIGHT * level) - index * WIDTH)


def tiles_of(size: int) -> Iterable[tuple[int, int, int]]:
    """Yield level, index and width of all tiles of a tree."""
    level = 0
    while count := size >> HEIGHT * level:
        for index in range(-(-count // WIDTH)):
            yield level, index, width_of(level, index, size)
        level += 1


def encode_entries(entries: Iterable[bytes]) -> bytes:
    """Return a bundle of entries: each after its length. Raises OverflowError for a long one."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises BadRecord if it is cut off."""
    found, place = [], 0
    while place < len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if end > len(data) or place + 2 > len(data):
            raise BadRecord("the entries are cut off")
        found.append(data[place + 2 : end])
        place = end
    return found


class TileReader:
    """Reads hashes, entries and proofs of a tree of `size` from its tiles."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self.tile = lru_cache(maxsize=64)(self._tile)

    def hashes(self, ranges: Iterable[Range]) -> list[bytes]:
        """Return the hash of each range of leaves that is a node of the tree.

        Raises BadRecord if a tile is missing or has another size.
        """
        return [self.hash_of(*each) for each in ranges]

    def hash_of(self, begin: int, end: int) -> bytes:
        """Return the hash over a range of leaves that is a node of the tree."""
        return folded([self.node(*each) for each in perfect_subtrees(begin, end)])

    def node(self, level: int, index: int) -> bytes:
        """Return the root of a perfect subtree."""
        tile_level, above = divmod(level, HEIGHT)
        first = index << above
        tile = self.tile(tile_level, first // WIDTH)
        return _perfect_root(tile[first % WIDTH : first % WIDTH + (1 << above)])

    def root(self) -> bytes:
        """Return the root of the tree."""
        return self.hash_of(0, self.size)

    def inclusion(self, index: int) -> list[bytes]:
        """Return the proof that entry `index` is in the tree."""
        if not 0 <= index < self.size:
            raise BadRecord(f"there is no entry {index} in a record of {self.size}")
        return self.hashes(inclusion_ranges(index, self.size))

    def consistency(self, old: int) -> list[bytes]:
        """Return the proof that the tree begins with its first `old` entries."""
        if not 0 <= old <= self.size:
            raise BadRecord(f"there are no {old} entries in a record of {self.size}")
        return self.hashes(consistency_ranges(old, self.size))

    def entries(self, begin: int, end: int) -> list[bytes]:
        """Return entries by their index, `end` not included."""
        found: list[bytes] = []
        for index in range(begin // WIDTH, -(-end // WIDTH)):
            first = index * WIDTH
            found += self.bundle(index)[max(begin - first, 0) : end - first]
        return found

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of one bundle."""
        width = width_of(0, index, self.size)
        entries = decode_entries(self._file("entries", index, width))[:width]
        if len(entries) != width:
            raise BadRecord(f"{entries_path(index, width)} has {len(entries)} entries")
        return entries

    def _tile(self, level: int, index: int) -> list[bytes]:
        width = width_of(level, index, self.size)
        data = self._file(level, index, width)
        if len(data) not in (width * HASH_BYTES, FULL_TILE_BYTES):
            raise BadRecord(f"{tile_path(level, index, width)} has {len(data)} bytes")
        return [data[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]

    def _file(self, level: int | str, index: int, width: int) -> bytes:
        """Read a tile; a partial one may have been replaced by the full one."""
        path = tile_path(level, index, width)
        data = self._read(path)
        if data is None and width < WIDTH:
            data = self._read(tile_path(level, index))
        if data is None:
            raise BadRecord(f"{path} is missing")
        return data


def _perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes that are as many as a power of two.

    `node_hash` is written out here: a proof calls it hundreds of times.
    """
    data = b"".join(hashes)
    while len(data) > HASH_BYTES:
        pairs = range(0, len(data), 2 * HASH_BYTES)
        data = b"".join(
            [hashlib.sha256(b"\1" + data[at : at + 2 * HASH_BYTES]).digest() for at in pairs]
        )
    return data
