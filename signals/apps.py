"""The Django app of the ledger."""

from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "signals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because it needs the settings, which are complete only now.
        from signals import checks  # noqa: F401
