"""Rows that get an index without a line of their own."""

from collections.abc import Iterable, Sequence

from django.db import connections

from signals.feed.lines import Shown

MOST_LATE = 1000
"""Late rows that one transaction takes."""


def take_extra(shown: Sequence[Shown | None], using: str) -> list[Shown]:
    """Return the rows to be entered before the lines, in the caller's transaction.

    They are the rows that were stored late, and the signals of changes that are about to be entered
    before their signals: those came to another node, which has not entered them yet.
    """
    late = _take_late(using)
    ahead = _ahead([*late, *shown])
    entered = _entered(ahead, using)
    return [Shown(each, None, each) for each in ahead if each not in entered] + late


def _ahead(shown: Iterable[Shown | None]) -> list[int]:
    """Return the signals that have a change before their own line, each once."""
    seen, ahead = set[int](), dict[int, None]()
    for each in shown:
        if each is not None and each.of not in seen:
            if each.signal is None:
                ahead[each.of] = None
            seen.add(each.of)
    return [*ahead]


def _entered(signals: Sequence[int], using: str) -> set[int]:
    """Return those of these signals that have an index."""
    if not signals:
        return set()
    slots = ", ".join(["%s"] * len(signals))
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT signal FROM sequence_entries WHERE signal IN ({slots})",  # noqa: S608
            signals,
        )
        return {row[0] for row in cursor.fetchall()}


def _take_late(using: str) -> list[Shown]:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT late.id, late.signal, late.change, changes.signal_id FROM sequence_late late "
            "LEFT JOIN outcome_changes changes ON changes.id = late.change "
            "ORDER BY late.id LIMIT %s",
            [MOST_LATE],
        )
        rows = cursor.fetchall()
        if rows:
            done = [row[:1] for row in rows]
            cursor.executemany("DELETE FROM sequence_late WHERE id = %s", done)
    return [Shown(signal, change, of or signal) for _, signal, change, of in rows]
