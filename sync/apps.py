"""Sync as a Django app."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "sync"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because it needs the settings that this call follows.
        from sync import checks  # noqa: F401
