"""The space that is left for the data folder, and how long it lasts.

A worker of the machine stores the free space of the data folder's file system every few minutes.
The rate is the fall of that figure within the last hour: it counts everything that fills the disk,
not only Argo, because that is what stops Argo.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from signals.ahead import limit
from signals.dialect import database_now
from signals.models import DiskSample
from signals.problems import Problem, ProblemKind

SAMPLE_EVERY = timedelta(minutes=5)
RATE_PERIOD = timedelta(hours=1)
SHORTEST_PERIOD = timedelta(minutes=10)
"""Within less time, one large file would look like a rate."""
KEPT = timedelta(days=1)
"""Older samples are deleted."""
LEAST_FREE = 512 * 2**20
"""Bytes; less is a problem, whatever the rate."""
LEAST_HOURS = 24.0
"""Hours; less at the present rate is a problem."""

LOW = ProblemKind(
    "disk.low",
    "Free space, or move the data folder to a larger disk. Once the disk is full, signals are "
    "refused.",
    "recover.md#the-disk-is-full",
    is_of_node=True,
)
FILLING = ProblemKind(
    "disk.filling",
    "Find out what fills the disk, and free space, before signals are refused.",
    "recover.md#the-disk-is-full",
    is_of_node=True,
)
KINDS = (LOW, FILLING)


def free_bytes(folder: Path) -> int:
    """Return the bytes that Argo's user may still write there."""
    return shutil.disk_usage(folder).free


def sample(node: str, folder: Path) -> None:
    """Store the free space, unless that was done a moment ago; delete old samples."""
    now = database_now()
    own = DiskSample.objects.filter(node=node)
    if own.filter(at__gt=now - SAMPLE_EVERY, at__lte=limit(now)).exists():
        return
    DiskSample.objects.create(node=node, at=now, free_bytes=free_bytes(folder))
    DiskSample.objects.filter(at__lt=now - KEPT).delete()


def hours_left(node: str, free: int) -> float | None:
    """Return how long `free` bytes last at the rate of the last hour.

    None if the free space does not fall, or if it has not been watched for long enough.
    """
    now = database_now()
    period = DiskSample.objects.filter(node=node, at__range=(now - RATE_PERIOD, now))
    first = period.order_by("at").first()
    if first is None or now - first.at < SHORTEST_PERIOD or first.free_bytes <= free:
        return None
    hours = (now - first.at) / timedelta(hours=1)
    return free / ((first.free_bytes - free) / hours)


def disk_problems(node: str, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with the space of the data folder."""
    free = free_bytes(folder)
    hours = hours_left(node, free)
    left = f"{free / 2**20:,.0f} MiB are free in {folder}"
    if free < LEAST_FREE:
        yield LOW.found(f"{left}.")
    elif hours is not None and hours < LEAST_HOURS:
        yield FILLING.found(f"{left}; at the rate of the last hour they last {hours:.1f} hours.")
