"""Which entry belongs to which line: entries and the feed's sequence run side by side."""

from collections.abc import Iterable, Iterator

from django.db import connections

from signals.inserting import insert_typed

RUN = {"id": "bigint", "count": "integer", "sequence": "bigint"}
Pair = tuple[int, int]
"""The index of an entry, and that of its line in the sequence."""


def store(pairs: Iterable[Pair], using: str) -> None:
    """Store which entries belong to which lines, in the transaction that made the entries.

    Lines that were read again, after a file was replaced, keep the entries that they had.
    """
    runs = list(_joined(pairs))
    known = _known([first for first, _, _ in runs], using)
    insert_typed(using, "record_runs", RUN, [run for run in runs if run[0] not in known])


def _joined(pairs: Iterable[Pair]) -> Iterator[tuple[int, int, int]]:
    """Yield each run: first entry, count, first line."""
    entry = line = count = 0
    for index, sequence in pairs:
        if count and (index, sequence) == (entry + count, line + count):
            count += 1
            continue
        if count:
            yield entry, count, line
        entry, line, count = index, sequence, 1
    if count:
        yield entry, count, line


def _known(firsts: list[int], using: str) -> set[int]:
    if not firsts:
        return set()
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT id FROM record_runs WHERE id >= %s AND id <= %s", [firsts[0], firsts[-1]]
        )
        return {row[0] for row in cursor.fetchall()}


def entry_of_line(sequence: int, using: str = "default") -> int | None:
    """Return the index of the entry of a line, by its index in the sequence; None without one."""
    found = _last("sequence", sequence, using)
    if found is None or sequence >= found[2] + found[1]:
        return None
    return found[0] + sequence - found[2]


def line_of_entry(entry: int, using: str = "default") -> int | None:
    """Return the index of an entry's line in the sequence; None if the entry has no line."""
    found = _last("id", entry, using)
    if found is None or entry >= found[0] + found[1]:
        return None
    return found[2] + entry - found[0]


def _last(column: str, most: int, using: str) -> tuple[int, int, int] | None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT id, count, sequence FROM record_runs WHERE {column} <= %s "  # noqa: S608
            f"ORDER BY {column} DESC LIMIT 1",
            [most],
        )
        row: tuple[int, int, int] | None = cursor.fetchone()
        return row
