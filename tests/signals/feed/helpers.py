"""Shared by the tests of the feed: signals, nodes and readers."""

from pathlib import Path
from typing import Any

import orjson

from signals.feed.batch import Batch
from signals.feed.cursor import START, Cursor
from signals.feed.reading import read
from signals.feed.sequence import Sequencer
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from tests.samples import a_signal


class Node:
    """A data folder that stores in the database `using`."""

    def __init__(self, folder: Path, using: str) -> None:
        self.using = using
        self.journal = Journal(folder / "signals.log", segment_bytes=4096)
        self.flusher = Flusher(self.journal, using=using)
        self.sequencer = Sequencer(self.journal, using=using)
        self.tracker = SignalTracker.with_parts(self.journal, self.flusher, origin="python")

    def log(self, *numbers: int) -> list[str]:
        """Write signals to the journal; return their ids."""
        signals = [a_signal(signal_id=f"signal-{number}") for number in numbers]
        return [receipt.signal_id for receipt in self.tracker.accept(signals)]

    def lines(self) -> list[bytes]:
        """Return all lines of the journal."""
        return [line.data for chunk in self.journal.chunks() for line in chunk.lines]

    def flush(self) -> None:
        self.flusher.flush()

    def store(self, *numbers: int) -> list[str]:
        """Write signals to the journal, store them, and give them indexes."""
        ids = self.log(*numbers)
        self.flush()
        self.sequencer.assign()
        return ids


def bodies(batch: Batch) -> list[dict[str, Any]]:
    return [orjson.loads(event.body) for event in batch.events]


def ids_of(batch: Batch) -> list[str]:
    return [each["data"]["signal_id"] for each in bodies(batch)]


def all_behind(cursor: Cursor, using: str, limit: int = 3) -> tuple[list[str], Cursor]:
    """Read to the end in small steps; return the ids of the events, and the last cursor."""
    found: list[str] = []
    while True:
        batch = read(cursor, limit, using)
        found += ids_of(batch)
        cursor = batch.after
        if batch.is_last:
            return found, cursor


def everything(using: str) -> list[str]:
    return all_behind(START, using)[0]
