"""Tells whether this machine can accept a signal: for load balancers, and as problems.

Accepting needs the journal, and nothing else: neither the database nor the broker, no worker and
no Alpine. Therefore none of them takes a machine out of service.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from argo.health.bounded import Bounded, NoAnswer
from signals import config
from signals.journal import JournalError
from signals.problems import Problem, ProblemKind
from signals.status_text import counted

JOURNAL_WAIT = 2.0
"""Seconds; a disk that takes longer accepts no signals either."""
TABLES_WAIT = 1.0
"""Seconds; a database that takes longer leaves the tables unknown."""
TABLES_FRESH = 10.0
"""Seconds for which an answer about the tables is used again."""

UNWRITABLE = ProblemKind(
    "journal.unwritable",
    "Free disk space, or correct the owner and the permissions of the data folder. Signals are "
    "refused until then.",
    "recover.md#the-journal-cannot-be-written",
    is_of_node=True,
)
NO_TABLES = ProblemKind(
    "database.migrations",
    "Run argo migrate, or start argo up, which does it. If the database was deleted, stop Argo and "
    "restore a backup instead.",
    is_of_node=True,
)
KINDS = (UNWRITABLE, NO_TABLES)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the reasons why this machine cannot accept a signal; none if it can."""
    try:
        _try_journal()
    except NoAnswer as error:
        yield UNWRITABLE.found(f"The disk of the journal gives {error}.")
    except JournalError as error:
        yield UNWRITABLE.found(f"The journal cannot be written: {error.__cause__}.")
    missing = _tables.missing()
    if missing:
        yield NO_TABLES.found(f"The database lacks {counted(missing, 'migration', 'migrations')}.")


class _Tables:
    """Remembers how many migrations are missing while the database does not answer."""

    def __init__(self) -> None:
        self._last = 0

    def missing(self) -> int:
        """Return how many migrations are missing, as the database said last; 0 if it never did."""
        with suppress(NoAnswer, DatabaseError):  # unknown; accepting does not need the database
            self._last = _count_missing()
        return self._last


def _missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


_tables = _Tables()
_count_missing = Bounded(_missing_migrations, wait=TABLES_WAIT, fresh=TABLES_FRESH)
_try_journal = Bounded(lambda: config.journal().try_writing(), wait=JOURNAL_WAIT)
