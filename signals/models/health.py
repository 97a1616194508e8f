"""Signs of life of the processes, the disk, and problems that were told."""

from typing import ClassVar

from django.db import models


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
