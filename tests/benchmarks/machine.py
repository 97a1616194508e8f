"""The machine that the figures were measured on."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import psutil

GIB = 2**30


def heading() -> str:
    """Return the date, the machine's size, the versions, and the load before the start."""
    memory = psutil.virtual_memory().total / GIB
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, {memory:.0f} GiB of memory, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load before {os.getloadavg()[0]:.1f}"
    )


def filesystem(folder: Path) -> str:
    """Return the type of the file system of `folder`, such as ext4."""
    parts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(parts, key=lambda part: len(part.mountpoint)).fstype
