"""Each journal line gets one index, behind the flush; the feed shows what became a row."""

import orjson
import pytest
from django.db import IntegrityError

from signals.clock import utc_now
from signals.feed.cursor import NOW
from signals.feed.reading import begin, read
from signals.ledger.outcomes import record_outcome
from signals.ledger.retry import retry
from signals.models import (
    DeadLetter,
    JournalCursor,
    SequenceCursor,
    SequenceEntry,
    SequenceHead,
    SequenceRun,
)
from tests.databases import both_databases
from tests.signals.feed.helpers import Node, all_behind, bodies, everything, ids_of
from tests.signals.ledger.flush.helpers import execute, forged, in_threads

pytestmark = both_databases


def end(node: Node, signal_id: str, why: str = "target") -> None:
    record_outcome(
        signal_id, outcome="win", exit_price=158.0, who="anna", why=why, now=utc_now(),
        journal=node.journal, using=node.using,
    )  # fmt: skip


def next_index(using: str) -> int:
    return SequenceHead.objects.using(using).get().next


def test_signals_and_their_outcomes_come_in_the_order_of_the_journal(
    node: Node, using: str
) -> None:
    node.store(1, 2)
    end(node, "signal-1")
    node.store(3)
    found = bodies(read(begin(None, using), 10, using))
    assert [(each["index"], each["type"], each["data"]["signal_id"]) for each in found] == [
        (1, "signal.stored", "signal-1"),
        (2, "signal.stored", "signal-2"),
        (3, "signal.outcome", "signal-1"),
        (4, "signal.stored", "signal-3"),
    ]


def test_a_signal_is_shown_as_it_was_stored_whatever_changed_since(node: Node, using: str) -> None:
    node.store(1)
    end(node, "signal-1")
    end(node, "signal-1")
    node.store()
    stored, change = bodies(read(begin(None, using), 10, using))
    assert (stored["data"]["outcome"], stored["data"]["exit_price"]) == (None, None)
    assert change["data"]["after"]["outcome"] == "win"
    assert (change["data"]["who"], change["data"]["symbol"]) == ("anna", "AAPL")


def test_a_line_that_is_not_flushed_has_no_index(node: Node, using: str) -> None:
    node.store(1)
    node.log(2)
    node.sequencer.assign()
    assert next_index(using) == 2
    node.flush()
    node.sequencer.assign()
    assert everything(using) == ["signal-1", "signal-2"]


def test_lines_without_a_row_have_an_index_and_are_not_shown(node: Node, using: str) -> None:
    node.store(1)
    node.journal.append([b"no JSON", b"", forged(signal_id="signal-1", strategy="another")])
    node.journal.append([node.lines()[0]])  # the same signal again
    node.store(2)
    assert next_index(using) == 7
    found = bodies(read(begin(None, using), 10, using))
    assert [each["index"] for each in found] == [1, 6]


def test_a_sequence_goes_on_in_the_next_segment(node: Node, using: str) -> None:
    ids = [each for number in range(40) for each in node.store(number)]
    assert node.journal.end().segment > 2
    assert everything(using) == ids


def test_a_batch_ends_where_the_flush_is_even_within_a_chunk(node: Node, using: str) -> None:
    node.store(1)
    node.log(2, 3)
    node.flush()
    node.log(4)
    assert node.sequencer.assign() == 2
    cursor = SequenceCursor.objects.using(using).get()
    flushed = JournalCursor.objects.using(using).get()
    assert (cursor.byte, cursor.fingerprint) == (flushed.byte, flushed.fingerprint)


def test_a_signal_of_a_dead_letter_is_shown_at_the_end_once_it_is_stored(
    node: Node, using: str
) -> None:
    line = orjson.loads(forged(signal_id="late")) | {"sources": 2**40}
    node.journal.append([orjson.dumps(line)])
    node.store(1)
    letters = DeadLetter.objects.using(using)
    if using == "default":  # SQLite stores such a number: let it refuse the row by other means
        assert everything(using) == ["late", "signal-1"]
        return
    assert everything(using) == ["signal-1"]
    cursor = begin(NOW, using)
    letter = letters.get()
    letter.payload = orjson.dumps(line | {"sources": 2})
    letter.save()
    retry(letter, now=utc_now(), using=using)
    node.sequencer.assign()
    assert all_behind(cursor, using)[0] == ["late"]
    assert node.sequencer.assign() == 0


