"""Execution as a Django app."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because it needs the settings that this call follows.
        from execution import checks  # noqa: F401
