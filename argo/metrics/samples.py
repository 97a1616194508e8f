"""The counters of this node as they were within the last hour, so that their growth is known.

Counters only say what happened since they began. A worker of the queue `flush` copies those that
the doctor needs into a file every few minutes, so that nobody needs Prometheus to ask it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from argo.metrics.counters import NodeCounters
from signals.files import private
from signals.timestamps import parse_utc, utc_text

FILE = "samples.json"
EVERY = timedelta(minutes=5)
KEPT = timedelta(hours=1)
COUNTED = (
    "argo_synchronous_calls", "argo_flush_batch_lines", "argo_flush_commit_seconds",
    "argo_sqlite_pool_wait_seconds", "argo_sqlite_pool_timeouts",
)  # fmt: skip
"""The metrics that are copied: counters and histograms."""
Values = Mapping[str, float]
"""Samples by their name, followed by their labels' values: `argo_synchronous_calls_total,python`"""


class Growth(NamedTuple):
    """How much each sample has grown within the last `seconds` seconds, an hour at most."""

    seconds: float
    values: Values

    def of(self, name: str) -> float:
        """Return the growth of a sample; 0 if it is unknown."""
        return self.values.get(name, 0.0)

    def labelled(self, name: str) -> dict[str, float]:
        """Return the growth of a counter that has one label, by the label's value."""
        begin = f"{name},"
        return {
            key.removeprefix(begin): value
            for key, value in self.values.items()
            if key.startswith(begin)
        }

    def mean(self, histogram: str) -> float | None:
        """Return the mean of what a histogram has observed; None if that is nothing."""
        count = self.of(f"{histogram}_count")
        return self.of(f"{histogram}_sum") / count if count else None


def sample(folder: Path, now: datetime) -> None:
    """Copy the counters of `folder`, unless that was done a moment ago; forget old copies."""
    if _age_of_file(folder / FILE) < EVERY.total_seconds():
        return
    kept = {at: values for at, values in _read(folder).items() if now - at <= KEPT + EVERY}
    _write(folder, kept | {now: dict(present(folder))})


def growth(folder: Path, now: datetime) -> Growth | None:
    """Return what was counted since the oldest copy of the last hour; None without a copy."""
    copies = {at: values for at, values in _read(folder).items() if at < now <= at + KEPT + EVERY}
    if not copies:
        return None
    first = min(copies)
    before = copies[first]
    grown = {name: max(0.0, value - before.get(name, 0.0)) for name, value in present(folder)}
    return Growth((now - first).total_seconds(), grown)


def present(folder: Path, names: tuple[str, ...] = COUNTED) -> Iterator[tuple[str, float]]:
    """Yield the samples of these metrics as they are now, of all processes of this node."""
    for metric in NodeCounters(folder).collect():
        if metric.name in names:
            for each in metric.samples:
                yield ",".join([each.name, *each.labels.values()]), each.value


def _age_of_file(path: Path) -> float:
    return time.time() - path.stat().st_mtime if path.exists() else float("inf")


def _read(folder: Path) -> dict[datetime, Values]:
    """Return the copies by their time; none if the file is missing or was damaged."""
    try:
        found = orjson.loads((folder / FILE).read_bytes())
        return {parse_utc(at): values for at, values in found.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def _write(folder: Path, copies: Mapping[datetime, Values]) -> None:
    draft = folder / f"{FILE}.{os.getpid()}"
    with private(draft, "wb") as file:  # not synced: it may be lost
        file.write(orjson.dumps({utc_text(at): values for at, values in copies.items()}))
    draft.rename(folder / FILE)
