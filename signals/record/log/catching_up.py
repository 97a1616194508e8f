"""Brings the tables to where the record's folder is, after a rebuild or a restore.

The folder has what was published. So entries come from it and are never made anew: what the tables
have beyond it, and was never signed, gives way.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connections, transaction

from signals.models import RecordCheckpoint, RecordCursor, RecordHead
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import moment, parse_entry
from signals.record.formats.tiles import TileReader
from signals.record.formats.tree import leaf_hash, perfect_subtrees
from signals.record.log import names
from signals.record.log.drafts import Draft, encoded, micros_of
from signals.record.log.own import stop
from signals.record.log.refusals import DAMAGED, RecordRefused
from signals.record.log.tables import (
    HEAD,
    PORTION,
    append,
    edge_of,
    locked_head,
    root_at,
)
from signals.rows import update

Notes = Sequence[tuple[str, str]]


def catch_up(
    head: RecordHead,
    size: int,
    root: bytes,
    tiles: TileReader,
    last: RecordCheckpoint | None,
    using: str,
) -> None:
    """Make the tables continue the largest checkpoint on disk, of this size and root.

    `last` is the largest one in the database. Raises RecordRefused if the two contradict each
    other, or if tiles are missing.
    """
    if last is not None and last.size > size:
        if root_at(size, using) != root:
            raise stop(_fork(size), using)
        return
    try:
        if tiles.root() != root:
            raise BadRecord("the tiles have another root than the checkpoint")
        if last is not None and _root_at(tiles, last.size) != bytes(last.root):
            raise stop(_fork(last.size), using)
        if not _continues(head, size, root, tiles, using):
            _rewind(last.size if last else 0, tiles, using)
        _load(size, tiles, using)
    except BadRecord as error:
        raise RecordRefused(DAMAGED, f"data/record cannot be read: {error}.") from None


def _fork(size: int) -> str:
    return (
        f"The database and data/record have signed checkpoints that contradict each other: the "
        f"first {size} entries differ."
    )


def _root_at(tiles: TileReader, size: int) -> bytes:
    return tiles.hash_of(0, size)


def _continues(head: RecordHead, size: int, root: bytes, tiles: TileReader, using: str) -> bool:
    """Return whether the tables and the folder have the same entries, as far as both go."""
    if head.size > size:
        return root_at(size, using) == root
    return edge_of(head).root() == _root_at(tiles, head.size)


def _rewind(size: int, tiles: TileReader, using: str) -> None:
    """Delete entries from `size` on, which were never signed; every journal is matched again."""
    edge = b"".join(tiles.node(*each) for each in perfect_subtrees(0, size))
    with transaction.atomic(using=using):
        locked_head(using)
        with connections[using].cursor() as cursor:
            cursor.execute("DELETE FROM record_entries WHERE id >= %s", [size])
            cursor.execute("DELETE FROM record_names WHERE entry >= %s", [size])
            cursor.execute("DELETE FROM record_runs")
            cursor.execute("DELETE FROM record_cursors")
        values = {"size": size, "edge": edge, "restored": tiles.size}
        update(RecordHead, HEAD, values, using=using)


def _load(size: int, tiles: TileReader, using: str) -> None:
    """Append the folder's entries that the tables lack, a portion at a time."""
    _announce(size, using)
    while (count := _load_portion(size, tiles, using)) is not None and count < size:
        pass


def _announce(size: int, using: str) -> None:
    """Let nobody enter before the tables have `size` entries, and then match lines with them."""
    with transaction.atomic(using=using):
        head = locked_head(using)
        if head is None:
            return
        update(RecordHead, HEAD, {"restored": max(size, head.size)}, using=using)
        if head.size >= size:
            return  # a load from a larger folder may have been broken off
        for cursor in RecordCursor.objects.using(using).all():
            matched = cursor.matched if cursor.matched < cursor.upto else head.size
            values = {"matched": matched, "upto": size}
            update(RecordCursor, cursor.pk, values, using=using)


def _load_portion(size: int, tiles: TileReader, using: str) -> int | None:
    """Append some entries; return how many there are then, None if there is nothing to do."""
    with transaction.atomic(using=using):
        head = locked_head(using)
        if head is None or head.size >= size:
            return None
        end = min(size, head.size + PORTION)
        drafts = [_draft(data) for data in tiles.entries(head.size, end)]
        entered_at = moment(parse_entry(tiles.entries(end - 1, end)[0]).at)
        first = append(head, drafts, entered_at, using)
        _store_names(drafts, first, using)
        return head.size


def _draft(data: bytes) -> Draft:
    entry = parse_entry(data)
    digest = None if entry.digest is None else bytes.fromhex(entry.digest)
    note = None if entry.note is None else json.dumps(entry.note)
    draft = Draft(entry.kind, micros_of(entry.at), digest, note, leaf_hash(data))
    if encoded(*draft[:4]) != data:
        raise BadRecord(f"an entry cannot be stored as it is: {data[:120]!r}")
    return draft


def _store_names(drafts: Sequence[Draft], first: int, using: str) -> None:
    kinds: dict[tuple[str, Any], int] = {}
    for index, draft in enumerate(drafts, first):
        if draft.kind in ("strategy", "account"):
            kinds.setdefault((draft.kind, draft.note), index)
    for (kind, note), index in kinds.items():
        for name in names.unnamed(kind, [note], using):
            names.store([name], index, using)
