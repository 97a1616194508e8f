"""The tables of the composition root."""

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
