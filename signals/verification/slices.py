"""The rows of a large database, a slice of their ids at a time, on as many processes as help."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import pairwise
from multiprocessing import get_context

from django.db import connections

from signals.garbage import collector_paused
from signals.journal import LineLookup, Segments
from signals.models import JournalCursor, Signal
from signals.verification.rows import Checked, RowCheck

ROWS = 5000
"""In one slice."""
BEFORE_ALL = -(2**63)


def check_slices(
    segments: Segments, cursor: JournalCursor, *, using: str, processes: int
) -> Iterator[Checked]:
    """Check all rows there are now, in the order of their ids."""
    ends = [BEFORE_ALL, *_ends(using)]
    slices = [(segments, cursor, using, after, upto) for after, upto in pairwise(ends)]
    if processes == 1 or len(slices) == 1:
        yield from map(_check, slices)
        return
    connections[using].close()  # or the children would share it
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        yield from pool.map(_check, slices)


def _ends(using: str) -> Iterator[int]:
    """The last id of each slice."""
    ids = Signal.objects.using(using).order_by("id").values_list("id", flat=True)
    last, end = ids.last(), BEFORE_ALL
    while last is not None and end < last:
        end = next(iter(ids.filter(id__gt=end)[ROWS - 1 : ROWS]), last)
        yield end


@collector_paused()
def _check(part: tuple[Segments, JournalCursor, str, int, int]) -> Checked:
    segments, cursor, using, after, upto = part
    with closing(LineLookup(segments)) as lookup:
        return RowCheck(lookup, cursor, using=using).check(after, upto)
