"""Keys of the API."""

from django.db import models


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
