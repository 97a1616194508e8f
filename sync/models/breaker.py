"""The circuit breakers."""

from django.db import models

ALPINE = "alpine"


class Breaker(models.Model):
    """The state of one target's circuit breaker, which all workers share and restarts keep."""

    target = models.TextField(
        unique=True,
        default=ALPINE,
        help_text="alpine, or webhook:, witness: or authority: and which one",
    )
    failures = models.IntegerField(default=0, help_text="Transport failures in a row")
    probe_at = models.DateTimeField(
        null=True, help_text="When the next probe is due; null if closed"
    )
    opened_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    refused_key = models.TextField(default="", help_text="SHA-256 of the key that was refused")

    class Meta:
        db_table = "sync_breaker"

    def __str__(self) -> str:
        return f"open: {self.reason}" if self.probe_at else "closed"
