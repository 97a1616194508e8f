"""Keys of the API."""

from django.db import models


class ApiKey(models.Model):
    """An API key. Only its SHA-256 is stored."""

    name = models.TextField()
    sha256 = models.TextField(unique=True)
    prefix = models.TextField(help_text="The first characters, to tell keys apart")
    can_read = models.BooleanField(default=True)
    can_write = models.BooleanField(default=False)
    can_trade = models.BooleanField(
        null=True,
        default=False,
        help_text="Empty: the key was made when `write` included it, and keeps that",
    )
    can_admin = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"

    @property
    def has_scopes_of_before(self) -> bool:
        """Return whether the key was made by an Argo that knew only `read` and `write`."""
        return self.can_trade is None

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
