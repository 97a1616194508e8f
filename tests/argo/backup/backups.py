"""Backs up, restores, and reads the rows of installations."""

import json
from pathlib import Path
from typing import Any

import psycopg

from tests.installation import Installation
from tests.samples import signals


def log(argo: Installation, count: int) -> list[str]:
    """Log this many signals; return their ids."""
    lines = "".join(f"{json.dumps(each)}\n" for each in signals(count))
    answer = argo.manage("log_signal", "--json", stdin=lines)
    assert answer.returncode == 0, answer.stderr
    ids: list[str] = json.loads(answer.stdout)["signal_ids"]
    return ids


def back_up(argo: Installation, folder: Path) -> dict[str, Any]:
    """Back up; return what the command answers."""
    answer = argo.manage("backup", str(folder), "--json")
    assert answer.returncode == 0, answer.stderr
    made: dict[str, Any] = json.loads(answer.stdout)
    return made


def restore(argo: Installation, folder: Path) -> dict[str, Any]:
    """Restore; return what the command answers."""
    answer = argo.manage("restore", str(folder), "--json")
    assert answer.returncode == 0, answer.stderr
    made: dict[str, Any] = json.loads(answer.stdout)
    return made


def rows(argo: Installation, statement: str) -> list[Any]:
    """Return the rows of a statement, from either database."""
    url = argo.settings.get("DATABASE_URL")
    if url is None:
        return argo.query(statement)
    with psycopg.connect(url.replace("postgres://", "postgresql://")) as database:
        return database.execute(statement.encode()).fetchall()


def stored(argo: Installation) -> list[str]:
    """Return the ids of the stored signals, in their order."""
    return [name for (name,) in rows(argo, "SELECT signal_id FROM signals ORDER BY id")]
