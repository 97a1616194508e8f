"""The journal restores what an older database lacks; a lost journal is noticed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.models import DeadLetter, Signal
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import (
    errors,
    execute,
    letters,
    line_of,
    move_cursor,
    position,
    values,
)

pytestmark = both_databases


def test_the_journal_restores_what_an_older_database_lacks(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([line_of() for _ in range(10)])
    flusher.flush()
    older = position(using)
    journal.append([line_of() for _ in range(10)])
    flusher.flush()
    complete = values(Signal, using, "id")

    later = "(SELECT id FROM signals ORDER BY id LIMIT 10 OFFSET 10)"
    execute(using, f"DELETE FROM signal_contexts WHERE id IN {later}")
    execute(using, f"DELETE FROM signals WHERE id IN {later}")
    move_cursor(using, older)
    assert flusher.flush() == FlushResult(stored=10)
    assert values(Signal, using, "id") == complete


def test_the_journal_restores_what_an_older_copy_of_the_file_lacks(
    journal: Journal, tmp_path: Path
) -> None:
    flusher = Flusher(journal)
    journal.append([line_of() for _ in range(10)])
    flusher.flush()
    execute("default", f"VACUUM INTO '{tmp_path / 'older.db'}'")
    journal.append([line_of() for _ in range(10)])
    flusher.flush()
    complete = values(Signal, "default")

    put_back(tmp_path / "older.db")
    assert Signal.objects.count() == 10
    assert flusher.flush() == FlushResult(stored=10)
    assert values(Signal, "default") == complete


def put_back(older: Path) -> None:
    """Restore the older file as a person does: stop, copy, start."""
    connection: Any = connections["default"]
    connection.close()
    connection.dispose_pool()
    for ending in ("-wal", "-shm"):
        Path(f"{connection.settings_dict['NAME']}{ending}").unlink(missing_ok=True)
    shutil.copy(older, connection.settings_dict["NAME"])


def test_a_journal_deleted_while_nothing_runs_is_read_from_its_new_beginning(
    journal: Journal, flusher: Flusher, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append([line_of() for _ in range(5)])
    flusher.flush()
    old = position(using)
    journal.close()
    journal.path.unlink()
    journal.append([line_of(), line_of()])

    assert flusher.flush() == FlushResult(stored=2)
    assert Signal.objects.using(using).count() == 7
    letter = DeadLetter.objects.using(using).get()
    assert (letter.kind, letter.segment, letter.byte) == ("journal", *old[:2])
    assert "Reading segment 1 from its start" in letter.reason
    assert "Dead letter (journal)" in errors(caplog)[0]
    assert position(using)[:2] == journal.end()


def test_a_journal_deleted_under_a_running_writer_loses_nothing(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([line_of() for _ in range(5)])
    flusher.flush()
    journal.append([line_of() for _ in range(5)])
    journal.path.unlink()
    flusher.flush()
    journal.append([line_of() for _ in range(5)])
    flusher.flush()
    assert Signal.objects.using(using).count() == 15
    assert [kind for kind, _ in letters(using)] == ["journal"]
