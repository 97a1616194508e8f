"""Enters the lines of one journal into the record, behind the sequence.

Any number of processes may do so at once. Each claims lines by moving the journal's own cursor in
the transaction that makes their entries, and only one transaction at a time makes any.
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
from signals.record.log.tables import append, head_of, is_open, locked_head
from signals.rows import select_one, update

_CURSOR = "SELECT * FROM record_cursors WHERE journal_id = %s"


class _Places(NamedTuple):
    """The entries among which the next lines may be already; none if there is nothing between."""

    matched: int
    upto: int


class _Batch(NamedTuple):
    """What one transaction stores: lines with entries already, then new ones."""

    reading: Reading
    places: _Places
    known: list[int]
    drafts: list[Draft]


@dataclass(frozen=True)
class Enterer:
    """Enters the lines of one journal; one transaction takes about `max_lines`.

    `guard` is called before the first batch, and raises an error if this process may not do so.
    `accounts` returns the names of the accounts that signals may be decided for. `is_past` makes
    every line history, as of a journal that is adopted.
    """

    journal: Journal
    using: str = "default"
    max_lines: int = 5000
    guard: Callable[[], None] = lambda: None
    accounts: Callable[[], Iterable[str]] = tuple
    clock: Clock = utc_now
    is_past: bool = False

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
        while (count := self._batch(drafter)) is not None:
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
        with transaction.atomic(using=self.using):
            return self._store(cursor, _Batch(found, places, known, fresh), accounts, now)

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

    def _store(
        self, cursor: RecordCursor, batch: _Batch, accounts: list[str], now: datetime
    ) -> int | None:
        """Store a batch under the head's lock; return how many entries it made."""
        head = locked_head(self.using)
        if head is None or not is_open(head):
            return None
        if not _claim(cursor, batch, self.using):
            return 0
        first = self._append(head, batch.drafts, accounts, now)
        indexes = batch.reading.indexes
        places = [*batch.known, *range(first, first + len(batch.drafts))]
        runs.store(zip(places, indexes, strict=True), self.using)
        return len(batch.drafts)

    def _append(
        self, head: RecordHead, drafts: list[Draft], accounts: list[str], now: datetime
    ) -> int:
        """Append names that are new, and then the lines; return the index of the first line."""
        strategies = (each.strategy for each in drafts if each.strategy is not None)
        new = [
            *names.unnamed("account", accounts, self.using),
            *names.unnamed("strategy", strategies, self.using),
        ]
        first = append(head, [*names.drafts_of(new, now), *drafts], now, self.using)
        names.store(new, first, self.using)
        return first + len(new)


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
