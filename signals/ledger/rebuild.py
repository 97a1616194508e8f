"""Rebuilds the signals from the journal alone, in an empty database."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from argo.errors import FieldError, InvalidInput
from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.sums.update import update_sums
from signals.models import Signal

ALIAS = "rebuilt"


def rebuild_into(path: Path, journal: Journal, progress: Callable[[int], object]) -> FlushResult:
    """Make the SQLite database `path` and fill it. Raises InvalidInput if the file exists."""
    if path.exists():
        raise InvalidInput([FieldError("--into", f"{path} already exists; name a new file")])
    connections.databases[ALIAS] = {**settings.DATABASES["default"], **_sqlite(path)}
    try:
        call_command("migrate", database=ALIAS, verbosity=0)
        return rebuild(journal, using=ALIAS, progress=progress)
    finally:
        connections[ALIAS].close()
        connections[ALIAS].dispose_pool()  # type: ignore[attr-defined]  # so that no WAL is left
        del connections[ALIAS]
        del connections.databases[ALIAS]


def rebuild(journal: Journal, *, using: str, progress: Callable[[int], object]) -> FlushResult:
    """Fill an empty database, and sum its signals. No stored handler is called: nothing is sent or
    traded again.

    `progress` is called with the number of lines of each batch. Raises InvalidInput if the
    database has signals.
    """
    if Signal.objects.using(using).exists():
        message = "the database already has signals; name a new file with --into"
        raise InvalidInput([FieldError("database", message)])
    result = FlushResult()
    for batch in Flusher(journal, using=using, sets_stored_at=False).batches():
        result += batch
        progress(batch.lines)
    update_sums(using=using)
    return result


def _sqlite(path: Path) -> dict[str, object]:
    return {"ENGINE": "argo.sqlite", "NAME": str(path), "OPTIONS": {}, "CONN_MAX_AGE": 0}
