"""Where a reader goes on: the index from which nothing is skipped and nothing repeated.

As long as the database is the one that the cursor came from, that is the next index. If it was
restored or rebuilt, lines may have other indexes: then the reader goes on at the first line that it
has not seen, and lines that it has seen are left out.
"""

from typing import Any, NamedTuple

from django.db import connections

from signals.feed.cursor import Cursor, Seen, Tag, tag_of
from signals.journal import Offset

RUN = "SELECT run.id, run.count, run.journal_id, run.segment, run.byte, run.last"
_LAST_RUN = (
    f"{RUN} FROM sequence_runs run WHERE journal_id = %s AND id <= %s ORDER BY id DESC LIMIT 1"
)
_BETWEEN = (
    f"{RUN} FROM sequence_runs run WHERE id <= %s AND id >= "  # noqa: S608
    "(SELECT coalesce(max(id), 0) FROM sequence_runs WHERE id <= %s) ORDER BY id LIMIT %s"
)
_UNSEEN_OF_SEGMENT = (
    f"{RUN} FROM sequence_runs run WHERE journal_id = %s AND segment = %s AND last > %s "
    "ORDER BY last LIMIT 1"
)
_OF_LATER_SEGMENTS = (
    f"{RUN} FROM sequence_runs run WHERE journal_id = %s AND segment > %s "
    "ORDER BY segment, last LIMIT 1"
)


class Run(NamedTuple):
    """Consecutive lines of one segment: the first index, and where first and last line begin."""

    first: int
    count: int  # type: ignore[assignment]  # it hides a tuple's method
    journal: int
    segment: int
    byte: int
    last: int

    @property
    def end(self) -> int:
        """Return the index after the last line."""
        return self.first + self.count


def end_of_feed(using: str = "default") -> int:
    """Return the index of the last entry; 0 if there is none."""
    found = _rows(using, "SELECT max(id) FROM sequence_entries")
    return int(found[0][0] or 0)


def tags(using: str = "default") -> dict[int, Tag]:
    """Return the short name of each journal whose lines have indexes, by its primary key."""
    rows = _rows(
        using,
        "SELECT cursor.journal_id, journal.journal FROM sequence_cursors cursor "
        "JOIN journal_cursors journal ON journal.id = cursor.journal_id",
    )
    return {pk: tag_of(identity) for pk, identity in rows}


def seen_at(index: int, using: str = "default") -> Seen:
    """Return the last line of each journal up to the entry at this index."""
    seen: dict[Tag, Offset] = {}
    for journal, tag in tags(using).items():
        for run in map(Run._make, _rows(using, _LAST_RUN, journal, index)):
            byte = run.last if index >= run.end - 1 else _byte_of(index, run, using)
            seen[tag] = Offset(run.segment, byte)
    return seen


def runs_between(after: int, to: int, most: int, using: str = "default") -> list[Run]:
    """Return up to `most` runs in order, from the one that has the index `after`."""
    rows = _rows(using, _BETWEEN, to, after, most)
    return list(map(Run._make, rows))


def is_of_this_history(cursor: Cursor, using: str = "default") -> bool:
    """Return whether the database gave its lines the indexes that the cursor knows."""
    return cursor.index <= end_of_feed(using) and cursor.seen == seen_at(cursor.index, using)


def first_unseen(cursor: Cursor, using: str = "default") -> int:
    """Return the lowest index that the reader may not have seen."""
    found = [
        _first_unseen_of(run, cursor, tag, using)
        for journal, tag in tags(using).items()
        if (run := _unseen_run(journal, cursor.seen.get(tag, Offset(0, -1)), using))
    ]
    return min(found, default=end_of_feed(using) + 1)


def _unseen_run(journal: int, seen: Offset, using: str) -> Run | None:
    """Return the first run of the journal that has a line behind `seen`."""
    rows = _rows(using, _UNSEEN_OF_SEGMENT, journal, *seen) or _rows(
        using, _OF_LATER_SEGMENTS, journal, seen.segment
    )
    return Run._make(rows[0]) if rows else None


def _first_unseen_of(run: Run, cursor: Cursor, tag: Tag, using: str) -> int:
    seen = cursor.seen.get(tag)
    if seen is None or seen < (run.segment, run.byte):
        return _before(run, cursor.index, using)
    statement = "SELECT min(id) FROM sequence_entries WHERE id >= %s AND id < %s AND byte > %s"
    return int(_rows(using, statement, run.first, run.end, seen.byte)[0][0] or run.end)


def _before(run: Run, index: int, using: str) -> int:
    """Return the index after the run before this one, with which rows without a line begin.

    A reader who has read some of them goes on at `index`.
    """
    statement = "SELECT id + count FROM sequence_runs WHERE id < %s ORDER BY id DESC LIMIT 1"
    rows = _rows(using, statement, run.first)
    begin = int(rows[0][0]) if rows else 1
    return index + 1 if begin <= index < run.first else begin


def _byte_of(index: int, run: Run, using: str) -> int:
    """Return where the line of an entry begins; the run's line before it if it has none."""
    rows = _rows(using, "SELECT byte FROM sequence_entries WHERE id = %s", index)
    return int(rows[0][0]) if rows and rows[0][0] is not None else run.byte - 1


def _rows(using: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
