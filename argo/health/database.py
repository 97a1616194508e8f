"""Asks whether the database answers, and which SQLite runs."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, connection

from argo.health.bounded import Bounded, NoAnswer
from argo.sqlite.library import FIRST_FIXED
from signals.problems import Problem, ProblemKind

LONGEST_WAIT = 2.0
"""Seconds."""

NO_ANSWER = ProblemKind(
    "database.no_answer",
    "Start the server, correct DATABASE_URL or the file's permissions, or run argo migrate if "
    "tables are missing. If the file is damaged, stop Argo and restore a backup, or rebuild it "
    "from the journal. Signals are accepted meanwhile.",
    "recover.md#the-database-does-not-answer",
    is_of_node=True,
)
OLD_SQLITE = ProblemKind(
    "database.old_sqlite",
    "Stop Argo and install the requirements again: pip install -r requirements.txt.",
    is_of_node=True,
)
KINDS = (NO_ANSWER, OLD_SQLITE)


def problem_of_database() -> Problem | None:
    """Return what is wrong if the database does not answer within a moment, otherwise None."""
    try:
        _probe()
    except (DatabaseError, NoAnswer) as error:
        return no_answer(error)
    return None


def no_answer(error: Exception) -> Problem:
    """Return the problem that the database failed with this error."""
    return NO_ANSWER.found(f"The database does not answer: {error}")


def problems(now: datetime) -> Iterator[Problem]:
    """Yield a problem if the SQLite library has the bug that can damage a database."""
    if sqlite3.sqlite_version_info < FIRST_FIXED:
        wanted = ".".join(map(str, FIRST_FIXED))
        yield OLD_SQLITE.found(
            f"SQLite {sqlite3.sqlite_version} runs, which can damage a database; Argo needs "
            f"{wanted} or later."
        )


def _ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM signals LIMIT 1")


_probe = Bounded(_ask, wait=LONGEST_WAIT)
