"""The Merkle tree of RFC 6962: hashes, roots and proofs.

A node is (level, index): the root of the perfect subtree over the leaves from `index << level` on.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from signals.record.formats.encoding import BadRecord

Range = tuple[int, int]
"""Leaves from the first number on, up to but without the second."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
MOST_HASHES = 126
"""More than any proof or edge of a tree with less than 2**63 leaves has."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over subtrees of falling size, which are joined from the right."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for each in reversed(hashes[:-1]):
        result = node_hash(each, result)
    return result


class RightEdge:
    """A tree of which only the roots of its perfect subtrees are kept, large to small.

    It is all that appending needs.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Raises BadRecord if a tree of this size has another number of perfect subtrees."""
        if len(hashes) != size.bit_count():
            raise BadRecord(f"a tree of {size} has {size.bit_count()} hashes, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def append(self, subtree: bytes, level: int = 0) -> None:
        """Append a leaf hash, or the root of a perfect subtree. Raises BadRecord if it is larger
        than what can follow here."""
        if self.size % (1 << level):
            raise BadRecord(f"a subtree of level {level} cannot follow {self.size} leaves")
        before = self.size >> level
        self.size += 1 << level
        while before & 1:
            subtree = node_hash(self.hashes.pop(), subtree)
            before >>= 1
        self.hashes.append(subtree)

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        return folded(self.hashes)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    edge = RightEdge()
    for leaf in leaves:
        edge.append(leaf)
    return edge.root()


def perfect_subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the nodes that cover the leaves of a range, from the left, with no leaf twice."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        yield level, begin >> level
        begin += 1 << level


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes are the inclusion proof, from the leaf to the root."""
    begin, end = 0, size
    found: list[Range] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the ranges whose hashes are the consistency proof; none if `old` is 0 or `new`."""
    begin, end, is_whole = 0, new, True
    found: list[Range] = []
    while 0 < old < end:
        middle = begin + _split(end - begin)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin, is_whole = middle, False
    if not is_whole:
        found.append((begin, end))
    return found[::-1]


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof leads to. Raises BadRecord if it has a wrong length."""
    if not 0 <= index < size:
        raise BadRecord(f"entry {index} cannot be in a tree of {size}")
    ranges = inclusion_ranges(index, size)
    if len(proof) != len(ranges):
        raise BadRecord(f"the proof has {len(proof)} hashes, and needs {len(ranges)}")
    result = leaf
    for (begin, _), sibling in zip(ranges, proof, strict=True):
        is_right = begin > index
        result = node_hash(result, sibling) if is_right else node_hash(sibling, result)
    return result


def roots_by_consistency(
    old: int, new: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the two roots that a consistency proof leads to.

    They are the real ones if the proof holds. Raises BadRecord if it has a wrong length.
    """
    ranges = consistency_ranges(old, new)
    if not 0 < old <= new or len(proof) != len(ranges):
        raise BadRecord(f"this is no consistency proof from {old} to {new}")
    pairs = list(zip(ranges, proof, strict=True))
    if pairs and pairs[0][0][1] == old:
        (_, first), *pairs = pairs
    else:
        first = old_root
    return _joined(pairs, first, old)


def _joined(pairs: list[tuple[Range, bytes]], first: bytes, old: int) -> tuple[bytes, bytes]:
    old_result = new_result = first
    for (begin, _), sibling in pairs:
        if begin >= old:
            new_result = node_hash(new_result, sibling)
        else:
            old_result = node_hash(sibling, old_result)
            new_result = node_hash(sibling, new_result)
    return old_result, new_result
