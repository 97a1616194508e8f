"""Threads and values, for the tests of the SQLite engine."""

import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 120.0
"""Seconds until a test gives up on a slow machine; a test that passes never waits that long."""


def value(database: BaseDatabaseWrapper, sql: str) -> Any:  # noqa: ANN401
    """Return the first value of the first row; None if the statement returns no row."""
    with database.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def in_threads(*acts: Callable[[], object]) -> list[Any]:
    """Run each on its own thread, and return what they returned or raised."""
    answers: list[Any] = []
    threads = [threading.Thread(target=_run, args=(act, answers)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(answers) == len(acts), "a thread hangs"
    return answers


def _run(act: Callable[[], object], answers: list[Any]) -> None:
    try:
        answers.append(act())
    except Exception as error:  # noqa: BLE001  # returned like a result
        answers.append(error)
