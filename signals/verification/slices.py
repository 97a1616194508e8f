"""Checks the rows of a large database in slices of ids, on several processes."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

from django.db import connections

from signals.garbage import collector_paused
from signals.journal import LineLookup, Segments
from signals.models import JournalCursor, Signal
from signals.verification.rows import Checked, RowCheck

ROWS = 5000
"""Rows in one slice."""
MIN_ID = -(2**63)
"""The lowest id that a database can hold."""


def check_slices(
    segments: Segments, cursor: JournalCursor, *, using: str, processes: int
) -> Iterator[Checked]:
    """Check all rows that exist now; yield the results in the order of the ids."""
    lasts = list(_lasts(using))
    firsts = [MIN_ID, *(last + 1 for last in lasts)]
    slices = [
        (segments, cursor, using, first, last) for first, last in zip(firsts, lasts, strict=False)
    ]
    if processes == 1 or len(slices) <= 1:
        yield from map(_check, slices)
        return
    connections[using].close()  # the children must not share it
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        yield from pool.map(_check, slices)


def _lasts(using: str) -> Iterator[int]:
    """Yield the last id of each slice."""
    ids = Signal.objects.using(using).order_by("id").values_list("id", flat=True)
    final = ids.last()
    last = next(iter(ids[ROWS - 1 : ROWS]), final)
    while last is not None and final is not None:
        yield last
        if last >= final:
            return
        last = next(iter(ids.filter(id__gt=last)[ROWS - 1 : ROWS]), final)


@collector_paused()
def _check(part: tuple[Segments, JournalCursor, str, int, int]) -> Checked:
    segments, cursor, using, first, last = part
    with closing(LineLookup(segments)) as lookup:
        return RowCheck(lookup, cursor, using=using).check(first, last)
