"""`manage.py migrate`: Django's own, which then makes the groups of the admin site's users."""

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS

from argo.groups import make_groups


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # Django's own
        super().handle(*args, **options)
        if _is_complete(options):
            make_groups()


def _is_complete(options: dict[str, Any]) -> bool:
    """Return whether all tables and permissions of the default database are there now."""
    is_part = options["app_label"] or options["plan"] or options["check_unapplied"]
    return options["database"] == DEFAULT_DB_ALIAS and not is_part
