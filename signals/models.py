"""The ledger's tables. `signals` has the seed's columns exactly."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from signals.constraints import known_values
from signals.rows import Immutable, select_one

CHANGEABLE = ("outcome", "exit_price", "profit_loss_pct", "order_id")
"""The columns of a signal that change: `signals.ledger.outcomes` records how it ended."""


class AppendOnly(Immutable):
    """Signals are never edited or deleted; `signals.ledger.outcomes` records their outcomes."""


class SignalQuerySet(models.QuerySet["Signal"]):
    """Reads signals; raises AppendOnly for every call that would change them."""

    def update(self, **kwargs: Any) -> NoReturn:  # noqa: ANN401
        raise AppendOnly("Signals are not edited. Record an outcome with signals.ledger.outcomes.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Signals are not deleted.")

    def bulk_create(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are stored through SignalTracker.")


class Signal(models.Model):
    """A trading signal: the seed's columns, in the seed's order and types.

    `timestamp` and `created_at` are texts in UTC. Only the flush inserts rows.
    """

    id = models.AutoField(primary_key=True)
    signal_id = models.TextField(unique=True)
    symbol = models.TextField()
    action = models.TextField()
    entry_price = models.FloatField()
    target_price = models.FloatField()
    stop_price = models.FloatField()
    confidence = models.FloatField()
    strategy = models.TextField()
    asset_type = models.TextField()
    data_source = models.TextField(null=True, db_default=Value("weighted_consensus"))
    timestamp = models.TextField()
    outcome = models.TextField(null=True, db_default=Value(None))
    exit_price = models.FloatField(null=True, db_default=Value(None))
    profit_loss_pct = models.FloatField(null=True, db_default=Value(None))
    sha256 = models.TextField()
    order_id = models.TextField(null=True, db_default=Value(None))
    created_at = models.TextField(null=True, db_default=Now())

    may_change: ClassVar = frozenset(CHANGEABLE)
    insert_refused: ClassVar = "Signals are stored through SignalTracker."
    objects = SignalQuerySet.as_manager()

    class Meta:
        db_table = "signals"
        indexes: ClassVar = [
            # signals.ledger.queries.page: newest first and time ranges, for all symbols or one.
            # Every other filter scans one of these indexes.
            models.Index(fields=["timestamp", "id"], name="signals_time"),
            models.Index(fields=["symbol", "timestamp", "id"], name="signals_symbol_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.symbol} {self.timestamp} ({self.signal_id})"

    def save(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are stored through SignalTracker, never saved.")

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are not deleted.")


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


class SignalContext(models.Model):
    """The fields that the seed's table has no column for, one to one with a signal."""

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="context"
    )
    journal = models.ForeignKey(JournalCursor, models.PROTECT, db_index=False)
    segment = models.IntegerField(help_text="The journal segment that contains its line")
    byte = models.BigIntegerField(help_text="The byte in the segment where its line begins")
    origin = models.TextField()
    received_at = models.TextField()
    stored_at = models.TextField(
        null=True, help_text="When the row was inserted, by the wall clock; empty after a rebuild"
    )
    regime = models.TextField(null=True)
    reasoning = models.TextField(null=True)
    sources = models.IntegerField(null=True)
    agreement = models.FloatField(null=True)
    votes = models.JSONField(null=True)
    extra = models.JSONField(null=True, help_text="Fields that have no column")

    class Meta:
        db_table = "signal_contexts"

    def __str__(self) -> str:
        return f"{self.origin} {self.received_at}"


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


class OutcomeChange(models.Model):
    """One change of a signal's outcome, exit price, profit or loss, or order: who, when, why."""

    change_id = models.TextField(unique=True)
    signal = models.ForeignKey(Signal, models.PROTECT, related_name="changes")
    journal = models.ForeignKey(JournalCursor, models.PROTECT, db_index=False)
    who = models.TextField()
    at = models.TextField(help_text="UTC")
    why = models.TextField()
    before = models.JSONField()
    after = models.JSONField()

    may_change: ClassVar = frozenset[str]()

    class Meta:
        db_table = "outcome_changes"

    def __str__(self) -> str:
        return f"{self.who} at {self.at}: {self.before} -> {self.after}"


