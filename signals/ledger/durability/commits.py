"""Commits that PostgreSQL confirms, with its synchronous standbys if it has any.

What another session has committed can be visible before a standby has it: after a crash of the
server, or if its wait for the standby was cancelled. The WAL has one order. Therefore a confirmed
commit of ours also confirms each commit that we saw before it.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import connections, transaction
from django.db.models import Model

from signals.journal import Journal, Offset
from signals.ledger.flush import Flusher
from signals.models import JournalCursor

WEAK = ("off", "local")
"""Values of `synchronous_commit` with which a commit does not wait for a standby, or no disk."""
GUARD_INTERVAL = 1.0
"""Seconds between two looks whether another data folder has this journal's identity."""


class Commits:
    """Stores one journal's lines, and says whether they are confirmed; for one thread at a time.

    It remembers between two calls where it is, so that a commit costs few statements.
    """

    def __init__(self, flusher: Flusher) -> None:
        self._guard = flusher.guard
        self._flusher = replace(flusher, guard=lambda: None)
        self._cursor: JournalCursor | None = None
        self._guarded = -math.inf

    def confirm(self) -> bool:
        """Store all lines that the journal has now; return whether they are confirmed.

        Raises what the database or a stored handler raises.
        """
        self._check_guard()
        flusher, using = self._flusher, self._flusher.using
        upto = flusher.journal.end()
        cursor, self._cursor = self._cursor or flusher.cursor(), None
        with _warnings(using) as warnings:
            steps = list(flusher.steps(upto, cursor))
        if steps and all(step.end for step in steps):
            self._cursor = cursor
            is_weak = steps[-1].commits in WEAK
            if cursor.position[:2] >= upto and not (is_weak or warnings):
                return True
        return is_confirmed(JournalCursor, flusher.journal, upto, using)

    def _check_guard(self) -> None:
        if time.monotonic() - self._guarded >= GUARD_INTERVAL:
            self._guard()
            self._guarded = time.monotonic()


def is_confirmed(cursors: type[Model], journal: Journal, upto: Offset, using: str) -> bool:
    """Return whether the journal is stored up to `upto`, as its row in `cursors` says, for sure.

    The transaction locks that row. The lock is written to the WAL, so that its commit waits for
    the standbys.
    """
    with _warnings(using) as warnings, transaction.atomic(using=using):
        if _synchronous_commit(using) in WEAK:
            _run(using, "SET LOCAL synchronous_commit TO on")
        rows = cursors._default_manager.using(using).filter(journal=journal.identity)
        reached = rows.select_for_update().values_list("segment", "byte").first()
    return reached is not None and reached >= upto and not warnings


@contextmanager
def _warnings(using: str) -> Iterator[list[str]]:
    """Collect the server's warnings: one says that a commit no longer waits for a standby."""
    warnings: list[str] = []

    def note(diagnostic: Any) -> None:  # noqa: ANN401
        if diagnostic.severity_nonlocalized == "WARNING":
            warnings.append(diagnostic.message_primary)

    connection = connections[using]
    connection.ensure_connection()
    raw = connection.connection
    raw.add_notice_handler(note)
    try:
        yield warnings
    finally:
        raw.remove_notice_handler(note)
    if connection.connection is not raw:
        warnings.append("the connection is another one now")


def _synchronous_commit(using: str) -> str:
    return str(_run(using, "SELECT current_setting('synchronous_commit')"))


def _run(using: str, statement: str) -> object:
    """Run a statement; return the first value of its result, if it has one."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None
