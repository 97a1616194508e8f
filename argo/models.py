"""The tables of the composition root."""

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models


class LoginFailure(models.Model):
    """Wrong logins that have one key in common; see `argo.logins.throttle`."""

    key = models.CharField(primary_key=True, max_length=64)
    failures = models.IntegerField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "login_failures"

    def __str__(self) -> str:
        return f"{self.failures} wrong logins, the last at {self.last_at}"


class LeaseRow(models.Model):
    """A right that one process at a time has; see `argo.lease`."""

    name = models.CharField(primary_key=True, max_length=32)
    token = models.CharField(max_length=32, help_text="Tells processes apart")
    holder = models.TextField(help_text="The process that has it, for people")
    ends_at = models.DateTimeField(help_text="By the clock of the database")

    class Meta:
        db_table = "leases"

    def __str__(self) -> str:
        return f"{self.name}: {self.holder} until {self.ends_at}"


class PastProblem(models.Model):
    """A problem that is over; see `argo.health.past`."""

    node = models.TextField(help_text="The machine that had it; empty if all shared it")
    code = models.TextField()
    sentence = models.TextField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        db_table = "past_problems"
        indexes: ClassVar = [
            # argo.health.past: the latest, and those that are too old
            models.Index(fields=["ended_at"], name="past_problems_end")
        ]

    def __str__(self) -> str:
        return f"{self.code} from {self.began_at} to {self.ended_at}: {self.sentence}"


class MetricSample(models.Model):
    """The main figures of five minutes, or of an hour; see `argo.metrics.history`."""

    at = models.DateTimeField(unique=True, help_text="When its time began")
    minutes = models.IntegerField(help_text="How many of its minutes were measured")
    is_hour = models.BooleanField(default=False, help_text="Made of those of an hour")
    signals = models.FloatField(help_text="Live signals")
    p95 = models.FloatField(
        null=True, help_text="Milliseconds until 95% of them were stored; an hour has its largest"
    )
    delivered = models.IntegerField()
    dead = models.IntegerField(help_text="Deliveries that were given up")
    waiting = models.IntegerField(help_text="Deliveries not sent at its end; an hour's largest")
    executed = models.IntegerField()
    skipped = models.IntegerField()

    class Meta:
        db_table = "metric_samples"

    def __str__(self) -> str:
        return f"{self.minutes} minutes from {self.at}: {self.signals:g} signals"


class SecondFactor(models.Model):
    """A user's second factor; it is on since `confirmed_at`. See `argo.logins.second_factor`."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=64)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)

    class Meta:
        db_table = "second_factors"

    def __str__(self) -> str:
        return f"the second factor of {self.user.get_username()}"


class RecoveryCode(models.Model):
    """The digest of a code that opens a login once, in place of the second factor."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "recovery_codes"

    def __str__(self) -> str:
        return f"a recovery code of {self.factor}"


class Preference(models.Model):
    """What a user prefers; see `argo.preferences`."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True)
    time_zone = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        db_table = "preferences"

    def __str__(self) -> str:
        return f"{self.user}: times in {self.time_zone or 'the zone of the browser'}"


class IdempotentAnswer(models.Model):
    """The answer to a POST with an Idempotency-Key; see `argo.idempotency`.

    Without a `code` the POST is not answered yet.
    """

    caller = models.CharField(max_length=64, help_text="SHA-256 of the API key and its scope")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64, help_text="SHA-256 of its address and its body")
    began_at = models.DateTimeField(null=True, help_text="When the first POST with the key came")
    claimed_at = models.DateTimeField()
    code = models.IntegerField(null=True, help_text="The HTTP status")
    body = models.BinaryField(default=b"", help_text="Compressed by zlib")

    class Meta:
        db_table = "idempotent_answers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotent_answers_once")
        ]
        indexes: ClassVar = [
            # argo.idempotency.answers: those that are too old
            models.Index(fields=["claimed_at"], name="idempotent_answers_age")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.code or 'not answered yet'}"
