"""Checks the record's tables, the journal and the signed checkpoints against each other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import connections

from signals.journal import Journal, Line
from signals.models import JournalCursor, RecordCheckpoint, RecordCursor, RecordHead
from signals.record.formats.tree import RightEdge, leaf_hash
from signals.record.log.disk import Disk
from signals.record.log.drafts import Drafter
from signals.record.log.reading import read
from signals.record.log.refusals import RecordRefused
from signals.record.log.salt import salt_key
from signals.record.log.tables import digests_between, edge_of, entries_between, head_of

Progress = Callable[[int], object]
LINES = 5000
MOST_FAULTS = 100


@dataclass
class Audit:
    """How much was checked, and a sentence for each thing that is wrong, at most MOST_FAULTS."""

    entries: int = 0
    lines: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, sentence: str) -> None:
        """Note something wrong."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(sentence)


def audit(
    journal: Journal,
    disk: Disk,
    using: str = "default",
    progress: Progress = lambda count: None,
) -> Audit:
    """Check every entry, every line of this journal that is entered, and every checkpoint."""
    result, head = Audit(), head_of(using)
    if head is not None:
        _check_entries(head, disk, result, using, progress)
        _check_lines(journal, head, result, using, progress)
    return result


def _check_entries(
    head: RecordHead, disk: Disk, result: Audit, using: str, progress: Progress
) -> None:
    roots = dict(_signed_roots(disk, result, using))
    edge = RightEdge()
    for portion in entries_between(0, head.size, using):
        for each in portion:
            if each.index != edge.size:
                result.fault(f"entry {edge.size} of the record is missing")
                return
            if leaf_hash(each.data) != each.leaf:
                result.fault(f"entry {each.index} of the record was altered")
            edge.append(each.leaf)
            if edge.size in roots and edge.root() != roots[edge.size]:
                result.fault(f"the signed checkpoint of {edge.size} entries is of other entries")
        result.entries += len(portion)
        progress(len(portion))
    if (edge.size, edge.root()) != (head.size, edge_of(head).root()):
        result.fault("the entries of the record do not make the root that its head has")


def _signed_roots(disk: Disk, result: Audit, using: str) -> Iterator[tuple[int, bytes]]:
    """Yield the size and root of each checkpoint in the database, and of the last one on disk."""
    rows = RecordCheckpoint.objects.using(using).values_list("size", "root")
    yield from ((size, bytes(root)) for size, root in rows)
    try:
        last = disk.last()
    except RecordRefused as refused:
        result.fault(refused.sentence)
        return
    if last is not None:
        yield last.checkpoint[1:]


def _check_lines(
    journal: Journal, head: RecordHead, result: Audit, using: str, progress: Progress
) -> None:
    """See that each line that was entered is the one that is there now."""
    flushed = JournalCursor.objects.using(using).of(journal.identity)
    stored = RecordCursor.objects.using(using).filter(journal=flushed).first()
    if stored is None:
        return
    drafter = Drafter(salt_key(journal), journal.identity, head.begun_at)
    place, missing = RecordCursor(journal=flushed), dict[bytes, Line]()
    while place.sequence < stored.sequence:
        found = read(journal, flushed, place, LINES, using)
        if found is None:
            break
        digests = drafter.digests(found.lines)
        entered = _entered(found.indexes, using)
        for line, digest, index in zip(found.lines, digests, found.indexes, strict=True):
            if index <= stored.sequence and entered.get(index) != digest:
                missing[digest] = line
        place.sequence = found.sequence
        place.segment, place.byte, place.fingerprint = found.end
        result.lines += len(found.lines)
        progress(len(found.lines))
    _name(missing, head, result, using)


def _entered(indexes: list[int], using: str) -> dict[int, bytes]:
    """Return the digest that was entered for each line, by its index in the sequence."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT runs.sequence + entries.id - runs.id, entries.digest FROM record_runs runs "
            "JOIN record_entries entries "
            "ON entries.id >= runs.id AND entries.id < runs.id + runs.count "
            "WHERE runs.sequence <= %s AND runs.sequence > %s AND entries.digest IS NOT NULL",
            [indexes[-1], _run_before(indexes[0], using)],
        )
        return {index: bytes(digest) for index, digest in cursor.fetchall()}


def _run_before(index: int, using: str) -> int:
    """Return an index below the run in which this line is."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT max(sequence) FROM record_runs WHERE sequence <= %s", [index])
        return int(cursor.fetchone()[0] or 0) - 1


def _name(missing: dict[bytes, Line], head: RecordHead, result: Audit, using: str) -> None:
    """Note the lines that have no entry at all: lines that were read again have an earlier one."""
    if not missing:
        return
    for _, digest in digests_between(0, head.size, using):
        missing.pop(digest, None)
    for line in missing.values():
        segment, byte = line.offset
        result.fault(
            f"the journal line at byte {byte} of segment {segment} is not the one that was entered"
        )
