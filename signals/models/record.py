"""The public record: its entries in order, how far each journal is entered, signed checkpoints."""

from typing import ClassVar

from django.db import models

from signals.constraints import known_values
from signals.models.journal import JournalCursor


class RecordHead(models.Model):
    """The end of the record: one row; who holds its lock enters.

    `edge` has the hashes of the tree's perfect subtrees, large to small. Entries below `restored`
    come from the record's folder: nothing is entered before `size` has reached it. `owner` is the
    data folder that signs. If `stopped` has a reason, nothing is entered and nothing is signed.
    """

    origin = models.TextField()
    owner = models.TextField()
    begun_at = models.DateTimeField(help_text="Lines that were received earlier are history")
    size = models.BigIntegerField(default=0)
    edge = models.BinaryField(default=b"")
    restored = models.BigIntegerField(default=0)
    entered_at = models.DateTimeField(help_text="When the last entry was made")
    stopped = models.TextField(default="", blank=True)
    refused = models.TextField(
        default="", blank=True, help_text="Code and sentence of why it was not signed last time"
    )

    class Meta:
        db_table = "record_heads"

    def __str__(self) -> str:
        return f"{self.origin} with {self.size} entries"


class RecordCursor(models.Model):
    """How far one journal is entered; it moves in the transaction that makes the entries.

    `sequence` is the index in the feed's sequence of the last line that was entered. Lines may have
    entries between `matched` and `upto` already: from the record's folder, or from an earlier
    reading of the same lines.
    """

    journal = models.OneToOneField(JournalCursor, models.PROTECT, related_name="recorded")
    sequence = models.BigIntegerField(default=0)
    segment = models.IntegerField(default=1)
    byte = models.BigIntegerField(default=0)
    fingerprint = models.TextField(default="", blank=True)
    matched = models.BigIntegerField(default=0)
    upto = models.BigIntegerField(default=0)

    class Meta:
        db_table = "record_cursors"

    def __str__(self) -> str:
        return f"{self.journal_id} at {self.segment}:{self.byte}"


class RecordEntry(models.Model):
    """One entry; `id` is its index, from 0. It never changes once a checkpoint holds it."""

    class Kind(models.TextChoices):
        SIGNAL = "signal", "a signal, received live"
        OUTCOME = "outcome", "a change of an outcome"
        HISTORY = "history", "a line from before, or one that was not received live"
        STRATEGY = "strategy", "a strategy, by name"
        ACCOUNT = "account", "an account, by name"
        MARK = "mark", "a witnessed or stamped checkpoint"
        HEARTBEAT = "heartbeat", "nothing happened"
        KEY = "key", "a new key"

    id = models.BigIntegerField(primary_key=True, help_text="The index")
    kind = models.TextField(choices=Kind.choices)
    at = models.BigIntegerField(help_text="Microseconds since 1970")
    digest = models.BinaryField(null=True)
    note = models.TextField(null=True, help_text="As JSON")
    leaf = models.BinaryField(help_text="The hash of the leaf")

    class Meta:
        db_table = "record_entries"
        indexes: ClassVar = [
            # signals.record.proving.place: the last mark before an entry
            models.Index(fields=["id"], condition=models.Q(kind="mark"), name="record_marks"),
        ]
        constraints: ClassVar = [
            known_values(
                "record_entries",
                kind=[
                    "signal", "outcome", "history", "strategy", "account", "mark", "heartbeat",
                    "key",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.id}: {self.kind}"


class RecordRun(models.Model):
    """Consecutive entries of lines that have consecutive indexes in the sequence.

    `id` is the index of the first entry, `sequence` that of its line in the sequence.
    """

    id = models.BigIntegerField(primary_key=True, help_text="The index of the first entry")
    count = models.IntegerField(help_text="How many entries")
    sequence = models.BigIntegerField(help_text="The index of the first line in the sequence")

    class Meta:
        db_table = "record_runs"
        indexes: ClassVar = [
            # signals.record.log.places.index_of: the entry of a line
            models.Index(fields=["sequence"], name="record_runs_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.count} entries from {self.id}"


class RecordName(models.Model):
    """A strategy or an account that was entered by name; `entry` is the index of its entry."""

    class Kind(models.TextChoices):
        STRATEGY = "strategy", "a strategy"
        ACCOUNT = "account", "an account"

    kind = models.TextField(choices=Kind.choices)
    note = models.TextField(help_text="The name, as JSON")
    entry = models.BigIntegerField()

    class Meta:
        db_table = "record_names"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "note"], name="record_names_once"),
            known_values("record_names", kind=["strategy", "account"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.note}"


class RecordCheckpoint(models.Model):
    """A signed checkpoint. Those that nobody needs are deleted when larger ones are signed.

    `note` is the checkpoint as the log signed it, without cosignatures. `kept` says that somebody
    needs it: it was sent to a witness or a time stamp authority. The last one is always there.
    `is_marked` says that the record holds its mark.
    """

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()
    kept = models.BooleanField(default=False)
    is_marked = models.BooleanField(default=False)

    class Meta:
        db_table = "record_checkpoints"

    def __str__(self) -> str:
        return f"checkpoint of {self.size}"


class RecordCosignature(models.Model):
    """A signature line that a witness gave for a checkpoint; `time` is POSIX time.

    It is empty for lines of other types, which are kept and not verified.
    """

    checkpoint = models.ForeignKey(RecordCheckpoint, models.CASCADE, related_name="cosignatures")
    witness = models.TextField(help_text="The name of its key")
    line = models.TextField(help_text="The signature line without its newline")
    time = models.BigIntegerField(null=True)

    class Meta:
        db_table = "record_cosignatures"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checkpoint", "line"], name="record_cosignatures_once"),
        ]

    def __str__(self) -> str:
        return f"{self.witness} for checkpoint {self.checkpoint_id}"
