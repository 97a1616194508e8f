"""The sequence: one index for each journal line of every node, for the feed and the record."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from signals.models.journal import JournalCursor


class SequenceHead(models.Model):
    """The next free index: one row; who holds its lock gives indexes."""

    next = models.BigIntegerField(default=1)

    class Meta:
        db_table = "sequence_heads"

    def __str__(self) -> str:
        return f"next index {self.next}"


class SequenceCursor(models.Model):
    """How far one journal's lines have an index; it moves in the transaction that gives them."""

    journal = models.OneToOneField(JournalCursor, models.PROTECT, related_name="sequenced")
    segment = models.IntegerField(default=1)
    byte = models.BigIntegerField(default=0)
    fingerprint = models.TextField(default="", blank=True)

    class Meta:
        db_table = "sequence_cursors"

    def __str__(self) -> str:
        return f"{self.journal_id} at {self.segment}:{self.byte}"


class SequenceRun(models.Model):
    """Consecutive lines of one segment that have consecutive indexes; `id` is the first of them."""

    id = models.BigIntegerField(primary_key=True, help_text="The first index")
    count = models.IntegerField(help_text="How many lines")
    journal = models.ForeignKey(JournalCursor, models.PROTECT, db_index=False)
    segment = models.IntegerField()
    byte = models.BigIntegerField(help_text="Where the first line begins")
    last = models.BigIntegerField(help_text="Where the last line begins")

    class Meta:
        db_table = "sequence_runs"
        indexes: ClassVar = [
            # signals.feed.places.seen_at: the last run of a journal up to an index
            models.Index(fields=["journal", "id"], name="sequence_runs_journal"),
            # signals.feed.places.first_unseen: the first run of a journal behind a line
            models.Index(fields=["journal", "segment", "last"], name="sequence_runs_place"),
        ]

    def __str__(self) -> str:
        return f"{self.count} lines from index {self.id}"


class SequenceEntry(models.Model):
    """What the feed shows at one index: a stored signal or an outcome change, by its row.

    `byte` is where its line begins in the segment of its run. It is empty if the index was given
    without a line: for a dead letter that was stored later, and for a signal with a change that
    got its index before the signal's own line.
    """

    id = models.BigIntegerField(primary_key=True, help_text="The index")
    signal = models.BigIntegerField(null=True)
    change = models.BigIntegerField(null=True)
    byte = models.BigIntegerField(null=True)

    class Meta:
        db_table = "sequence_entries"
        constraints: ClassVar = [
            # Each once, whatever is read again; signals.feed.extra looks signals up by it.
            models.UniqueConstraint(
                fields=["signal"], condition=Q(signal__isnull=False), name="sequence_signal_once"
            ),
            models.UniqueConstraint(
                fields=["change"], condition=Q(change__isnull=False), name="sequence_change_once"
            ),
            models.CheckConstraint(
                condition=Q(signal__isnull=False, change__isnull=True)
                | Q(signal__isnull=True, change__isnull=False),
                name="sequence_one_row",
            ),
        ]

    def __str__(self) -> str:
        what = f"signal {self.signal}" if self.signal else f"outcome change {self.change}"
        return f"{self.id}: {what}"


class LateEntry(models.Model):
    """A row that was stored after its line got its index, and waits for an index of its own."""

    signal = models.BigIntegerField(null=True)
    change = models.BigIntegerField(null=True)

    class Meta:
        db_table = "sequence_late"

    def __str__(self) -> str:
        return f"signal {self.signal}" if self.signal else f"outcome change {self.change}"
