"""A long backlog: how fast the worker of `up` drains it, and how much memory that takes."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.conf import settings

from signals.config import journal
from tests.benchmarks import samples, servers
from tests.benchmarks.figures import Figure, at_most, rate
from tests.benchmarks.scene import Scene, say

MIB = 2**20
LOOK_EVERY = 0.05


def run(scene: Scene) -> Iterator[Figure]:
    """The lines are there when `up` starts; beat finds them."""
    count = scene.size(1_000_000, 50_000)
    say(f"  writing {count:,} lines")
    samples.fill(journal(), count, first=0)
    journal().close()
    with servers.up() as process:
        worker = servers.worker_of(process, "flush")
        seconds, peak = _watched(worker, settings.DATA_DIR / "signals.db", count)
    what = f"a backlog of {count:,} lines drained by the worker"
    yield at_most(f"{what}: its peak memory", peak / MIB, 250, " MiB")
    yield Figure(f"- {what}", rate(count / seconds))


def _watched(worker: psutil.Process, database: Path, count: int) -> tuple[float, int]:
    """Seconds from the first rows to the last, and the peak of the worker's resident memory."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    peak, began, before, rows = 0, 0.0, 0, 0
    while rows < count:
        peak = max(peak, resident(worker))
        rows = _rows(connection)
        if rows and not began:
            began, before = time.monotonic(), rows
        time.sleep(LOOK_EVERY)
    seconds = time.monotonic() - began
    connection.close()
    return seconds * count / (count - before), peak


def _rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM signals").fetchone()[0])


def resident(process: psutil.Process) -> int:
    """Bytes that it and its children hold in memory; pages that they share count for each."""
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family)
