"""Reads the next events behind a cursor."""

from collections.abc import Iterator, Sequence

from signals.feed.batch import Batch, Event
from signals.feed.cursor import NOW, START, Cursor, Tag, cursor_of
from signals.feed.events import Entry, entries_after, event_bodies
from signals.feed.places import (
    Run,
    end_of_feed,
    first_unseen,
    is_of_this_history,
    runs_between,
    seen_at,
    tags,
)
from signals.journal import Offset

MOST_RUNS = 20_000
"""Runs that one read looks at: many may lie between two entries if thousands of lines repeat."""


def begin(after: str | None, using: str = "default") -> Cursor:
    """Return the cursor that a reader sent: none begins at the start, `now` at the end.

    Raises InvalidInput.
    """
    if not after:
        return START
    if after == NOW:
        end = end_of_feed(using)
        return Cursor(end, seen_at(end, using))
    return cursor_of(after)


def read(cursor: Cursor, limit: int, using: str = "default") -> Batch:
    """Return up to `limit` of the events behind the cursor, in order.

    There may be fewer, or none, although the feed has more: then `is_last` is False.
    """
    end = end_of_feed(using)
    walk = _Walk.behind(cursor, using)
    entries = entries_after(walk.index, limit, using)
    if not entries:
        return Batch([], cursor, is_last=True)
    runs = runs_between(walk.index, entries[-1].index, MOST_RUNS, using)
    if len(runs) == MOST_RUNS:
        entries = [each for each in entries if each.index < runs[-1].end]
    shown = list(walk.past(entries, runs))
    if not entries:
        walk.over(runs)
    bodies = event_bodies([each for each, _ in shown], using)
    events = [Event(*body, text) for body, (_, text) in zip(bodies, shown, strict=True)]
    after = walk.cursor()
    return Batch(events, after, is_last=after.index >= end)


class _Walk:
    """Walks past entries, and knows what a reader has seen at each of them.

    `hidden` is the cursor of a reader whose lines have other indexes now.
    """

    def __init__(self, index: int, cursor: Cursor, hidden: Cursor | None, using: str) -> None:
        self.index = index
        self._seen = dict(cursor.seen)
        self._hidden = hidden
        self._tags = tags(using)

    @classmethod
    def behind(cls, cursor: Cursor, using: str) -> "_Walk":
        """Begin where the reader has read to."""
        if is_of_this_history(cursor, using):
            return cls(cursor.index, cursor, None, using)
        return cls(first_unseen(cursor, using) - 1, cursor, cursor, using)

    def cursor(self) -> Cursor:
        """Return the cursor at this place."""
        return Cursor(self.index, dict(self._seen))

    def past(self, entries: Sequence[Entry], runs: Sequence[Run]) -> Iterator[tuple[Entry, str]]:
        """Yield each entry that the reader has not seen, and the cursor behind it."""
        left = iter(runs)
        run = next(left, None)
        for entry in entries:
            while run is not None and run.end <= entry.index:
                self._pass(run, run.last)
                run = next(left, None)
            is_shown = self._is_shown(entry, run)
            if run is not None and run.first <= entry.index and entry.byte is not None:
                self._pass(run, entry.byte)
            self.index = entry.index
            if is_shown:
                yield entry, self.cursor().text()

    def over(self, runs: Sequence[Run]) -> None:
        """Walk past runs without entries."""
        for run in runs:
            self._pass(run, run.last)
            self.index = run.end - 1

    def _is_shown(self, entry: Entry, run: Run | None) -> bool:
        if self._hidden is None or run is None or entry.byte is None:
            return True
        return not self._hidden.has_seen(self._tags[run.journal], Offset(run.segment, entry.byte))

    def _pass(self, run: Run, byte: int) -> None:
        tag: Tag = self._tags[run.journal]
        line = Offset(run.segment, byte)
        before = self._seen.get(tag)
        if self._hidden is None or before is None or before < line:
            self._seen[tag] = line
