"""The rows of a large database, a slice of their ids at a time, on as many processes as help."""

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
"""In one slice."""
LEAST = -(2**63)
"""No id is below."""


def check_slices(
    segments: Segments, cursor: JournalCursor, *, using: str, processes: int
) -> Iterator[Checked]:
    """Check all rows there are now, in the order of their ids."""
    lasts = list(_lasts(using))
    firsts = [LEAST, *(last + 1 for last in lasts)]
    slices = [
        (segments, cursor, using, first, last) for first, last in zip(firsts, lasts, strict=False)
    ]
    if processes == 1 or len(slices) <= 1:
        yield from map(_check, slices)
        return
    connections[using].close()  # or the children would share it
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        yield from pool.map(_check, slices)


def _lasts(using: str) -> Iterator[int]:
    """The last id of each slice."""
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
