"""A long backlog: how fast the worker of `up` drains it, and how much memory it needs."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.conf import settings

from signals.config import journal
from tests.benchmarks import samples, servers
from tests.benchmarks.figures import Figure, at_most, rate
from tests.benchmarks.workspace import Workspace, say

MIB = 2**20
POLL_INTERVAL = 0.05


def run(workspace: Workspace) -> Iterator[Figure]:
    """Write all lines before `up` starts; beat finds them."""
    count = workspace.size(1_000_000, 50_000)
    say(f"  writing {count:,} lines")
    samples.fill(journal(), count, first=0)
    journal().close()
    with servers.up() as process:
        worker = servers.worker_of(process, "flush")
        seconds, peak = _watched(worker, settings.DATA_DIR / "signals.db", count)
    what = f"a backlog of {count:,} lines drained by the worker"
    yield at_most(f"{what}: peak memory", peak / MIB, 250, " MiB")
    yield Figure(f"- {what}", rate(count / seconds))


def _watched(worker: psutil.Process, database: Path, count: int) -> tuple[float, int]:
    """Return the seconds from the first rows to the last, and the worker's peak memory in bytes."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    peak, began, before, rows = 0, 0.0, 0, 0
    while rows < count:
        peak = max(peak, resident(worker))
        rows = _rows(connection)
        if rows and not began:
            began, before = time.monotonic(), rows
        time.sleep(POLL_INTERVAL)
    seconds = time.monotonic() - began
    connection.close()
    return seconds * count / (count - before), peak


def _rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM signals").fetchone()[0])


def resident(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its children; shared pages count for each."""
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family)
