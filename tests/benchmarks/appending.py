"""Durable appending, compared with persist-queue and eventsourcing on SQLite.

Both are installed into the workspace, as they are no part of Argo. Both sync every entry by
default: SQLite's journal is a WAL, its `synchronous` is FULL.
"""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from signals.journal import Journal
from tests.benchmarks import samples
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import Side, medians, seconds
from tests.benchmarks.workspace import Workspace

PACKAGES = ("persist-queue==1.1.0", "eventsourcing==9.5.6")
CALLERS = 1000
Append = Callable[[bytes], object]


def run(workspace: Workspace) -> Iterator[Figure]:
    """Append lines durably: one caller, then 1,000 asyncio tasks."""
    _install(workspace.folder / "packages")
    found = medians(workspace.size(25, 9), _sides(workspace))
    rivals = {name: found[name] for name in ("persist-queue", "eventsourcing")}
    best = max(rivals, key=lambda name: rivals[name])
    yield times_as_fast(
        "appending durably, one caller", found["Argo"], rivals[best], target=0.9, name=best
    )
    yield times_as_fast(
        f"appending durably, {CALLERS:,} callers", found["Argo, 1,000"], rivals[best], target=12,
        name=f"{best}, one caller",
    )  # fmt: skip


def _install(folder: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    subprocess.run([*install, *PACKAGES], check=True, stdout=sys.stderr)
    sys.path.append(str(folder))


def _sides(workspace: Workspace) -> dict[str, Side]:
    """Return the sides; each keeps its file through all rounds, as a running system does."""
    count, many = workspace.size(400, 200), workspace.size(20_000, 5_000)
    lines = samples.encoded(samples.signals(many, 0))
    journal = Journal(workspace.folder / "appended" / "signals.log")

    def one(append: Append) -> Side:
        return lambda _: _rate(append, lines[:count])

    return {
        "Argo": one(lambda line: journal.append([line])),
        "persist-queue": one(_persist_queue(workspace.folder / "persist-queue")),
        "eventsourcing": one(_eventsourcing(workspace.folder / "events.db")),
        "Argo, 1,000": lambda _: _together(journal, lines),
    }


def _rate(append: Append, lines: list[bytes]) -> float:
    def append_each() -> None:
        for line in lines:
            append(line)

    return len(lines) / seconds(append_each)


def _together(journal: Journal, lines: list[bytes]) -> float:
    async def append_each(share: list[bytes]) -> None:
        for line in share:
            await journal.append_async(line)

    async def append_all() -> None:
        shares = (lines[number::CALLERS] for number in range(CALLERS))
        await asyncio.gather(*(append_each(share) for share in shares))

    return len(lines) / seconds(lambda: asyncio.run(append_all()))


def _persist_queue(folder: Path) -> Append:
    from persistqueue import SQLiteQueue  # type: ignore[import-not-found]

    put: Append = SQLiteQueue(str(folder), auto_commit=True).put
    return put


def _eventsourcing(path: Path) -> Append:
    """Return the insert of one stored event, of a stream of its own."""
    from eventsourcing.persistence import StoredEvent  # type: ignore[import-not-found]
    from eventsourcing.sqlite import SQLiteFactory  # type: ignore[import-not-found]
    from eventsourcing.utils import Environment  # type: ignore[import-not-found]

    settings = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
    recorder: Any = SQLiteFactory(Environment("Argo", settings)).application_recorder()
    stream, versions = uuid4(), itertools.count(1)

    def insert(line: bytes) -> None:
        recorder.insert_events([StoredEvent(stream, next(versions), "signal", line)])

    return insert