class SignalSum(models.Model):
    """How many signals of one value there are in one period, by outcome; and their profit or loss.

    `signals.ledger.sums` makes these rows from `signals`, and can always make them again.
    """

    dimension = models.TextField(help_text="all, symbol, strategy, ..., or symbol,strategy")
    grain = models.TextField(help_text="The length of the period: day, month or all")
    period = models.TextField(help_text="2025-01-15, 2025-01, or empty for all time")
    value = models.TextField(help_text="A value of the dimension; empty for all signals")
    other = models.TextField(help_text="The second value, if the dimension is a pair")
    outcome = models.TextField(help_text="open if there is none")
    n = models.BigIntegerField(help_text="How many signals")
    measured = models.BigIntegerField(help_text="How many of them have a profit or loss")
    profit_loss = models.BigIntegerField(help_text="Its sum, in 1/100,000 percent")

    class Meta:
        db_table = "signal_sums"
        constraints: ClassVar = [
            # signals.ledger.sums.from_sums: all values in a range of periods
            models.UniqueConstraint(
                fields=["dimension", "grain", "period", "value", "other", "outcome"],
                name="signal_sums_once",
            )
        ]
        indexes: ClassVar = [
            # signals.ledger.sums.from_sums: one value in a range of periods
            models.Index(
                fields=["dimension", "grain", "value", "period"], name="signal_sums_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.value} {self.period} {self.outcome}: {self.n}"


class SumCursor(models.Model):
    """How far the signals are summed: one row, which moves in the transaction that sums them."""

    signal = models.BigIntegerField(default=0, help_text="The last signal that is summed")
    change = models.BigIntegerField(default=0, help_text="The last outcome change that is summed")

    class Meta:
        db_table = "signal_sum_cursors"

    def __str__(self) -> str:
        return f"up to signal {self.signal} and outcome change {self.change}"


class ApiKey(models.Model):
    """An API key. Only its SHA-256 is stored."""

    name = models.TextField()
    sha256 = models.TextField(unique=True)
    prefix = models.TextField(help_text="The first characters, to tell keys apart")
    can_read = models.BooleanField(default=True)
    can_write = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class CandidateRecord(models.Model):
    """A proposal of the consensus on one bar: it became a signal, or was rejected with reasons.

    One row for each strategy, symbol, side, bar and set of reasons: another look at the same bar
    adds no row.
    """

    candidate_id = models.TextField(unique=True)
    symbol = models.TextField()
    asset_type = models.TextField()
    strategy = models.TextField()
    action = models.TextField()
    bar_time = models.TextField(help_text="When the last bar that the sources saw closed, in UTC")
    made_at = models.TextField(help_text="UTC")
    entry_price = models.FloatField()
    target_price = models.FloatField()
    stop_price = models.FloatField()
    confidence = models.FloatField()
    agreement = models.FloatField()
    regime = models.TextField()
    reasoning = models.TextField()
    votes = models.JSONField()
    rejected_for = models.TextField(help_text="The codes of the reasons; empty if it passed")
    reasons = models.JSONField()
    signal_id = models.TextField(null=True, help_text="The id of the signal that it became")
    kept_at = models.DateTimeField(help_text="By the wall clock")

    class Meta:
        db_table = "candidates"
        verbose_name = "candidate"
        constraints: ClassVar = [known_values("candidates", action=["BUY", "SELL"])]
        indexes: ClassVar = [
            # signals.generation.candidates.interrupted: passed but not logged; nearly always empty.
            models.Index(
                fields=["kept_at"],
                name="candidates_interrupted",
                condition=models.Q(rejected_for="", signal_id=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.symbol} {self.bar_time}"


class Heartbeat(models.Model):
    """The latest sign of life of one process: a worker, or beat.

    Times are the database's (`signals.dialect.database_now`), so that a machine's wrong clock
    does not make its processes look dead.
    """

    node = models.TextField(help_text="The identity of its machine's journal")
    host = models.TextField()
    role = models.TextField(help_text="`worker` or `beat`")
    pid = models.IntegerField()
    queues = models.TextField(help_text="The queues that it serves, separated by spaces")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    old_price_of = models.TextField(
        default="", help_text="The symbol with the oldest price in use that is too old, if any"
    )
    old_price_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "heartbeats"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["node", "host", "role", "pid"], name="heartbeats_once")
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.queues} ({self.pid} on {self.host}): {self.seen_at}"


class DiskSample(models.Model):
    """How much space a machine's data folder had at one time."""

    node = models.TextField(help_text="The identity of its machine's journal")
    at = models.DateTimeField(help_text="By the database's clock")
    free_bytes = models.BigIntegerField()

    class Meta:
        db_table = "disk_samples"
        indexes: ClassVar = [
            # signals.health.disk: the latest sample of a machine, and those of a period
            models.Index(fields=["node", "at"], name="disk_samples_latest")
        ]

    def __str__(self) -> str:
        return f"{self.free_bytes} bytes free at {self.at}"


class OpenProblem(models.Model):
    """A problem that was told and is not over. Its row is deleted when it is over."""

    node = models.TextField(
        help_text="The identity of the machine that has it; empty if all machines share it"
    )
    code = models.TextField()
    about = models.TextField(help_text="Tells it apart from others with the same code")
    sentence = models.TextField()
    began_at = models.DateTimeField()

    class Meta:
        db_table = "open_problems"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["node", "code", "about"], name="open_problems_once")
        ]

    def __str__(self) -> str:
        return f"{self.code} since {self.began_at}: {self.sentence}"
