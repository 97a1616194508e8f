"""System checks: what would make Argo unsafe to run is said before it runs."""

import os
import sqlite3
from collections.abc import Sequence
from importlib.util import find_spec

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

from argo.sqlite.library import FIRST_FIXED
from signals import config
from signals.ledger.journal_state import journal_state


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


@register()
def signal_sources(**_: object) -> list[CheckMessage]:
    """Every source's module is there; the first cycle loads it, and looks for its `vote`."""
    return [
        Error(
            f"SIGNAL_SOURCES names {path!r}, and there is no such module.",
            hint="It takes a module with a function `vote`, beside manage.py or installed.",
            id="argo.E005",
        )
        for path in settings.SIGNAL_SOURCES
        if not _is_module(path)
    ]


def _is_module(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except (ImportError, ValueError):  # a package that is not there; no name at all
        return False


@register()
def market(**_: object) -> list[CheckMessage]:
    """The market that is set can be asked."""
    wrong = {
        "files": not settings.MARKET_FOLDER.is_dir()
        and f"MARKET_FOLDER is no folder: {settings.MARKET_FOLDER}",
        "alpaca": not (settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY)
        and "ALPACA_API_KEY or ALPACA_SECRET_KEY is missing",
    }.get(settings.MARKET_DATA)
    if not wrong:
        return []
    hint = "Correct it, or set MARKET_DATA=sample: then signals are made only when asked for."
    return [Error(f"MARKET_DATA={settings.MARKET_DATA}, but {wrong}.", hint=hint, id="argo.E006")]


@register(Tags.database)
def journal_is_whole(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """The journal is the file that the database has read from."""
    if not databases or "default" not in databases:
        return []
    try:
        with connections["default"].cursor() as cursor:
            tables = connections["default"].introspection.table_names(cursor)
        problems = journal_state(config.journal()).problems if "dead_letters" in tables else []
    except DatabaseError as error:
        return [Error(f"The database does not answer: {error}", id="argo.E004")]
    return [Warning(problem, id="argo.W001") for problem in problems]
