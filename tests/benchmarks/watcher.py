"""Polls the database from outside every few milliseconds for new rows."""

import sqlite3
import threading
import time
from collections.abc import Set
from pathlib import Path

POLL_INTERVAL = 0.003
ROW_TIMEOUT = 60.0


class Watcher:
    """Records when each signal's row was first seen, on a read-only connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Poll until `stop`; run this on a separate thread."""
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        last = 0
        while not self._stopped.wait(POLL_INTERVAL):
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
        """Wait for the rows of these signals; return when each was seen (`time.monotonic`).

        Raises `TimeoutError` if a row is missing after a minute.
        """
        deadline = time.monotonic() + ROW_TIMEOUT
        while not signal_ids <= self._seen.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(signal_ids - self._seen.keys())} rows are missing")
            time.sleep(0.05)
        return dict(self._seen)
