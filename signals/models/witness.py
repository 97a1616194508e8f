"""The logs of others that this Argo watches as a witness."""

from django.db import models


class WatchedLog(models.Model):
    """A log, and the last checkpoint of it that was cosigned here.

    A log that is not watched any more keeps its row: what was cosigned is never forgotten.
    """

    origin = models.TextField(unique=True)
    origin_sha256 = models.TextField(unique=True, help_text="In hex, as its address has it")
    keys = models.TextField(help_text="Its verifier keys, one a line; none: it is not watched")
    size = models.BigIntegerField(default=0, help_text="Entries of the last checkpoint")
    root = models.TextField(help_text="The root of its tree, in base64")
    checkpoint = models.TextField(default="", help_text="The last one, with its signatures")
    cosigned_at = models.DateTimeField(null=True)
    contradiction = models.TextField(
        default="", help_text="A signed checkpoint of the same size with another root"
    )
    contradicted_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "watched_logs"

    def __str__(self) -> str:
        return self.origin
