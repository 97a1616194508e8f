"""Moves pending journal lines into the database, a batch at a time.

Any number of processes may flush at once. Each claims a batch by moving the cursor in the
transaction that inserts the rows, and only one of them succeeds in that.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, Protocol

from django.db import DatabaseError, transaction
from tenacity import retry, retry_if_exception, stop_after_attempt

from signals import metrics
from signals.clock import Clock, utc_now
from signals.dialect import is_deadlock, is_shared, refusal_of
from signals.garbage import collector_paused
from signals.journal import Journal, JournalPosition, JournalReplaced, Line, Offset
from signals.ledger.announcing import announce_outcome
from signals.ledger.batches import Batch, parsed
from signals.ledger.changes import StoredChange, apply_change
from signals.ledger.claim import Claim
from signals.ledger.dead_letters import Fault, store_dead_letters
from signals.ledger.latency import PAST, latencies
from signals.ledger.read_ahead import Reading, reading
from signals.ledger.spellings import Seen, learn
from signals.ledger.store import (
    ROW_ERRORS,
    StoredHandler,
    StoredSignal,
    StoreResult,
    store,
    store_fresh,
    store_one_by_one,
)
from signals.ledger.usual import AnyRecord
from signals.models import DeadLetter, JournalCursor, OutcomeChange, Signal
from signals.pipeline import pipelined
from signals.timestamps import utc_text

logger = logging.getLogger(__name__)
Kind = DeadLetter.Kind
SPELLINGS_KEPT = 10_000
"""Spellings that a flusher remembers at most."""
_spelling = attrgetter("record.symbol", "record.asset_type")


@dataclass(frozen=True, slots=True)
class FlushResult:
    """How many journal lines became rows, were stored already, or became dead letters."""

    stored: int = 0
    duplicates: int = 0
    changes: int = 0
    dead: int = 0

    @property
    def lines(self) -> int:
        """Return the number of lines in all."""
        return self.stored + self.duplicates + self.changes + self.dead

    def __str__(self) -> str:
        return (
            f"{self.stored} stored, {self.duplicates} already there, "
            f"{self.changes} outcome changes, {self.dead} dead letters"
        )

    def __add__(self, other: "FlushResult") -> "FlushResult":
        return FlushResult(
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.changes + other.changes,
            self.dead + other.dead,
        )


class Step(NamedTuple):
    """What became of a batch.

    Attributes:
        result: how many lines became rows.
        end: where the batch ended; None if another flush stored it.
        commits: PostgreSQL's `synchronous_commit` for its transaction; empty on SQLite.
    """

    result: FlushResult
    end: JournalPosition | None = None
    commits: str = ""


@dataclass(frozen=True)
class Flusher:
    """Drains one journal into one database.

    `handlers` are called in order, inside the transaction, with the signals just stored. One
    transaction takes at most `max_lines` lines. A rebuild does not set `stored_at`: its rows were
    stored before, at a time that the journal does not know. `guard` is called before the first
    batch, and raises an error if this process may not flush. `after` is called with the number of
    lines of each batch that was stored. `learnt` are spellings that the database has.
    """

    journal: Journal
    using: str = "default"
    handlers: Sequence[StoredHandler] = ()
    max_lines: int = 5000
    clock: Clock = utc_now
    sets_stored_at: bool = True
    guard: Callable[[], None] = lambda: None
    after: Callable[[int], object] = lambda count: None
    learnt: set[Seen] = field(default_factory=set, compare=False, repr=False)

    def flush(self, upto: Offset | None = None) -> FlushResult:
        """Store everything that is pending, at least up to `upto` if it is given.

        Raises what the database or a handler raises.
        """
        total = FlushResult()
        for step in self.steps(upto):
            total += step.result
        return total

    def batches(self) -> Iterator[FlushResult]:
        """Store everything that is pending; yield the result of each batch."""
        return (step.result for step in self.steps())

    def steps(
        self, upto: Offset | None = None, cursor: JournalCursor | None = None
    ) -> Iterator[Step]:
        """Do the same as `flush`; yield each batch once it is committed.

        `cursor` saves a statement if it is where the last step ended; it moves along.
        """
        self.guard()
        with reading(self._read, ahead=is_shared(self.using)) as source:
            cursor = cursor or self.cursor()
            while (step := self._step(cursor, source)) is not None:
                self.after(step.result.lines)
                yield step
                if step.end is None:
                    cursor = self.cursor()
                else:
                    cursor.move_to(step.end)
                if upto is not None and cursor.position[:2] >= upto:
                    return

    @collector_paused()
    def _step(self, cursor: JournalCursor, source: Reading[Batch | None]) -> Step | None:
        """Store the next lines; return None if there are none."""
        position = cursor.position
        try:
            batch = source.batch(position)
        except JournalReplaced as replaced:
            self._start_over(cursor, position, replaced)
            return Step(FlushResult())
        if batch is None:
            return None
        if batch.lines >= self.max_lines:
            source.begin(batch.end)
        return self._store(cursor, batch)

    def _read(self, position: JournalPosition) -> Batch | None:
        """Return the lines after `position`, or None without any. Raises JournalReplaced."""
        chunk = self.journal.read(position, max_lines=self.max_lines)
        return None if chunk is None else parsed(chunk)

    def cursor(self) -> JournalCursor:
        """Return how far the journal is flushed."""
        return JournalCursor.objects.using(self.using).of(self.journal.identity)

    @retry(retry=retry_if_exception(is_deadlock), stop=stop_after_attempt(10), reraise=True)
    def _store(self, cursor: JournalCursor, batch: Batch) -> Step:
        """Store a batch. Try again after a deadlock with a machine that stores the same signals."""
        in_pipeline = is_shared(self.using) and batch.is_small
        with suppress(*ROW_ERRORS):
            return self._store_in(cursor, batch, store_fresh, in_pipeline=in_pipeline)
        with suppress(*ROW_ERRORS):
            return self._store_in(cursor, batch, store)
        logger.debug("The database refused a batch; storing its signals one by one")
        return self._store_in(cursor, batch, store_one_by_one)

    def _store_in(
        self, cursor: JournalCursor, batch: Batch, how: "_Store", *, in_pipeline: bool = False
    ) -> Step:
        with transaction.atomic(using=self.using), self._pipeline(in_pipeline):
            claim = Claim(cursor, batch.end, self.using)
            if not in_pipeline and claim.commits is None:
                return Step(FlushResult())
            now = self.clock()
            stored_at = utc_text(now) if self.sets_stored_at else None
            result = how(batch.records, cursor, stored_at, using=self.using)
            if claim.commits is None:
                transaction.set_rollback(True, using=self.using)
                return Step(FlushResult())
            self._call_handlers(result.stored)
            made = self._made_already(batch.changes)
            todo = [change for change in batch.changes if change.change.change_id not in made]
            unfit = [fault for change in todo if (fault := self._change(change, cursor))]
            faults = batch.faults + _faults_of(result) + unfit
            store_dead_letters(faults, cursor, at=self.clock(), using=self.using)
            began = time.perf_counter()
        metrics.FLUSH_COMMIT.observe(time.perf_counter() - began)
        self._learn(result.stored)
        if logger.isEnabledFor(logging.DEBUG):  # asked once: a batch has thousands of signals
            _log_stored(result.stored, batch.end)
        changes = len(batch.changes) - len(unfit)
        done = FlushResult(len(result.stored), result.duplicates, changes, len(faults))
        if self.sets_stored_at:
            _measure(done, result.stored, now)
        return Step(done, batch.end, claim.commits)

    def _pipeline(self, wanted: bool) -> AbstractContextManager[None]:
        return pipelined(self.using) if wanted else nullcontext()

    def _learn(self, stored: Sequence[StoredSignal]) -> None:
        """Store spellings that are new, after the commit: other flushes would wait for their rows.

        If that fails, the task of the sums stores them.
        """
        new = set(map(Seen._make, set(map(_spelling, stored)))) - self.learnt
        try:
            learn(new, using=self.using)
        except DatabaseError as error:
            logger.warning("The new spellings are stored later: %s", error)
            return
        if len(self.learnt) + len(new) > SPELLINGS_KEPT:
            self.learnt.clear()
        self.learnt.update(new)

    def _made_already(self, changes: Sequence[StoredChange]) -> set[str]:
        """Return the ids of changes that the database has: `record_outcome` stores them itself."""
        ids = [name for change in changes if "\0" not in (name := str(change.change.change_id))]
        if not ids:
            return set()
        there = OutcomeChange.objects.using(self.using).filter(change_id__in=ids)
        return set(there.values_list("change_id", flat=True))

    def _change(self, change: StoredChange, cursor: JournalCursor) -> Fault | None:
        """Apply one outcome change; return a Fault if that fails, so that the flush goes on.

        Lock the signal first. Another process may have journaled this change and not committed it
        yet; the lock waits for its commit.
        """
        signal_id = change.change.signal_id
        try:
            with transaction.atomic(using=self.using):
                signals = Signal.objects.using(self.using).select_for_update()
                signal = signals.filter(signal_id=signal_id).first()
                fault = apply_change(change, cursor, using=self.using)
                if signal is not None and fault is None and self.handlers:
                    announce_outcome(change.change, signal)
                return fault
        except (*ROW_ERRORS, TypeError, ValueError) as error:
            return Fault(
                Kind.CHANGE,
                change.line,
                refusal_of(error),
                _name(signal_id),
            )

    def _call_handlers(self, stored: Sequence[StoredSignal]) -> None:
        if stored:
            for handler in self.handlers:
                handler(stored)

    def _start_over(
        self, cursor: JournalCursor, position: JournalPosition, replaced: JournalReplaced
    ) -> None:
        """Continue at byte 0 of the file that exists now: replaying is always safe."""
        restart = self.journal.restart(position)
        reason = f"{replaced} Reading segment {restart.segment} from its start."
        with transaction.atomic(using=self.using):
            if Claim(cursor, restart, self.using).commits is not None:
                fault = Fault(Kind.JOURNAL, Line(Offset(*position[:2]), b""), reason)
                store_dead_letters([fault], cursor, at=self.clock(), using=self.using)


class _Store(Protocol):
    def __call__(
        self,
        records: Sequence[AnyRecord],
        cursor: JournalCursor,
        stored_at: str | None,
        *,
        using: str,
    ) -> StoreResult: ...


def _measure(done: FlushResult, stored: Sequence[StoredSignal], now: datetime) -> None:
    """Count a committed batch, and how long its live signals took from the call to the row."""
    metrics.flushed(**asdict(done))
    received = (each.record.received_at for each in stored if each.origin not in PAST)
    metrics.STORAGE_LATENCY.observe_each(latencies(received, now))


def _log_stored(stored: Sequence[StoredSignal], end: JournalPosition) -> None:
    for signal in stored:
        logger.debug("Stored %s from %s", signal.signal_id, signal.origin,
                     extra={"signal_id": signal.signal_id})  # fmt: skip
    logger.debug("Stored %d signals up to %s", len(stored), end)


def _faults_of(result: StoreResult) -> list[Fault]:
    conflicts = [(Kind.CONFLICT, refusal) for refusal in result.conflicts]
    refused = [(Kind.REFUSED, refusal) for refusal in result.refused]
    return [
        Fault(kind, refusal.record.line, refusal.reason, _name(refusal.record.signal_id))
        for kind, refusal in conflicts + refused
    ]


def _name(signal_id: object) -> str:
    """Return the id for a dead letter, cut so that every database can store it."""
    return str(signal_id)[:64].replace("\0", "")
