"""`verify_signals` checks the record, the journal and the signed checkpoints against each other."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from signals.record.log.auditing import audit
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import execute
from tests.signals.record.log.helpers import Node

pytestmark = both_databases


def faults(node: Node) -> list[str]:
    return audit(node.journal, node.disk, node.using).faults


@pytest.fixture
def filled(node: Node, other: Node) -> Node:
    for number in range(6):
        (other if number % 3 == 0 else node).enter(number)
    node.publish()
    return node


def test_an_honest_record_has_no_fault(filled: Node, other: Node, using: str) -> None:
    found = audit(filled.journal, filled.disk, using)
    assert (found.faults, found.entries, found.lines) == ([], 8, 4)
    assert audit(other.journal, other.disk, using).lines == 2
    filled.store(9)  # it has no entry yet
    assert faults(filled) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE record_entries SET at = at + 1 WHERE id = 3", "entry 3 of the record was altered"),
        ("DELETE FROM record_entries WHERE id = 4", "entry 4 of the record is missing"),
        ("UPDATE record_heads SET size = 9", "do not make the root"),
        ("UPDATE record_checkpoints SET size = 7 WHERE size = 8", "of 7 entries is of other"),
    ],
)
def test_altered_tables_are_named(filled: Node, using: str, change: str, sentence: str) -> None:
    execute(using, change)
    if "record_heads" in change:
        execute(using, "UPDATE record_heads SET size = 8, edge = (SELECT leaf FROM record_entries "
                       "WHERE id = 1)")  # fmt: skip
    assert sentence in " ".join(faults(filled))


def test_a_line_that_was_altered_after_it_was_entered_is_named(filled: Node, using: str) -> None:
    path = filled.journal.path
    content = path.read_bytes()
    path.write_bytes(content.replace(b"158.0", b"159.0", 1))
    assert path.read_bytes() != content
    assert "is not the one that was entered" in " ".join(faults(filled))


def test_a_checkpoint_on_disk_of_other_entries_is_named(filled: Node, using: str) -> None:
    for name in ("record/checkpoint", "record.signed"):
        path = filled.folder / name
        path.write_bytes(path.read_bytes().replace(b"\n8\n", b"\n7\n", 1))
    assert "of 7 entries is of other" in " ".join(faults(filled))


def test_a_journal_that_was_read_again_is_no_fault(node: Node, using: str) -> None:
    node.enter(1, 2)
    first = node.journal.path.read_bytes().splitlines(keepends=True)[0]
    node.journal.close()
    node.journal.path.unlink()
    node.journal.path.write_bytes(first)
    node.enter(3)
    assert faults(node) == []


def test_the_command_names_them() -> None:
    out = StringIO()
    call_command("verify_signals", "--json", "--processes", "1", stdout=out)
    assert json.loads(out.getvalue())["record"] == {"entries": 0, "lines": 0, "faults": []}


def test_the_command_fails(own: Node) -> None:
    own.enter(1)
    own.publish()
    call_command("verify_signals", "--processes", "1", stdout=StringIO())
    execute("default", "UPDATE record_entries SET at = at + 1 WHERE id = 0")
    with pytest.raises(CommandError, match="public record does not agree"):
        call_command("verify_signals", "--processes", "1", stdout=StringIO())
