"""Looks at the database from outside, every few milliseconds: which rows are there now?"""

import sqlite3
import threading
import time
from collections.abc import Set
from pathlib import Path

EVERY = 0.003
PATIENCE = 60.0


class Watcher:
    """Notes when each signal's row was first seen, by a connection that only reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look until `stop`; on a thread of its own."""
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        last = 0
        while not self._stopped.wait(EVERY):
            rows = connection.execute(
                "SELECT id, signal_id FROM signals WHERE id > ? ORDER BY id", [last]
            ).fetchall()
            now = time.monotonic()
            self._seen.update((signal_id, now) for _, signal_id in rows)
            last = rows[-1][0] if rows else last
        connection.close()

    def stop(self) -> None:
        self._stopped.set()

    def wait_for(self, signal_ids: Set[str]) -> dict[str, float]:
        """When each was seen (`time.monotonic`), once all were. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE
        while not signal_ids <= self._seen.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(signal_ids - self._seen.keys())} rows are missing")
            time.sleep(0.05)
        return dict(self._seen)
