"""Moves what is pending in the journal into the database, a batch at a time.

May run in any number of processes at once: each batch is claimed by moving the cursor in the
transaction that inserts the rows, and only one of them moves it.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from django.db import transaction
from tenacity import retry, retry_if_exception, stop_after_attempt

from signals.clock import Clock, utc_now
from signals.dialect import is_deadlock
from signals.garbage import collector_paused
from signals.journal import Chunk, Journal, JournalReplaced, Line, Offset, Position
from signals.ledger.changes import StoredChange, apply_change, decode_change
from signals.ledger.dead_letters import Fault, store_dead_letters
from signals.ledger.records import BadLine, Record, decode, json_object
from signals.ledger.store import (
    ROW_ERRORS,
    Outcome,
    StoredHandler,
    StoredSignal,
    store,
    store_fresh,
    store_one_by_one,
)
from signals.models import DeadLetter, JournalCursor, OutcomeChange, Signal
from signals.rows import update

logger = logging.getLogger(__name__)
Kind = DeadLetter.Kind


@dataclass(frozen=True, slots=True)
class FlushResult:
    """How many journal lines became rows, were there already, or became dead letters."""

    stored: int = 0
    duplicates: int = 0
    changes: int = 0
    dead: int = 0

    @property
    def lines(self) -> int:
        """How many lines that makes."""
        return self.stored + self.duplicates + self.changes + self.dead

    def __add__(self, other: "FlushResult") -> "FlushResult":
        return FlushResult(
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.changes + other.changes,
            self.dead + other.dead,
        )


@dataclass(frozen=True)
class Flusher:
    """Drains one journal into one database.

    `handlers` are called in order, inside the transaction, with the signals just stored;
    `max_lines` is how many lines one transaction takes.
    """

    journal: Journal
    using: str = "default"
    handlers: Sequence[StoredHandler] = ()
    max_lines: int = 5000
    clock: Clock = utc_now

    def flush(self, upto: Offset | None = None) -> FlushResult:
        """Drain everything that is pending, or what stands before `upto`.

        Raises what the database or a handler raises.
        """
        total = FlushResult()
        for result in self.batches():
            total += result
            if upto is not None and _position(self._cursor())[:2] >= upto:
                break
        return total

    def batches(self) -> Iterable[FlushResult]:
        """The same, a batch at a time, for those who show progress."""
        while (result := self._batch()) is not None:
            yield result

    @collector_paused()
    def _batch(self) -> FlushResult | None:
        """Store the next lines; None where there are none."""
        cursor = self._cursor()
        position = _position(cursor)
        try:
            chunk = self.journal.read(position, max_lines=self.max_lines)
        except JournalReplaced as replaced:
            self._start_over(cursor, position, replaced)
            return FlushResult()
        return None if chunk is None else self._store(cursor, _sorted_lines(chunk))

    def _cursor(self) -> JournalCursor:
        return JournalCursor.objects.using(self.using).of(self.journal.identity)

    @retry(retry=retry_if_exception(is_deadlock), stop=stop_after_attempt(10), reraise=True)
    def _store(self, cursor: JournalCursor, batch: "_Batch") -> FlushResult:
        """Where machines store the same signals in another order, PostgreSQL lets one go first."""
        for how in (store_fresh, store):
            with suppress(*ROW_ERRORS):
                return self._store_in(cursor, batch, how)
        logger.warning("A batch was refused as a whole; storing its signals one by one")
        return self._store_in(cursor, batch, store_one_by_one)

    def _store_in(self, cursor: JournalCursor, batch: "_Batch", how: "_Store") -> FlushResult:
        with transaction.atomic(using=self.using):
            if not self._claim(cursor, batch.end):
                return FlushResult()
            outcome = how(batch.records, cursor, using=self.using)
            self._call_handlers(outcome.stored)
            made = self._made_already(batch.changes)
            todo = [change for change in batch.changes if change.change.change_id not in made]
            unfit = [fault for change in todo if (fault := self._change(change, cursor))]
            faults = batch.faults + _faults_of(outcome) + unfit
            store_dead_letters(faults, cursor, at=self.clock(), using=self.using)
        logger.debug("Stored %d signals up to %s", len(outcome.stored), batch.end)
        changes = len(batch.changes) - len(unfit)
        return FlushResult(len(outcome.stored), outcome.duplicates, changes, len(faults))

    def _made_already(self, changes: Sequence[StoredChange]) -> set[str]:
        """Of nearly every change: whoever records one makes it as it is journaled."""
        ids = [name for change in changes if "\0" not in (name := str(change.change.change_id))]
        if not ids:
            return set()
        there = OutcomeChange.objects.using(self.using).filter(change_id__in=ids)
        return set(there.values_list("change_id", flat=True))

    def _change(self, change: StoredChange, cursor: JournalCursor) -> Fault | None:
        """Apply one outcome change; one that cannot be applied stops nothing.

        The signal is locked first: whoever records that very change now, and journaled it
        already, has committed when we look whether it is there.
        """
        signal_id = change.change.signal_id
        try:
            with transaction.atomic(using=self.using):
                signals = Signal.objects.using(self.using).select_for_update()
                signals.filter(signal_id=signal_id).first()
                return apply_change(change, cursor, using=self.using)
        except (*ROW_ERRORS, TypeError, ValueError) as error:
            return Fault(Kind.CHANGE, change.line, f"it is refused: {error}", _name(signal_id))

    def _claim(self, cursor: JournalCursor, end: Position) -> bool:
        """Move the cursor from where we read it; False where another flush was first."""
        seen = _position(cursor)._asdict()
        return update(JournalCursor, cursor.pk, end._asdict(), only_if=seen, using=self.using)

    def _call_handlers(self, stored: Sequence[StoredSignal]) -> None:
        if stored:
            for handler in self.handlers:
                handler(stored)

    def _start_over(
        self, cursor: JournalCursor, position: Position, replaced: JournalReplaced
    ) -> None:
        """Go on with the file that is there, from its byte 0: replaying is always safe."""
        restart = self.journal.restart(position)
        reason = f"{replaced} Reading segment {restart.segment} from its start."
        with transaction.atomic(using=self.using):
            if self._claim(cursor, restart):
                fault = Fault(Kind.JOURNAL, Line(Offset(*position[:2]), b""), reason)
                store_dead_letters([fault], cursor, at=self.clock(), using=self.using)


def _position(cursor: JournalCursor) -> Position:
    return Position(cursor.segment, cursor.byte, cursor.fingerprint)


class _Store(Protocol):
    def __call__(
        self, records: Sequence[Record], cursor: JournalCursor, *, using: str
    ) -> Outcome: ...


class _Batch(NamedTuple):
    """The lines of a chunk by what they are, and where the next chunk begins."""

    records: list[Record]
    changes: list[StoredChange]
    faults: list[Fault]
    end: Position


def _sorted_lines(chunk: Chunk) -> _Batch:
    batch = _Batch([], [], [], chunk.end)
    for line in chunk.lines:
        if not line.data:
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


def _faults_of(outcome: Outcome) -> list[Fault]:
    conflicts = [(Kind.CONFLICT, refusal) for refusal in outcome.conflicts]
    refused = [(Kind.REFUSED, refusal) for refusal in outcome.refused]
    return [
        Fault(kind, refusal.record.line, refusal.reason, _name(refusal.record.signal_id))
        for kind, refusal in conflicts + refused
    ]


def _name(signal_id: object) -> str:
    """The id of a dead letter, as far as every database can hold it."""
    return str(signal_id)[:64].replace("\0", "")
