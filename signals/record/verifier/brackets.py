"""Brackets of time: after which moment, and by which, an entry was made."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from signals.record.formats.entries import Entry, moment
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import CLOCK_TOLERANCE

DELAY = 3600
"""Seconds that may lie between receiving a line and entering it, by default."""


class Bracket(NamedTuple):
    """An entry was made after one moment and existed by another; None where nothing proves it."""

    made_after: datetime | None
    existed_by: datetime | None

    def as_json(self) -> dict[str, str | None]:
        """Return both ends as text."""
        return {name: _moment_text(each) for name, each in self._asdict().items()}

    @property
    def width(self) -> timedelta | None:
        """Return how far the ends are apart."""
        if self.made_after is None or self.existed_by is None:
            return None
        return self.existed_by - self.made_after


def brackets(
    entries: Mapping[int, Entry],
    held: Iterable[tuple[int, datetime]],
    marks: Mapping[int, datetime],
) -> dict[int, Bracket]:
    """Return the bracket of each entry; `entries` are in rising order.

    `held` has the size of each checkpoint with the moment by which it existed, `marks` the index of
    each mark with the moment after which it was made.
    """
    upper = _existed_by(entries, held)
    found, latest = {}, None
    for index in entries:
        found[index] = Bracket(latest, upper[index])
        if index in marks and (latest is None or marks[index] > latest):
            latest = marks[index]
    return found


def _existed_by(
    entries: Mapping[int, Entry], held: Iterable[tuple[int, datetime]]
) -> dict[int, datetime | None]:
    """Return the earliest moment of a checkpoint that holds each entry."""
    todo = sorted(held, key=lambda each: each[0])
    found: dict[int, datetime | None] = {}
    earliest: datetime | None = None
    for index in reversed(list(entries)):
        while todo and todo[-1][0] > index:
            moment_held = todo.pop()[1]
            earliest = moment_held if earliest is None else min(earliest, moment_held)
        found[index] = earliest
    return found


def check_times(
    entries: Mapping[int, Entry], found: Mapping[int, Bracket], delay: int, report: Report
) -> None:
    """Note each entry that claims a time outside of what is proved of it."""
    for index, entry in entries.items():
        claimed, bracket = moment(entry.at), found[index]
        after, by = bracket
        if after is not None and claimed < after - timedelta(seconds=delay):
            message = (
                f"claims {entry.at}, and was entered after {_moment_text(after)}: it is backdated"
            )
            report.fault("backdated", f"{message}, or was entered more than {delay} s late", index)
        if by is not None and claimed > by + timedelta(seconds=CLOCK_TOLERANCE):
            message = f"claims {entry.at}, and existed by {_moment_text(by)} already"
            report.fault("postdated", message, index)


def widths(found: Iterable[Bracket]) -> dict[str, float | int | None]:
    """Return how wide the brackets are, in seconds, and how many have an end that is open."""
    every = [bracket.width for bracket in found]
    known = sorted(width.total_seconds() for width in every if width is not None)
    middle = known[len(known) // 2] if known else None
    return {
        "median_seconds": middle,
        "widest_seconds": known[-1] if known else None,
        "with_an_open_end": len(every) - len(known),
    }


def posix(time: int) -> datetime | None:
    """Return a POSIX time; None if no calendar has it."""
    try:
        return datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _moment_text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
