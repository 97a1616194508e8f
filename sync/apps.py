"""Sync as a Django app."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "sync"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because the checks need the settings, which are loaded by now.
        from sync import checks  # noqa: F401
