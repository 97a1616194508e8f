"""Sorts the lines of a chunk of the journal by what they hold."""

from typing import NamedTuple

from signals.journal import Chunk, JournalPosition
from signals.ledger.changes import StoredChange, decode_change
from signals.ledger.dead_letters import Fault
from signals.ledger.records import BadLine, decode, json_object
from signals.ledger.usual import AnyRecord, decode_usual
from signals.models import DeadLetter

Kind = DeadLetter.Kind
FEW = 200
"""Signals up to which a batch goes to PostgreSQL in a pipeline, where COPY is impossible."""


class Batch(NamedTuple):
    """The lines of a chunk by kind, and where the next chunk begins."""

    records: list[AnyRecord]
    changes: list[StoredChange]
    faults: list[Fault]
    end: JournalPosition

    @property
    def lines(self) -> int:
        return len(self.records) + len(self.changes) + len(self.faults)

    @property
    def is_small(self) -> bool:
        """Return whether it has a few signals, and nothing else."""
        return 0 < len(self.records) == self.lines <= FEW


def parsed(chunk: Chunk) -> Batch:
    """Return the lines of a chunk; one that cannot be read is a fault."""
    batch = Batch([], [], [], chunk.end)
    for line in chunk.lines:
        if not line.data:
            continue
        if (usual := decode_usual(line)) is not None:
            batch.records.append(usual)
            continue
        try:
            fields = json_object(line)
            if "change" in fields:
                batch.changes.append(decode_change(fields, line))
            else:
                batch.records.append(decode(fields, line))
        except BadLine as bad:
            batch.faults.append(Fault(Kind.LINE, line, f"the line {bad}"))
    return batch
