"""Makes the signals again from the journal alone, into an empty database."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from argo.errors import FieldError, InvalidInput
from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.models import Signal

ALIAS = "rebuilt"


def rebuild_into(path: Path, journal: Journal, progress: Callable[[int], object]) -> FlushResult:
    """Make the SQLite database `path`. Raises InvalidInput where it is there already."""
    if path.exists():
        raise InvalidInput([FieldError("--into", f"{path} is there already; name a new file")])
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
    """Fill an empty database. No stored handler is called: nothing is sent or traded again.

    Raises InvalidInput where there are signals in it already.
    """
    if Signal.objects.using(using).exists():
        message = "the database has signals already; name a new file with --into"
        raise InvalidInput([FieldError("database", message)])
    result = FlushResult()
    for batch in Flusher(journal, using=using).batches():
        result += batch
        progress(batch.lines)
    return result


def _sqlite(path: Path) -> dict[str, object]:
    return {"ENGINE": "argo.sqlite", "NAME": str(path), "OPTIONS": {}, "CONN_MAX_AGE": 0}
