"""The older system's SignalTracker, after its document, to compare with.

Each signal is hashed, appended to the log without a sync, and queued; fifty go to the database
in one transaction. The queue is lost with the process: unlike Argo, this is not durable.
"""

import asyncio
import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from signals.dialect import SEED_TABLE

BATCH_SIZE = 50
INDEXED = ("symbol", "timestamp", "strategy", "outcome")
"""The document mentions "indexes on frequently queried columns" without naming them."""
HASHED = (
    "signal_id", "symbol", "action", "entry_price", "target_price", "stop_price", "confidence",
    "strategy", "timestamp",
)  # fmt: skip
COLUMNS = (*HASHED, "asset_type", "data_source", "sha256")
INSERT = (
    f"INSERT INTO signals ({', '.join(COLUMNS)}) "
    f"VALUES ({', '.join(f':{column}' for column in COLUMNS)})"
)


class SeedTracker:
    """The seed's SignalTracker: WAL, and SQLite's defaults otherwise."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._log = (folder / "signals.log").open("a", buffering=1)
        self._connection = sqlite3.connect(folder / "signals.db", check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(SEED_TABLE)
        for column in INDEXED:
            self._connection.execute(f"CREATE INDEX idx_{column} ON signals ({column})")
        self._pending_signals: list[dict[str, Any]] = []
        self._thread = ThreadPoolExecutor(1)

    async def log_signal_async(self, signal: dict[str, Any]) -> str:
        """Queue one signal and return its id. The fiftieth waits for the insert on a thread."""
        entry = _identified(signal)
        self._log.write(json.dumps(entry) + "\n")
        self._pending_signals.append(entry)
        if len(self._pending_signals) >= BATCH_SIZE:
            batch, self._pending_signals = self._pending_signals, []
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._insert, batch)
        return str(entry["signal_id"])

    def _insert(self, batch: list[dict[str, Any]]) -> None:
        with self._connection:
            self._connection.executemany(INSERT, batch)


def _identified(signal: dict[str, Any]) -> dict[str, Any]:
    content = {name: signal[name] for name in HASHED[1:]}
    signal_id = _sha256(content)[:16]
    sha256 = _sha256({**content, "signal_id": signal_id})
    return {**signal, "signal_id": signal_id, "sha256": sha256}


def _sha256(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
