"""Keeps why the last daily report was not made, as a problem that health shows."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from argo.reports.daily.files import folder
from signals.backup.files import write_synced
from signals.problems import Problem, ProblemKind

FAILED = ProblemKind(
    "report.failed",
    "Argo tries again every few minutes. argo report --daily tries at once, and says what is "
    "wrong.",
    is_of_node=True,
)
KINDS = (FAILED,)
MOST_SHOWN = 500
"""Characters of the reason."""


def problems(now: datetime) -> Iterator[Problem]:
    """Yield a problem if the last attempt at a daily report failed."""
    try:
        told = _file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    yield FAILED.found(told)


def keep(day: date, why: str) -> None:
    """Keep why the report of this day was not made. Raises OSError."""
    told = f"The daily report of {day} was not made: {why[:MOST_SHOWN]}"
    write_synced(_file(), told.encode(errors="replace"))


def clear() -> None:
    """Forget the failure: a report was made."""
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return folder() / "failed"
