"""Compares this machine's clock with the one that its database goes by.

PostgreSQL tells its own time. SQLite runs in this machine and has no clock; there the clock of the
data folder's file system is compared, which is another machine's only on a network drive.
"""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from signals.clock import Clock, utc_now
from signals.dialect import database_now, is_shared
from signals.problems import Problem, ProblemKind

MOST = timedelta(seconds=2)
"""A difference that is larger is a problem."""

DIFFERS = ProblemKind(
    "clock.differs",
    "Set this machine's clock by NTP: signals' times, leases and the age of prices depend on it.",
    is_of_node=True,
)
KINDS = (DIFFERS,)


def clock_problems(
    folder: Path, using: str = "default", clock: Clock = utc_now
) -> Iterator[Problem]:
    """Yield the problem if this machine's clock differs from its database's."""
    shared = is_shared(using)
    before = clock()
    other = database_now(using) if shared else _file_system_now(folder)
    after = clock()
    ahead = before + (after - before) / 2 - other
    if abs(ahead) > MOST + (after - before) / 2:
        word = "ahead of" if ahead > timedelta() else "behind"
        whose = "the database's" if shared else f"the file system's of {folder}"
        seconds = abs(ahead).total_seconds()
        yield DIFFERS.found(f"This machine's clock is {seconds:.0f} s {word} {whose}.")


def _file_system_now(folder: Path) -> datetime:
    with tempfile.TemporaryFile(dir=folder) as scratch:
        os.utime(scratch.fileno())
        return datetime.fromtimestamp(os.fstat(scratch.fileno()).st_mtime, UTC)