def test_a_change_of_a_dead_letter_is_shown_once_it_is_made(node: Node, using: str) -> None:
    node.store(1)
    end(node, "signal-1")
    node.store()
    line = orjson.loads(node.lines()[1])
    line["signal_id"], line["change"]["id"] = "signal-2", "another"
    node.journal.append([orjson.dumps(line)])
    node.store()
    node.store(2)
    assert everything(using) == ["signal-1", "signal-1", "signal-2"]
    retry(DeadLetter.objects.using(using).get(), now=utc_now(), using=using)
    node.sequencer.assign()
    assert everything(using) == ["signal-1", "signal-1", "signal-2", "signal-2"]


@pytest.mark.parametrize("first", ["node", "other"])
def test_a_change_never_comes_before_its_signal(
    node: Node, other: Node, using: str, first: str
) -> None:
    node.log(1)
    node.flush()  # its sequence is late
    other.log(9)
    end(other, "signal-1")
    end(other, "signal-1", "again")
    other.flush()
    for each in (node, other) if first == "node" else (other, node):
        each.sequencer.assign()
    found = everything(using)
    assert sorted(found) == ["signal-1", "signal-1", "signal-9"]
    kinds = [each["type"] for each in bodies(read(begin(None, using), 9, using))
             if each["data"]["signal_id"] == "signal-1"]  # fmt: skip
    assert kinds == ["signal.stored", "signal.outcome"]


def test_the_same_signal_from_two_nodes_is_shown_once(node: Node, other: Node, using: str) -> None:
    node.log(1, 2)
    other.journal.append(node.lines())
    for each in (other, node):
        each.flush()
        each.sequencer.assign()
    assert everything(using) == ["signal-1", "signal-2"]
    assert next_index(using) == 5


def test_a_replaced_journal_is_read_again_and_nothing_is_shown_twice(
    node: Node, using: str
) -> None:
    node.store(1, 2)
    content = node.journal.path.read_bytes()
    node.journal.close()
    first = content.splitlines(keepends=True)[0]
    node.journal.path.unlink()
    node.journal.path.write_bytes(first)
    node.log(3)
    node.sequencer.assign()  # the flush does not know yet
    assert everything(using) == ["signal-1", "signal-2"]
    node.store(4)
    assert everything(using) == ["signal-1", "signal-2", "signal-3", "signal-4"]


def test_several_processes_give_each_line_one_index(node: Node, other: Node, using: str) -> None:
    ids = []
    for number in range(0, 60, 3):
        ids += node.log(number, number + 1)
        ids += other.log(number + 2)
    for each in (node, other):
        each.flush()
    sequencers = [type(each.sequencer)(each.journal, using, max_lines=2) for each in (node, other)]
    answers = in_threads(using, *(each.assign for each in sequencers * 3))
    assert sum(answers) == 60, answers
    assert next_index(using) == 61
    assert sorted(everything(using)) == sorted(ids)
    runs = SequenceRun.objects.using(using).order_by("pk")
    assert [run.pk for run in runs] == [1, *(run.pk + run.count for run in runs)][:-1]
    for journal in JournalCursor.objects.using(using):
        places = [(run.segment, run.byte) for run in runs if run.journal_id == journal.pk]
        assert places == sorted(places)


def test_the_database_refuses_an_entry_of_two_rows_or_none(node: Node, using: str) -> None:
    for signal, change in (("1", "1"), ("NULL", "NULL")):
        with pytest.raises(IntegrityError):
            execute(using, f"INSERT INTO sequence_entries (id, signal, change) "
                           f"VALUES (1, {signal}, {change})")  # fmt: skip
    assert not SequenceEntry.objects.using(using).exists()


def test_ids_are_read_in_small_steps_as_in_one(node: Node, using: str) -> None:
    ids = node.store(*range(20))
    assert all_behind(begin(None, using), using, limit=1)[0] == ids
    assert ids_of(read(begin(None, using), 100, using)) == ids
