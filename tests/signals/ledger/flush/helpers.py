"""Shared by the tests of the flush: good and bad lines, and the content of the tables."""

import logging
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.db import connections
from django.db.models import Model

from signals.journal import JournalPosition
from signals.ledger.hashing import Hashed, sha256_of
from signals.ledger.records import encode
from signals.ledger.store import StoredSignal
from signals.models import DeadLetter, JournalCursor, Signal
from tests.samples import a_signal

TIMEOUT = 120.0
"""Seconds until a test gives up on a slow machine."""
NOW = datetime(2025, 1, 16, 12, 0, tzinfo=UTC)
fork = multiprocessing.get_context("fork")


def line_of(**changes: Any) -> bytes:  # noqa: ANN401
    """Return the journal line of a valid signal; `changes` are made before it is hashed."""
    return encode(a_signal(**changes), NOW, "python")[1]


def forged(**changes: Any) -> bytes:  # noqa: ANN401
    """Return a line that no tracker would write, with a hash that matches."""
    fields = orjson.loads(line_of()) | changes
    hashed = Hashed(*(fields[name] for name in Hashed._fields))
    fields["sha256"] = sha256_of(hashed, fields["signal_id"])
    return orjson.dumps(fields)


def altered(**changes: Any) -> bytes:  # noqa: ANN401
    """Return a line that was changed after it was hashed; `...` removes a field."""
    fields = orjson.loads(line_of()) | changes
    return orjson.dumps({name: value for name, value in fields.items() if value is not ...})


def values(model: type[Model], using: str, *left_out: str) -> list[dict[str, Any]]:
    """Return all rows, in order, without these columns."""
    rows = model._default_manager.using(using).order_by("pk").values()
    return [{name: row[name] for name in row.keys() - left_out} for row in rows]


def execute(using: str, sql: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql)


def letters(using: str) -> list[tuple[str, bytes]]:
    """Return kind and payload of every dead letter."""
    found = DeadLetter.objects.using(using).order_by("id")
    return [(letter.kind, bytes(letter.payload)) for letter in found]


def position(using: str) -> JournalPosition:
    cursor = JournalCursor.objects.using(using).get()
    return JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)


def move_cursor(using: str, to: JournalPosition) -> None:
    assert JournalCursor.objects.using(using).update(**to._asdict()) == 1


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


class Handled:
    """A stored handler that inserts rows, as the real ones do."""

    def __init__(self, using: str) -> None:
        self.using = using

    def __call__(self, stored: Sequence[StoredSignal]) -> None:
        with connections[self.using].cursor() as cursor:
            rows = [(signal.id, signal.signal_id) for signal in stored]
            cursor.executemany("INSERT INTO handled VALUES (%s, %s)", rows)

    def rows(self) -> list[tuple[int, str]]:
        with connections[self.using].cursor() as cursor:
            cursor.execute("SELECT id, signal_id FROM handled ORDER BY id")
            return list(cursor.fetchall())

    def each_once(self) -> bool:
        """Return True if it was called once for every row."""
        stored = Signal.objects.using(self.using).order_by("id")
        return self.rows() == list(stored.values_list("id", "signal_id"))


def in_threads(using: str, *acts: Callable[[], object]) -> list[Any]:
    """Run each on a thread with its own connection; return what they return or raise."""
    answers: list[Any] = []

    def run(act: Callable[[], object]) -> None:
        try:
            answers.append(act())
        except Exception as error:  # noqa: BLE001  # the test looks at it
            answers.append(error)
        finally:
            connections[using].close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    return answers


def in_processes(*acts: Callable[[], object]) -> None:
    """Run each in its own process, forked from this one; all must exit with 0."""
    connections.close_all()
    children = [fork.Process(target=act) for act in acts]
    for child in children:
        child.start()
    for child in children:
        child.join(TIMEOUT)
    codes = [child.exitcode for child in children]
    for child in children:
        child.kill()
    assert codes == [0] * len(acts)
