"""After a rebuild or a restore the entries are those of the record's folder, one for one."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from signals.record.log import catching_up, copying, names, tables
from signals.record.log.refusals import FOLDER_LOST, FORK, RecordRefused
from signals.record.log.runs import entry_of_line, line_of_entry
from tests.databases import both_databases
from tests.signals.record.log.helpers import Node, entries, kinds

pytestmark = both_databases
RECORD = (
    "record_cosignatures", "record_checkpoints", "record_names", "record_runs", "record_cursors",
    "record_entries", "record_heads",
)  # fmt: skip
Dump = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def taken(using: str) -> Dump:
    """Return the content of the record's tables, as a backup has it."""
    found: Dump = {}
    with connections[using].cursor() as cursor:
        for table in RECORD:
            cursor.execute(f"SELECT * FROM {table}")
            found[table] = [each[0] for each in cursor.description], cursor.fetchall()
    return found


def put_back(dump: Dump, using: str) -> None:
    """Replace the record's tables."""
    with connections[using].cursor() as cursor:
        for table in RECORD:
            cursor.execute(f"DELETE FROM {table}")
        for table in reversed(RECORD):
            columns, rows = dump[table]
            if not rows:
                continue
            slots = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({slots})", rows)


def emptied(using: str) -> None:
    put_back({table: ([], []) for table in RECORD}, using)


def test_an_emptied_database_gets_the_entries_of_the_folder(
    node: Node, other: Node, using: str
) -> None:
    for number in range(8):
        (other if number % 3 == 0 else node).enter(number)
    node.publish()
    before, shown = entries(using), node.published()
    emptied(using)
    for each in (other, node):
        assert each.enterer.enter() == 0
    node.publish()
    for each in (node, other):
        assert each.enterer.enter() == 0
    assert entries(using) == before
    node.enter(90)
    other.enter(91)
    node.publish()
    assert node.published()[: len(shown)] == shown
    assert kinds(using).count("signal") == 10
    assert kinds(using).count("strategy") == 1
    assert not node.verified().faults


def test_lines_that_were_not_published_are_entered_after_those_that_were(
    node: Node, other: Node, using: str
) -> None:
    node.enter(1, 2)
    node.publish()
    shown = node.published()
    for each, number in ((other, 3), (node, 4)):  # entered, and lost with the database
        each.enter(number)
    emptied(using)
    node.publish()
    assert [each.enterer.enter() for each in (node, other)] == [1, 1]
    node.publish()
    assert node.published()[: len(shown)] == shown
    assert kinds(using).count("signal") == 4


def test_a_restored_database_catches_up_with_the_folder_before_it_signs(
    node: Node, other: Node, using: str
) -> None:
    node.enter(1)
    other.enter(2)
    node.publish()
    backup = taken(using)
    for number in range(10, 16):
        (node if number % 2 else other).enter(number)
    node.publish()
    before, shown = entries(using), node.published()
    put_back(backup, using)
    other.journal.append(other.lines()[:1])
    node.publish()
    for each in (node, other):
        each.enter()
    assert entries(using)[: len(before)] == before
    assert kinds(using).count("signal") == 9
    node.publish()
    assert node.published()[: len(shown)] == shown
    for index in range(len(shown)):
        line = line_of_entry(index, using)
        assert line is None or entry_of_line(line, using) == index


def test_what_was_entered_anew_after_a_restore_gives_way_to_what_was_published(
    node: Node, other: Node, using: str
) -> None:
    """The other node does not know of the restore, and is first."""
    node.enter(1)
    node.publish()
    backup = taken(using)
    node.enter(2)
    other.enter(3)
    node.publish()
    before, shown = entries(using), node.published()
    put_back(backup, using)
    other.enter(4)
    assert entries(using) != before
    node.publish()
    for each in (other, node):
        each.enter()
    node.publish()
    assert entries(using)[: len(before)] == before
    assert kinds(using).count("signal") == 4
    assert node.published()[: len(shown)] == shown
    assert not node.verified().faults


def test_an_older_folder_is_brought_up_to_the_database(
    node: Node, using: str, tmp_path: Path
) -> None:
    node.enter(1)
    node.publish()
    shutil.copytree(node.folder / "record", tmp_path / "older")
    signed = (node.folder / "record.signed").read_bytes()
    node.enter(2)
    node.publish()
    shown = node.published()
    shutil.rmtree(node.folder / "record")
    shutil.copytree(tmp_path / "older", node.folder / "record")
    (node.folder / "record.signed").write_bytes(signed)
    node.publish()
    assert node.published() == shown
    assert not node.verified().faults


def test_a_folder_with_another_history_is_a_fork(
    node: Node, other: Node, using: str, tmp_path: Path
) -> None:
    node.enter(1)
    node.publish()
    backup = taken(using)
    shutil.copytree(node.folder / "record", tmp_path / "older")
    signed = (node.folder / "record.signed").read_bytes()
    node.enter(2, 3)
    node.publish()
    other_history = taken(using)
    put_back(backup, using)
    shutil.rmtree(node.folder / "record")
    shutil.copytree(tmp_path / "older", node.folder / "record")
    (node.folder / "record.signed").write_bytes(signed)
    other.enter(4)
    node.enter(5)
    node.publish()
    put_back(other_history, using)
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is FORK


def test_a_load_that_was_broken_off_goes_on(
    node: Node, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.enter(*range(9))
    node.publish()
    before = entries(using)
    emptied(using)
    monkeypatch.setattr(catching_up, "PORTION", 4)
    with monkeypatch.context() as patched:
        patched.setattr(names, "store", _interrupted)  # the portion with the strategy
        with pytest.raises(InterruptedError):
            node.publish()
    assert node.enterer.enter() == 0
    node.publish()
    assert node.enterer.enter() == 0
    assert entries(using) == before


def _interrupted(*given: object) -> None:
    raise InterruptedError


def test_a_long_record_is_written_loaded_and_copied_in_portions(
    node: Node, using: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (tables, catching_up, copying):
        monkeypatch.setattr(module, "PORTION", 4)
    node.enter(*range(9))
    node.publish()
    before = entries(using)
    emptied(using)
    node.publish()
    assert node.enterer.enter() == 0
    assert entries(using) == before
    assert copying.copy_record(node.disk, tmp_path / "copy") == 11
    assert tables.root_at(11, using) == node.disk.folder.root(11)
    assert not node.verified().faults


def test_without_database_and_folder_the_key_signs_no_second_record(node: Node, using: str) -> None:
    emptied(using)
    shutil.rmtree(node.folder / "record")
    (node.folder / "record.signed").unlink()
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is FOLDER_LOST
    assert entries(using) == []
