"""Enters the lines of one journal into the record, behind the sequence.

Any number of processes may do so at once. Each claims lines by moving the journal's own cursor in
the transaction that makes their entries, and only one transaction at a time makes any. All hashes
are computed before it begins, because on SQLite the flush waits for its end.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from signals.clock import Clock, utc_now
from signals.garbage import collector_paused
from signals.journal import Journal
from signals.models import JournalCursor, RecordCursor, RecordHead
from signals.record.log import names, runs
from signals.record.log.drafts import Draft, Drafter
from signals.record.log.matching import matches
from signals.record.log.reading import Reading, read
from signals.record.log.salt import salt_key
from signals.record.log.tables import Growth, grow, growth_of, head_of, is_open, locked_head
from signals.rows import select_one, update

_CURSOR = "SELECT * FROM record_cursors WHERE journal_id = %s"


class _Places(NamedTuple):
    """The entries among which the next lines may be already; none if there is nothing between."""

    matched: int
    upto: int


class _Batch(NamedTuple):
    """What one transaction stores: lines with entries already, then new ones at this time."""

    reading: Reading
    places: _Places
    known: list[int]
    drafts: list[Draft]
    accounts: list[str]
    now: datetime


class _Addition(NamedTuple):
    """How the lines of a batch make the tree grow, after the names that are new."""

    names: list[names.Name]
    growth: Growth


@dataclass(frozen=True)
class Enterer:
    """Enters the lines of one journal; one transaction takes about `max_lines`.

    `guard` is called before the first batch, and raises an error if this process may not do so.
    `accounts` returns the names of the accounts that signals may be decided for. `is_past` makes
    every line history, as of a journal that is adopted. `waits` is asked before each batch: if it
    returns True, the rest is entered later.
    """

    journal: Journal
    using: str = "default"
    max_lines: int = 5000
    guard: Callable[[], None] = lambda: None
    accounts: Callable[[], Iterable[str]] = tuple
    clock: Clock = utc_now
    is_past: bool = False
    waits: Callable[[], bool] = lambda: False

    def enter(self) -> int:
        """Enter every line that has an index in the sequence; return how many were entered."""
        return sum(self.batches())

    def batches(self) -> Iterator[int]:
        """Do the same; yield how many entries each batch made. Without a record do nothing."""
        head = head_of(self.using)
        if head is None or not is_open(head):
            return
        self.guard()
        drafter = Drafter(
            salt_key(self.journal), self.journal.identity, head.begun_at, is_past=self.is_past
        )
        while not self.waits() and (count := self._batch(drafter)) is not None:
            yield count

    @collector_paused()
    def _batch(self, drafter: Drafter) -> int | None:
        flushed = JournalCursor.objects.using(self.using).of(self.journal.identity)
        cursor = self._cursor(flushed)
        if cursor is None:
            return None
        found = read(self.journal, flushed, cursor, self.max_lines, self.using)
        if found is None:
            return None
        places = _Places(cursor.matched, cursor.upto)
        if found.is_again:
            places = _every_place(self.using)
        now = self.clock()
        known = self._known(drafter, found, places)
        fresh = list(drafter.drafts(found.lines[len(known) :], now))
        accounts = [json.dumps(name) for name in self.accounts()]
        batch = _Batch(found, places, known, fresh, accounts, now)
        head = head_of(self.using)
        addition = None if head is None else self._addition(head, batch)
        with transaction.atomic(using=self.using):
            return self._store(cursor, batch, addition)

    def _cursor(self, journal: JournalCursor) -> RecordCursor | None:
        """Return the journal's cursor; make it the first time, unless the record is not open."""
        found = select_one(RecordCursor, _CURSOR, [journal.pk], using=self.using)
        if found is not None:
            return found
        with transaction.atomic(using=self.using):
            head = locked_head(self.using)
            if head is None or not is_open(head):
                return None
            cursors = RecordCursor.objects.using(self.using)
            return cursors.get_or_create(journal=journal, defaults={"upto": head.restored})[0]

    def _known(self, drafter: Drafter, found: Reading, places: "_Places") -> list[int]:
        if places.matched >= places.upto:
            return []
        return matches(*places, drafter.digests(found.lines), self.using)

    def _addition(self, head: RecordHead, batch: _Batch) -> _Addition:
        """Return what follows the head."""
        strategies = (each.strategy for each in batch.drafts if each.strategy is not None)
        new = [
            *names.unnamed("account", batch.accounts, self.using),
            *names.unnamed("strategy", strategies, self.using),
        ]
        drafts = [*names.drafts_of(new, batch.now), *batch.drafts]
        return _Addition(new, growth_of(head, drafts))

    def _store(self, cursor: RecordCursor, batch: _Batch, addition: _Addition | None) -> int | None:
        """Store a batch under the head's lock; return how many entries it made."""
        head = locked_head(self.using)
        if head is None or not is_open(head):
            return None
        if not _claim(cursor, batch, self.using):
            return 0
        if addition is None or not addition.growth.fits(head):  # somebody entered meanwhile
            addition = self._addition(head, batch)
        first = self._grow(head, addition, batch.now)
        indexes = batch.reading.indexes
        places = [*batch.known, *range(first, first + len(batch.drafts))]
        runs.store(zip(places, indexes, strict=True), self.using)
        return len(batch.drafts)

    def _grow(self, head: RecordHead, addition: _Addition, now: datetime) -> int:
        """Store names and lines; return the index of the first line."""
        begin = head.size
        grow(head, addition.growth, now, self.using)
        names.store(addition.names, begin, self.using)
        return begin + len(addition.names)


def _every_place(using: str) -> _Places:
    """Look for the entries of lines that are read again among all entries."""
    head = head_of(using)
    return _Places(0, head.size if head else 0)


def _claim(cursor: RecordCursor, batch: _Batch, using: str) -> bool:
    """Move the cursor from where we read it; return False if another process moved it first."""
    found, places = batch.reading, batch.places
    matched = batch.known[-1] + 1 if batch.known else places.matched
    values = {"sequence": found.sequence, "matched": places.upto if batch.drafts else matched}
    return update(
        RecordCursor,
        cursor.pk,
        {**values, **found.end._asdict(), "upto": places.upto},
        only_if={"sequence": cursor.sequence, "upto": cursor.upto},
        using=using,
    )
