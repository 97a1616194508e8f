"""Brings the sums up to date, a bounded batch at a time, with a cursor of their own.

The flush does nothing for them. Any number of processes may sum at once: each claims a batch by
moving the cursor in the transaction that adds to the sums, and only one of them succeeds in that.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.db import connections, transaction

from signals.dialect import wait_for_writers
from signals.ledger.spellings import learn, seen_between
from signals.ledger.sums.statements import COUNTS, KEYS, by_dimension, grouped, moves, stored
from signals.models import SumCursor
from signals.rows import select_one, update

BATCH_SIZE = 10_000
"""The most signals, and the most outcome changes, that one transaction sums."""
WRITERS_WAIT = 5.0
"""Seconds to wait for transactions that may still commit signals with lower ids."""
TABLES = ("signals", "outcome_changes")
_CURSOR = 1
"""The primary key of the only cursor."""
_START = (
    "INSERT INTO signal_sum_cursors (id, signal, change) VALUES (%s, 0, 0) "
    "ON CONFLICT (id) DO NOTHING"
)


class Position(NamedTuple):
    """The last signal and the last outcome change that are summed, by primary key."""

    signal: int = 0
    change: int = 0


def update_sums(
    *,
    using: str = "default",
    seconds: float = math.inf,
    pause: float = 0.0,
    writers_wait: float = WRITERS_WAIT,
    progress: Callable[[int], object] = lambda count: None,
) -> int:
    """Sum what was stored before this call; return how many signals and outcome changes.

    It stops after `seconds`, or when another process sums at the same time. It sums nothing if
    a transaction that writes signals does not end within `writers_wait` seconds. Between batches
    it pauses, so that other writers get their turn. `progress` is called with each batch's count.
    """
    deadline, total = time.monotonic() + seconds, 0
    ends = _ends(using)
    if not wait_for_writers(using, TABLES, writers_wait):
        return 0
    for count in _batches(ends, using):
        total += count
        progress(count)
        if time.monotonic() >= deadline:
            break
        time.sleep(pause)
    return total


def restart_sums(*, using: str = "default") -> None:
    """Delete the sums and begin anew; `update_sums` makes them again.

    In the transaction of a caller it takes effect when that commits.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_START, [_CURSOR])
        cursor.execute("UPDATE signal_sum_cursors SET signal = 0, change = 0")
        cursor.execute("DELETE FROM signal_sums")


def summed_up_to(using: str = "default") -> Position:
    """Return how far the sums go."""
    found = select_one(SumCursor, "SELECT * FROM signal_sum_cursors", [], using=using)
    return Position(found.signal, found.change) if found else Position()


def _batches(ends: Position, using: str) -> Iterator[int]:
    """Sum batch after batch up to `ends`; yield how many signals and changes each had."""
    while True:
        at = summed_up_to(using)
        signals, signal = _next(using, "signals", at.signal, ends.signal)
        changes, change = _next(using, "outcome_changes", at.change, ends.change)
        if not signals + changes or not _sum(at, Position(signal, change), using):
            return
        yield signals + changes


def _sum(at: Position, to: Position, using: str) -> bool:
    """Add what lies between the two; return False if another process has moved the cursor."""
    parts = (
        stored(f"s.id > {at.signal} AND s.id <= {to.signal}"),
        moves(
            f"c.signal_id > {at.signal} AND c.signal_id <= {to.signal} AND c.id > {to.change}", -1
        ),
        moves(f"c.id > {at.change} AND c.id <= {to.change} AND c.signal_id <= {at.signal}"),
    )
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_START, [_CURSOR])
        claimed = update(SumCursor, _CURSOR, to._asdict(), only_if=at._asdict(), using=using)
        if claimed:
            cursor.execute(_addition(grouped(parts)))
            learn(seen_between(at.signal, to.signal, using=using), using=using)
    return claimed


def _addition(rows: str) -> str:
    """Return the statement that adds `rows` to the sums."""
    columns = ", ".join((*KEYS, *COUNTS))
    changed = " OR ".join(f"{name} <> 0" for name in COUNTS)
    added = ", ".join(f"{name} = signal_sums.{name} + excluded.{name}" for name in COUNTS)
    return (
        f"WITH base AS MATERIALIZED ({rows}) "  # noqa: S608
        f"INSERT INTO signal_sums ({columns}) "
        f"SELECT {columns} FROM ({by_dimension('base')}) AS added WHERE {changed} "
        f"ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET {added}"
    )


def _next(using: str, table: str, after: int, end: int) -> tuple[int, int]:
    """Return how many rows the next batch has, and its last id."""
    batch = f"SELECT id FROM {table} WHERE id > %s AND id <= %s ORDER BY id LIMIT {BATCH_SIZE}"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT count(*), max(id) FROM ({batch}) AS batch", [after, end])  # noqa: S608
        count, last = cursor.fetchone()
    return count, last or after


def _ends(using: str) -> Position:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT max(id) FROM signals), 0), "
            "coalesce((SELECT max(id) FROM outcome_changes), 0)"
        )
        return Position(*cursor.fetchone())
