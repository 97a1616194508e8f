"""The health of this Argo, for monitoring and for people."""

import sqlite3
from typing import Any

from django.db import DatabaseError, connection

from execution import status as execution_status
from signals import config as ledger
from signals.ledger.dead_letters import unresolved
from signals.ledger.journal_state import journal_state
from sync import status as sync_status


def health() -> dict[str, Any]:
    """Return the state of each part, and `problems`: sentences that say what is wrong and what to
    do. `status` is "ok" if there are none, otherwise "degraded"."""
    database = _database()
    answer: dict[str, Any] = {"database": database, "sqlite": sqlite3.sqlite_version}
    problems = [database["problem"]] if database["problem"] else []
    if not problems:
        state = journal_state(ledger.journal())
        dead = unresolved()
        sync, execution = sync_status.brief(), execution_status.brief()
        answer |= {
            "journal": {"pending_bytes": state.pending_bytes},
            "dead_letters": dead,
            "sync": sync,
            "execution": execution,
        }
        problems += state.problems
        if dead:
            problems.append(f"{dead} dead letters wait for a person: see the admin site.")
        problems += sync["problems"] + execution["problems"]
    return {"status": "degraded" if problems else "ok", "problems": problems, **answer}


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM signals LIMIT 1")
    except DatabaseError as error:
        return {"vendor": connection.vendor, "problem": f"The database does not answer: {error}"}
    return {"vendor": connection.vendor, "problem": ""}
