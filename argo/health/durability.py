"""Tells on how many machines an acknowledged signal is, and if that is what was asked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from signals import config
from signals.clock import utc_now
from signals.dialect import is_shared
from signals.ledger.durability.copies import one_copy
from signals.ledger.durability.modes import LOCAL
from signals.ledger.durability.standbys import Replication, replication
from signals.problems import Problem, ProblemKind
from signals.status_text import age, counted

PAGE = "operations.md#how-durable-an-acknowledged-signal-is"
SHORTEST_WAIT = timedelta(seconds=5)
"""Signals that are on one disk for less than this are no problem: each is, for a moment."""

ONE_MACHINE = ProblemKind(
    "durability.one_machine",
    "Set synchronous_standby_names and synchronous_commit = on in PostgreSQL, and connect a "
    "standby. If PostgreSQL runs on this machine, SIGNAL_DURABILITY=local promises as much.",
    PAGE,
)
NO_STANDBY = ProblemKind(
    "durability.no_standby",
    "Start the standby, or correct its connection. To go on without it, empty "
    "synchronous_standby_names and reload PostgreSQL: then a commit is on one machine.",
    PAGE,
)
UNKNOWN = ProblemKind(
    "durability.unknown",
    "Let Argo's role read the standbys: GRANT pg_monitor TO its role.",
    PAGE,
)
ONE_DISK = ProblemKind(
    "durability.one_disk",
    "Find out why PostgreSQL does not take them: the other problems and the log say it. Keep this "
    "machine's disk until they are stored.",
    PAGE,
    is_of_node=True,
)
KINDS = (ONE_MACHINE, NO_STANDBY, UNKNOWN, ONE_DISK)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield why a signal may be on fewer machines than SIGNAL_DURABILITY promises."""
    if settings.SIGNAL_DURABILITY == LOCAL:
        return
    yield from _of_server(replication())
    yield from _of_journal(now)


def _of_server(found: Replication) -> Iterator[Problem]:
    if not found.synchronous_standby_names:
        yield ONE_MACHINE.found(
            "PostgreSQL has no synchronous standby: SIGNAL_DURABILITY=database means one machine."
        )
    elif found.waited_for is None:
        yield UNKNOWN.found("PostgreSQL does not let Argo's role see its standbys.")
    elif not found.waited_for:
        yield NO_STANDBY.found(
            f"No standby of synchronous_standby_names = '{found.synchronous_standby_names}' is "
            "connected: commits wait for one."
        )
    if found.is_weak:
        yield ONE_MACHINE.found(
            f"synchronous_commit is {found.synchronous_commit}: a commit that is not of a signal, "
            "such as an outcome, waits for no standby."
        )


def _of_journal(now: datetime) -> Iterator[Problem]:
    undrained, _ = one_copy(config.journal())
    limit = max(SHORTEST_WAIT, timedelta(seconds=2 * settings.SIGNAL_DURABILITY_WAIT))
    if undrained and undrained.oldest and now - undrained.oldest > limit:
        yield ONE_DISK.found(
            f"{counted(undrained.lines, 'signal is', 'signals are')} on one disk only; the oldest "
            f"for {age(undrained.oldest, now):.0f} s."
        )


def report(*, database_answers: bool) -> dict[str, Any]:
    """Return the promise, the standbys, and what is on this machine's disk only."""
    told: dict[str, Any] = {"promise": settings.SIGNAL_DURABILITY}
    if not is_shared("default"):
        return told | {"on_one_disk": None, "oldest_age": None}  # all of it: SQLite is a file here
    undrained, is_current = one_copy(config.journal(), asks_database=database_answers)
    told |= {
        "on_one_disk": undrained.lines if undrained else None,
        "oldest_age": age(undrained.oldest, utc_now()) if undrained else None,
        "is_current": is_current,
    }
    return told | (_servers() if database_answers else {})


def _servers() -> dict[str, Any]:
    try:
        found = replication()
    except DatabaseError:
        return {}
    standbys = None
    if found.standbys is not None:
        standbys = [each._asdict() for each in found.standbys]
    return {
        "synchronous_commit": found.synchronous_commit,
        "synchronous_standby_names": found.synchronous_standby_names,
        "standbys": standbys,
    }
