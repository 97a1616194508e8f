"""Where each journal has been read to, and what could not be processed."""

from typing import ClassVar

from django.db import models

from signals.constraints import known_values
from signals.journal import JournalPosition
from signals.rows import select_one


class JournalCursorQuerySet(models.QuerySet["JournalCursor"]):
    """Finds cursors by their journal."""

    def of(self, journal: str) -> "JournalCursor":
        """Return the cursor of the journal with this identity; make it if it is missing.

        It is read with plain SQL, because every flush and every change needs it.
        """
        statement = "SELECT * FROM journal_cursors WHERE journal = %s"
        found = select_one(JournalCursor, statement, [journal], using=self.db)
        return found or self.get_or_create(journal=journal)[0]


class JournalCursor(models.Model):
    """How far one machine's journal is flushed; it moves in the transaction that adds the rows."""

    journal = models.TextField(unique=True, help_text="The journal's identity")
    segment = models.IntegerField(default=1)
    byte = models.BigIntegerField(default=0)
    fingerprint = models.TextField(default="", blank=True)

    objects = JournalCursorQuerySet.as_manager()

    class Meta:
        db_table = "journal_cursors"

    def __str__(self) -> str:
        return f"{self.journal} at {self.segment}:{self.byte}"

    @property
    def position(self) -> JournalPosition:
        """Return how far the journal is flushed."""
        return JournalPosition(self.segment, self.byte, self.fingerprint)

    def move_to(self, position: JournalPosition) -> None:
        """Set how far the journal is flushed, in this object only."""
        self.segment, self.byte, self.fingerprint = position


class DeadLetter(models.Model):
    """Something that could not be processed, kept complete with the reason."""

    class Kind(models.TextChoices):
        LINE = "line", "a journal line that is not a signal"
        CONFLICT = "conflict", "the same signal id with another hash"
        REFUSED = "refused", "a signal that the database refused"
        CHANGE = "change", "an outcome that does not fit the signal"
        JOURNAL = "journal", "a journal file that was lost or replaced"

    kind = models.TextField(choices=Kind.choices)
    journal = models.ForeignKey(JournalCursor, models.PROTECT)
    segment = models.IntegerField()
    byte = models.BigIntegerField()
    signal_id = models.TextField(blank=True, default="")
    reason = models.TextField()
    payload = models.BinaryField()
    digest = models.TextField(help_text="SHA-256 of the payload, which tells lines apart")
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "dead_letters"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["journal", "segment", "byte", "kind", "digest"], name="dead_letters_once"
            ),
            known_values("dead_letters", kind=["line", "conflict", "refused", "change", "journal"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.segment}:{self.byte}: {self.reason}"
