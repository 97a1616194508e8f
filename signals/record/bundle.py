"""Makes proof files and bundles from tiles and the lines that are to be shown."""

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, NamedTuple

from signals.record.formats.checkpoints import digest_of_checkpoint, parse_checkpoint
from signals.record.formats.encoding import BadRecord, base64_text
from signals.record.formats.entries import moment, parse_entry
from signals.record.formats.notes import parse_note
from signals.record.formats.proofs import Proof
from signals.record.formats.tiles import TileReader, encode_entries
from signals.record.formats.tree import perfect_subtrees
from signals.record.verifier.history import Revealed
from signals.record.verifier.material import VERSION

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of each file in a bundle, so that the same content makes the same bundle."""


class Enclosed(NamedTuple):
    """What goes into a bundle beside the entries.

    `policy` names the maker's keys; `earlier` are older checkpoints with their cosignatures, which
    prove times; `stamps` are answers of time stamp authorities by name; `known` are sizes for which
    the bundle proves that it continues them.
    """

    policy: bytes
    lines: Iterable[Revealed] = ()
    earlier: Iterable[bytes] = ()
    stamps: Mapping[str, bytes] = {}
    known: Iterable[int] = ()


def make_proof(tiles: TileReader, checkpoint: bytes, index: int, extra: bytes) -> Proof:
    """Return the proof that entry `index` is in the checkpoint's tree.

    `extra` is the salt of its line, and after it the entry's time if that is not the line's own.
    """
    return Proof(extra, index, tuple(tiles.inclusion(index)), checkpoint)


def connecting_hashes(tiles: TileReader, first: int, last: int) -> list[bytes]:
    """Return the hashes left and right of a range of entries, which lead to the root."""
    nodes = [*perfect_subtrees(0, first), *perfect_subtrees(last + 1, tiles.size)]
    return [tiles.node(*node) for node in nodes]


def range_of(entries: Iterable[bytes], since: datetime, until: datetime) -> tuple[int, int]:
    """Return the first and last entry of which the time lies in a period, `until` not included.

    Raises BadRecord if there is none.
    """
    found = [
        index for index, data in enumerate(entries) if since <= moment(parse_entry(data).at) < until
    ]
    if not found:
        raise BadRecord(f"the record has no entry from {since} until {until}")
    return found[0], found[-1]


def write_bundle(
    file: IO[bytes],
    tiles: TileReader,
    checkpoint: bytes,
    first: int,
    last: int,
    enclosed: Enclosed,
) -> None:
    """Write the bundle of a range of entries. Raises BadRecord if the range is not in the tree."""
    found = parse_checkpoint(parse_note(checkpoint).text)
    if found.size != tiles.size or not 0 <= first <= last < tiles.size:
        raise BadRecord(f"there are no entries {first} to {last} in a record of {found.size}")
    about = {"first": first, "last": last, "origin": found.origin, "size": found.size}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _files(tiles, checkpoint, first, last, enclosed):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
        text = json.dumps(about | {"version": VERSION}, sort_keys=True)
        archive.writestr(zipfile.ZipInfo("bundle.json", EPOCH), text)


def _files(
    tiles: TileReader, checkpoint: bytes, first: int, last: int, enclosed: Enclosed
) -> Iterable[tuple[str, bytes]]:
    yield "checkpoint", checkpoint
    yield "policy", enclosed.policy
    yield "entries", encode_entries(tiles.entries(first, last + 1))
    yield "hashes", _hash_lines(connecting_hashes(tiles, first, last))
    yield "lines.jsonl", b"".join(map(line_bytes, enclosed.lines))
    for data in dict.fromkeys(enclosed.earlier):
        yield f"checkpoints/{digest_of_checkpoint(data)}", data
    for name, stamp in enclosed.stamps.items():
        yield f"stamps/{name}.tsr", stamp
    for size in dict.fromkeys(enclosed.known):
        yield f"consistency/{size}", _hash_lines(tiles.consistency(size))


def _hash_lines(hashes: Sequence[bytes]) -> bytes:
    return "".join(f"{base64_text(each)}\n" for each in hashes).encode()


def line_bytes(revealed: Revealed) -> bytes:
    """Return a line of `lines.jsonl`, with its newline."""
    line = revealed.line.decode("utf-8", "surrogateescape")
    shown = {"index": revealed.index, "salt": revealed.salt.hex(), "line": line}
    return json.dumps(shown).encode() + b"\n"
