"""Checks a whole record: every tile and entry of the folder or address that serves it."""

from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import parse_entry
from signals.record.formats.notes import parse_note
from signals.record.formats.tiles import WIDTH, Read, TileReader, tile_path, width_of
from signals.record.formats.tree import leaf_hash, root_of
from signals.record.verifier.check import Asked, check_material
from signals.record.verifier.material import Material
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import signed_checkpoint

MOST_ENTRIES = 20_000_000


def check_record(read: Read, asked: Asked, report: Report) -> None:
    """Check everything that a record serves; lines are not part of it."""
    try:
        checkpoint = read("checkpoint")
        if checkpoint is None:
            raise BadRecord("there is no file `checkpoint`: this is not a record")
        if not _is_signed(checkpoint, asked, report):
            return
        size = parse_checkpoint(parse_note(checkpoint).text).size
        if size > MOST_ENTRIES:
            raise BadRecord(f"it has {size} entries; {MOST_ENTRIES} can be checked here")
        tiles = TileReader(read, size)
        entries = tiles.entries(0, size)
    except BadRecord as error:
        report.fault("record", error)
        return
    check_tiles(tiles, entries, report)
    material = Material(
        checkpoint=checkpoint,
        first=0,
        entries=entries,
        earlier=_marked(read, entries),
        earlier_checkpoint=lambda digest: read(f"checkpoints/{digest}"),
        is_growing=True,
    )
    check_material(material, asked, report)


def _is_signed(checkpoint: bytes, asked: Asked, report: Report) -> bool:
    """Return True if the log signed it: an unsigned one may name any size, to keep us busy."""
    first_look = Report()
    if signed_checkpoint(checkpoint, asked.policy, first_look, "the checkpoint") is not None:
        return True
    report.faults += first_look.faults
    return False


def check_tiles(tiles: TileReader, entries: list[bytes], report: Report) -> None:
    """Note each tile that does not hold the hashes of the entries below it."""
    hashes, level = list(map(leaf_hash, entries)), 0
    while hashes:
        above = []
        for index in range(-(-len(hashes) // WIDTH)):
            wanted = hashes[index * WIDTH : (index + 1) * WIDTH]
            _check_tile(tiles, level, index, wanted, report)
            above += [root_of(wanted)] if len(wanted) == WIDTH else []
        hashes, level = above, level + 1


def _check_tile(
    tiles: TileReader, level: int, index: int, wanted: list[bytes], report: Report
) -> None:
    path = tile_path(level, index, width_of(level, index, tiles.size))
    try:
        if tiles.tile(level, index) != wanted:
            report.fault("tile", f"{path} has not the hashes of the entries")
    except BadRecord as error:
        report.fault("tile", error)


def _marked(read: Read, entries: list[bytes]) -> list[str]:
    """Return the digests of the checkpoints that marks name and that are there."""
    found = []
    for data in entries:
        try:
            entry = parse_entry(data)
            if entry.kind == "mark" and entry.digest and read(f"checkpoints/{entry.digest}"):
                found.append(entry.digest)
        except BadRecord:  # check_material notes it
            continue
    return list(dict.fromkeys(found))
