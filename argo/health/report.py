"""What health reports: a word for everybody, and everything for those who may read."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection

from argo.health import database, durability
from argo.manual.rendering import served
from execution import status as execution_status
from signals import config
from signals.health.disk import free_bytes, hours_left
from signals.health.heartbeats import Signs
from signals.ledger.dead_letters import unresolved
from signals.ledger.journal_state import journal_state
from signals.models import Heartbeat
from signals.problems import Problem
from sync import status as sync_status

OK, DEGRADED = "ok", "degraded"


def as_dict(problem: Problem) -> dict[str, str]:
    """Return the problem as the API shows it; its page is an address on this server."""
    kind = problem.kind
    return {
        "code": kind.code,
        "sentence": problem.sentence,
        "advice": kind.advice,
        "page": served(kind.page),
    }


def summary(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return what everybody may see: the status, and if the database answers."""
    return {
        "status": DEGRADED if problems else OK,
        "database": {"vendor": connection.vendor, "answers": not is_silent(problems)},
    }


def is_silent(problems: Sequence[Problem]) -> bool:
    """Return whether the database is among the problems."""
    return any(problem.kind is database.NO_ANSWER for problem in problems)


def full(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the problems and, if the database answers, the state of each part."""
    answers = not is_silent(problems)
    told = summary(problems) | {
        "problems": [as_dict(problem) for problem in problems],
        "durability": durability.report(database_answers=answers),
    }
    return told | _parts() if answers else told


def _parts() -> dict[str, Any]:
    journal = config.journal()
    free = free_bytes(settings.DATA_DIR)
    return {
        "sqlite": sqlite3.sqlite_version,
        "journal": {"pending_bytes": journal_state(journal).pending_bytes},
        "dead_letters": unresolved(),
        "disk": {"free_bytes": free, "hours_left": hours_left(journal.identity, free)},
        "processes": [_process(row) for row in Signs.read().living],
        "sync": sync_status.brief(),
        "execution": execution_status.brief(),
    }


def _process(row: Heartbeat) -> dict[str, Any]:
    names = ("role", "queues", "host", "pid", "node", "started_at", "seen_at")
    return {name: getattr(row, name) for name in names}
