"""System checks: what would make Argo unsafe to run is said before it runs."""

import os
import sqlite3
from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.utils.module_loading import import_string

from argo.sqlite.library import FIRST_FIXED


@register(Tags.database)
def sqlite_library(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Which SQLite runs, and whether it has the bug that can corrupt a WAL database."""
    running = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= FIRST_FIXED:
        return [Info(f"SQLite {running} runs.", id="argo.I001")] if databases else []
    wanted = ".".join(map(str, FIRST_FIXED))
    return [
        Error(
            f"SQLite {running} runs, which can corrupt a database in WAL mode.",
            hint=f"Argo needs {wanted} or later: pip install -r requirements.txt brings it.",
            id="argo.E001",
        )
    ]


@register()
def data_folder(**_: object) -> list[CheckMessage]:
    """The one folder that everything is kept in."""
    if os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return []
    hint = "Correct its permissions, or name another with ARGO_DATA_DIR."
    return [Error(f"{settings.DATA_DIR} cannot be written.", hint=hint, id="argo.E002")]


@register()
def misspelt_settings(**_: object) -> list[CheckMessage]:
    """A setting that nothing reads does nothing, and nobody would notice."""
    hint = "Look for the right name in .env.example, or take it away."
    return [
        Warning(f"{name} is set, but there is no such setting.", hint=hint, id="argo.W002")
        for name in settings.UNKNOWN_SETTINGS
    ]


@register()
def stored_handlers(**_: object) -> list[CheckMessage]:
    """Every stored handler can be imported."""
    faults: list[CheckMessage] = []
    for path in settings.SIGNAL_STORED_HANDLERS:
        try:
            import_string(path)
        except ImportError as error:
            faults.append(Error(f"SIGNAL_STORED_HANDLERS names {path!r}: {error}", id="argo.E003"))
    return faults
