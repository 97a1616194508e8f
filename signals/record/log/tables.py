"""The record's tables: the head with the tree's right edge, and entries in their order."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections

from signals.dialect import for_update
from signals.inserting import insert_typed
from signals.models import RecordHead
from signals.record.formats.encoding import HASH_BYTES
from signals.record.formats.tree import RightEdge
from signals.record.log.drafts import Draft, encoded
from signals.rows import select_one, update

HEAD = 1
"""The primary key of the only head."""
ENTRY = {
    "id": "bigint", "kind": "text", "at": "bigint", "digest": "bytea", "note": "text",
    "leaf": "bytea",
}  # fmt: skip
PORTION = 20_480
"""Entries that are read at once: 80 whole tiles."""
_HEAD = "SELECT * FROM record_heads WHERE id = %s"


class Stored(NamedTuple):
    """An entry in the tables: its index, its bytes and the hash of its leaf."""

    index: int  # type: ignore[assignment]  # it hides a tuple's method
    data: bytes
    leaf: bytes


def head_of(using: str = "default") -> RecordHead | None:
    """Return the head; None if the record has not begun."""
    return select_one(RecordHead, _HEAD, [HEAD], using=using)


def locked_head(using: str = "default") -> RecordHead | None:
    """Return the head; nobody else enters until the caller's transaction ends."""
    return select_one(RecordHead, _HEAD + for_update(using), [HEAD], using=using)


def is_open(head: RecordHead | None) -> bool:
    """Return whether lines may be entered: it has begun, is whole, and is not stopped."""
    return head is not None and not head.stopped and head.size >= head.restored


def edge_of(head: RecordHead) -> RightEdge:
    """Return the right edge of the tree."""
    data = bytes(head.edge)
    hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
    return RightEdge(head.size, hashes)


class Growth(NamedTuple):
    """Rows of entries that follow a tree, and the tree's right edge before and after them."""

    before: RightEdge
    after: RightEdge
    rows: list[tuple[Any, ...]]

    def fits(self, head: RecordHead) -> bool:
        """Return whether the entries can follow the head as it is now."""
        return (self.before.size, _joined(self.before)) == (head.size, bytes(head.edge))


def growth_of(head: RecordHead, drafts: Sequence[Draft]) -> Growth:
    """Return how these entries make the tree grow; store nothing. It needs no lock."""
    before, after = edge_of(head), edge_of(head)
    for draft in drafts:
        after.append(draft.leaf)
    rows = [(index, *draft[:5]) for index, draft in enumerate(drafts, before.size)]
    return Growth(before, after, rows)


def grow(head: RecordHead, growth: Growth, now: datetime, using: str) -> None:
    """Store a growth that fits, in the transaction that holds the head's lock."""
    if not growth.rows:
        return
    insert_typed(using, "record_entries", ENTRY, growth.rows)
    head.size, head.edge, head.entered_at = growth.after.size, _joined(growth.after), now
    values = {"size": head.size, "edge": head.edge, "entered_at": now}
    update(RecordHead, HEAD, values, using=using)


def append(head: RecordHead, drafts: Sequence[Draft], now: datetime, using: str) -> int:
    """Append entries, in the transaction that holds the head's lock; return the first index."""
    growth = growth_of(head, drafts)
    grow(head, growth, now, using)
    return growth.before.size


def _joined(edge: RightEdge) -> bytes:
    return b"".join(edge.hashes)


def entries_between(begin: int, end: int, using: str = "default") -> Iterator[list[Stored]]:
    """Yield entries in order, a portion at a time; portions end where whole tiles end."""
    while begin < end:
        upto = min(end, (begin // PORTION + 1) * PORTION)
        rows = _rows(
            using,
            "SELECT id, kind, at, digest, note, leaf FROM record_entries "
            "WHERE id >= %s AND id < %s ORDER BY id",
            begin,
            upto,
        )
        yield [Stored(row[0], encoded(*row[1:5]), bytes(row[5])) for row in rows]
        begin = upto


def root_at(size: int, using: str = "default") -> bytes:
    """Return the root of the first `size` entries, from the hashes of all their leaves."""
    edge = RightEdge()
    for portion in entries_between(0, size, using):
        for each in portion:
            edge.append(each.leaf)
    return edge.root()


def digests_between(begin: int, end: int, using: str) -> Iterator[tuple[int, bytes]]:
    """Yield index and digest of each entry that has a digest, in order."""
    while begin < end:
        upto = min(end, begin + PORTION)
        yield from (
            (index, bytes(digest))
            for index, digest in _rows(
                using,
                "SELECT id, digest FROM record_entries "
                "WHERE id >= %s AND id < %s AND digest IS NOT NULL ORDER BY id",
                begin,
                upto,
            )
        )
        begin = upto


def _rows(using: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
