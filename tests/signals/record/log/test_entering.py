"""Each line of a journal that has an index becomes one entry, in the journal's order."""

import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from signals.clock import utc_now
from signals.ledger.outcomes import record_outcome
from signals.models import RecordCursor, RecordEntry, SequenceEntry
from signals.record.formats.entries import digest_of, salt_of
from signals.record.formats.tree import root_of
from signals.record.log.entering import Enterer
from signals.record.log.runs import entry_of_line, line_of_entry
from signals.record.log.salt import salt_key
from signals.record.log.tables import edge_of, head_of
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import forged, in_threads
from tests.signals.record.log.helpers import Node, entries, kinds

pytestmark = both_databases


def test_lines_become_entries_with_salted_digests_and_their_own_time(
    node: Node, using: str
) -> None:
    node.enter(1, 2)
    record_outcome(
        "signal-1", outcome="win", exit_price=158.0, who="ann", why="target", now=utc_now(),
        journal=node.journal, using=using,
    )  # fmt: skip
    node.enter()
    found = entries(using)
    assert [each.kind for each in found] == [
        "heartbeat", "strategy", "signal", "signal", "outcome",
    ]  # fmt: skip
    lines = [line for chunk in node.journal.chunks() for line in chunk.lines]
    key, journal = salt_key(node.journal), node.journal.identity
    for entry, line in zip(found[2:], lines, strict=True):
        assert entry.digest == digest_of(salt_of(key, journal, *line.offset, line.data), line.data)
        assert entry.at == json.loads(line.data)["received_at"]
    head = head_of(using)
    assert head is not None
    leaves = RecordEntry.objects.using(using).order_by("pk").values_list("leaf", flat=True)
    assert edge_of(head).root() == root_of(map(bytes, leaves))


def test_a_line_without_an_index_has_no_entry_yet(node: Node, using: str) -> None:
    node.enter(1)
    node.log(2)
    node.flush()
    assert node.enterer.enter() == 0
    node.sequencer.assign()
    assert node.enterer.enter() == 1


def test_nothing_is_entered_before_the_record_begins(other: Node, using: str) -> None:
    other.enter(1)
    assert entries(using) == []
    assert not RecordCursor.objects.using(using).exists()


def test_lines_from_before_the_record_and_of_the_past_are_history(other: Node, using: str) -> None:
    other.enter(1)
    other.publish()
    other.journal.append([forged(signal_id="imported", origin="import")])
    other.journal.append([forged(signal_id="odd", received_at="2026-01-02T03:04:05+00:00")])
    other.enter(2)
    assert kinds(using) == ["heartbeat", "strategy", "history", "history", "history", "signal"]
    before = [each for each in entries(using) if each.kind == "history"]
    assert all(each.at[:4] >= "2026" for each in before)


def test_what_cannot_be_read_is_entered_as_a_signal_so_that_nothing_is_hidden(
    node: Node, using: str
) -> None:
    node.journal.append([b"no JSON", b"", b"[1]", b'{"received_at":5,"origin":"api"}'])
    node.enter(1)
    assert kinds(using)[2:] == ["signal"] * 5
    assert node.publish() == 7
    assert not node.verified().faults


def test_a_repeated_line_has_an_entry_of_its_own(node: Node, using: str) -> None:
    node.enter(1)
    node.journal.append([node.lines()[0]])
    node.enter()
    found = [each.digest for each in entries(using) if each.kind == "signal"]
    assert len(found) == 2
    assert found[0] != found[1]


def test_a_strategy_is_named_once_before_its_first_live_signal(node: Node, using: str) -> None:
    now = utc_now().isoformat().replace("+00:00", "Z")
    for number, strategy in enumerate(("first", "second", "first", '\U0001f4c8 "x"')):
        line = orjson.loads(forged(signal_id=f"s{number}")) | {"strategy": strategy}
        node.journal.append([orjson.dumps(line | {"received_at": now, "origin": "api"})])
        node.enter()
    names = [(each.kind, each.note) for each in entries(using) if each.kind != "heartbeat"]
    assert names == [
        ("strategy", "first"), ("signal", None), ("strategy", "second"), ("signal", None),
        ("signal", None), ("strategy", '\U0001f4c8 "x"'), ("signal", None),
    ]  # fmt: skip


def test_accounts_are_named_before_the_first_line(node: Node, using: str) -> None:
    enterer = Enterer(node.journal, using, accounts=lambda: ["paper", "alpaca"])
    node.store(1)
    enterer.enter()
    node.store(2)
    enterer.enter()
    found = [each.note for each in entries(using) if each.kind == "account"]
    assert found == ["paper", "alpaca"]
    assert kinds(using)[1:4] == ["account", "account", "strategy"]


def test_several_processes_and_nodes_enter_each_line_once(
    node: Node, other: Node, using: str
) -> None:
    for number in range(0, 60, 3):
        node.store(number, number + 1)
        other.store(number + 2)
    enterers = [Enterer(each.journal, using, max_lines=4) for each in (node, other)]
    answers = in_threads(using, *(each.enter for each in enterers * 3))
    assert sum(answers) == 60, answers
    assert kinds(using).count("signal") == 60
    assert kinds(using).count("strategy") == 1
    for each in (node, other):
        lines = [line for chunk in each.journal.chunks() for line in chunk.lines]
        key, identity = salt_key(each.journal), each.journal.identity
        wanted = [digest_of(salt_of(key, identity, *x.offset, x.data), x.data) for x in lines]
        there = [x.digest for x in entries(using) if x.digest in set(wanted)]
        assert there == wanted


def test_an_entry_leads_to_its_line_and_back(node: Node, other: Node, using: str) -> None:
    for number in range(6):
        (node if number % 2 else other).store(number)
    for each in (node, other):  # their lines take turns in the sequence, and not in the record
        each.enterer.enter()
    for sequence in SequenceEntry.objects.using(using).values_list("pk", flat=True):
        index = entry_of_line(sequence, using)
        assert index is not None
        assert line_of_entry(index, using) == sequence
    assert line_of_entry(0, using) is None
    assert entry_of_line(99, using) is None


def test_a_replaced_journal_is_entered_again_without_repeats(node: Node, using: str) -> None:
    node.enter(1, 2)
    first = node.journal.path.read_bytes().splitlines(keepends=True)[0]
    node.journal.close()
    node.journal.path.unlink()
    node.journal.path.write_bytes(first)
    node.log(3)
    assert node.enterer.enter() == 0  # neither flush nor sequence know yet
    node.enter(4)
    assert kinds(using).count("signal") == 4


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_changes_no_order(node: Node, using: str, hours: int) -> None:
    node.enter(1)
    wrong = datetime.now(UTC) + timedelta(hours=hours)
    node.store(2)
    Enterer(node.journal, using, clock=lambda: wrong).enter()
    node.publisher(now=lambda: wrong).publish()
    node.enter(3)
    assert [each for each in kinds(using) if each != "heartbeat"] == ["strategy"] + ["signal"] * 3
    node.publish()
    assert not node.verified().faults
