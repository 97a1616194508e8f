"""Compares the tree over entries with the roots that checkpoints state."""

from collections.abc import Iterable, Sequence

from signals.record.formats.encoding import BadRecord
from signals.record.formats.tree import (
    RightEdge,
    leaf_hash,
    perfect_subtrees,
    roots_by_consistency,
)
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed


class Roots:
    """The roots of the tree at the sizes that are asked for, made in one pass over its leaves."""

    def __init__(self, edge: RightEdge, sizes: Iterable[int]) -> None:
        self._edge = edge
        self._wanted = set(sizes)
        self.found: dict[int, bytes] = {}
        self._look()

    def append(self, subtree: bytes, level: int = 0) -> None:
        """Append a leaf or a perfect subtree."""
        self._edge.append(subtree, level)
        self._look()

    def _look(self) -> None:
        if self._edge.size in self._wanted:
            self.found[self._edge.size] = self._edge.root()


def roots_of_range(
    entries: Sequence[bytes], first: int, size: int, hashes: list[bytes], sizes: Iterable[int]
) -> dict[int, bytes]:
    """Return roots by size; `hashes` are those of the subtrees left and right of the entries.

    Raises BadRecord if there are more or fewer hashes than are needed.
    """
    after = list(perfect_subtrees(first + len(entries), size))
    left = first.bit_count()
    if len(hashes) != left + len(after):
        raise BadRecord(f"there are {len(hashes)} hashes, and {left + len(after)} are needed")
    roots = Roots(RightEdge(first, hashes[:left]), {*sizes, size})
    for entry in entries:
        roots.append(leaf_hash(entry))
    for (level, _), subtree in zip(after, hashes[left:], strict=True):
        roots.append(subtree, level)
    return roots.found


def check_roots(signed: Iterable[Signed], roots: dict[int, bytes], report: Report) -> None:
    """Note each checkpoint of which the root is another than the entries have."""
    for each in signed:
        if each.size in roots and roots[each.size] != each.checkpoint.root:
            report.fault(
                "root",
                f"the entries do not make the root of the checkpoint of size {each.size}: an entry "
                "was changed, removed, added or moved, or there is a second history",
            )


def check_known(
    known: Signed,
    current: Signed,
    roots: dict[int, bytes],
    proof: list[bytes] | None,
    report: Report,
) -> None:
    """Note if a checkpoint that was kept earlier is not one of this history."""
    old, new = known.checkpoint, current.checkpoint
    if old.origin != new.origin:
        report.fault("known", f"the known checkpoint is of another log: {old.origin!r}")
    elif old.size > new.size:
        report.fault(
            "known",
            f"the record has {new.size} entries, and the known checkpoint has {old.size}: this is "
            "older than what you know, or entries were taken back",
        )
    elif old.size == new.size or old.size in roots:
        if (new.root if old.size == new.size else roots[old.size]) != old.root:
            report.fault("known", _TWO.format(old.size))
    elif old.size:
        _check_proof(known, current, proof, report)


_TWO = "the known checkpoint of size {} is of another history: there are two of them"


def _check_proof(known: Signed, current: Signed, proof: list[bytes] | None, report: Report) -> None:
    old, new = known.checkpoint, current.checkpoint
    if proof is None:
        report.fault(
            "known",
            f"the known checkpoint of size {old.size} cannot be compared: ask for a bundle with "
            f"the file consistency/{old.size}, or check the whole record",
        )
        return
    try:
        roots = roots_by_consistency(old.size, new.size, old.root, proof)
    except BadRecord as error:
        report.fault("known", error)
        return
    if roots != (old.root, new.root):
        report.fault("known", _TWO.format(old.size))
