"""A cursor neither skips nor repeats, also after the database was restored or rebuilt."""

import base64
import random
from collections.abc import Iterable
from typing import ClassVar

import pytest
from django.db import transaction
from django.db.models import Model

from argo.errors import InvalidInput
from signals.clock import utc_now
from signals.feed.cursor import NOW, START, Cursor, cursor_of, tag_of
from signals.feed.reading import begin, read
from signals.journal import Offset
from signals.ledger.outcomes import record_outcome
from signals.models import SequenceCursor, SequenceEntry, SequenceHead, SequenceRun
from tests.databases import both_databases
from tests.signals.feed.helpers import Node, all_behind, everything, ids_of
from tests.signals.ledger.flush.helpers import execute

CURSOR = Cursor(7, {tag_of("one"): Offset(1, 200), tag_of("two"): Offset(3, 2**40)})


def forget_sequence(using: str) -> None:
    """Make the database one whose lines have no indexes, as after a rebuild."""
    for table in ("runs", "entries", "cursors", "heads"):
        execute(using, f"DELETE FROM sequence_{table}")


class Backup:
    """The sequence as it was, to be restored later."""

    MODELS: ClassVar[tuple[type[Model], ...]] = (
        SequenceHead,
        SequenceCursor,
        SequenceRun,
        SequenceEntry,
    )

    def __init__(self, using: str) -> None:
        self.using = using
        self.rows = [list(model._default_manager.using(using).all()) for model in self.MODELS]

    def restore(self) -> None:
        with transaction.atomic(using=self.using):
            forget_sequence(self.using)
            for model, rows in zip(self.MODELS, self.rows, strict=True):
                model._default_manager.using(self.using).bulk_create(rows)


def assign(nodes: Iterable[Node], most: int) -> None:
    for node in nodes:
        sequencer = type(node.sequencer)(node.journal, node.using, max_lines=most)
        next(sequencer.batches(), None)


def test_a_cursor_is_the_same_after_it_was_written_and_read() -> None:
    assert cursor_of(CURSOR.text()) == CURSOR
    assert cursor_of(START.text()) == START


@pytest.mark.parametrize(
    "text",
    [
        "x", "7", "-1", "null", "NOW", " now", "\0", "é", "=" * 40, "A" * 5, "A" * 100_000,
        CURSOR.text()[:-1], CURSOR.text()[1:], CURSOR.text() + "A", CURSOR.text().swapcase(),
        CURSOR.text()[:9] + "AAAA" + CURSOR.text()[13:],
        base64.urlsafe_b64encode(b"2025-01-15T10:30:00Z 12").decode(),  # a page's mark
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InvalidInput, match="send the `next` of an earlier answer"):
        begin(text)


@both_databases
def test_now_begins_at_the_end_and_no_cursor_at_the_start(node: Node, using: str) -> None:
    assert begin(NOW, using) == START
    ids = node.store(1, 2)
    end = begin(NOW, using)
    assert read(end, 10, using).events == []
    assert node.store(3) == all_behind(end, using)[0]
    assert ids_of(read(begin(None, using), 2, using)) == ids


@both_databases
def test_each_event_has_the_cursor_behind_it(node: Node, other: Node, using: str) -> None:
    for number in range(0, 12, 4):
        node.store(number, number + 1)
        other.log(number + 2, number + 3)
        record_outcome(
            f"signal-{number}", outcome="win", exit_price=158.0, who="x", why="y",
            now=utc_now(), journal=other.journal, using=using,
        )  # fmt: skip
        other.store()
    ids, events = everything(using), read(START, 100, using).events
    for place, event in enumerate(events, 1):
        assert all_behind(cursor_of(event.cursor), using)[0] == ids[place:]


@both_databases
@pytest.mark.parametrize("seed", range(6))
def test_a_reader_goes_on_after_the_sequence_was_made_anew(
    node: Node, other: Node, using: str, seed: int
) -> None:
    """The lines of two journals get their indexes in another order: from a backup, or all."""
    chance = random.Random(seed)
    nodes, numbers = [node, other], iter(range(1000))
    backup = Backup(using)
    for round_ in range(8):
        for each in nodes:
            each.log(*[next(numbers) for _ in range(chance.randint(0, 4))])
            each.flush()
        assign(chance.sample(nodes, 2), chance.randint(1, 3))
        if round_ == 3 and seed % 2:
            backup = Backup(using)
    batch = read(START, 1000, using)
    ids = ids_of(batch)
    read_before: dict[str, list[str]] = {START.text(): []}
    for place, event in enumerate(batch.events, 1):
        read_before[event.cursor] = ids[:place]
    backup.restore()
    for _ in range(40):
        assign(chance.sample(nodes, 2), chance.randint(1, 5))
    there, last = sorted(everything(using)), begin(NOW, using)
    for text, before in read_before.items():
        after, end = all_behind(cursor_of(text), using, limit=chance.randint(1, 5))
        assert sorted(before + after) == there, text
        assert end == last


@both_databases
def test_a_cursor_that_is_newer_than_the_restored_database_waits_for_the_journal(
    node: Node, using: str
) -> None:
    node.store(1, 2)
    backup = Backup(using)
    node.store(3, 4)
    cursor = begin(NOW, using)
    backup.restore()
    assert read(cursor, 10, using).events == []
    node.log(5)
    node.flush()
    assign([node], 1)  # what the reader has seen already
    assert read(cursor, 10, using).events == []
    assign([node], 9)
    assert all_behind(cursor, using)[0] == ["signal-5"]


@both_databases
def test_a_cursor_of_a_node_that_the_database_lacks_keeps_what_was_seen_of_it(
    node: Node, other: Node, using: str
) -> None:
    backup = Backup(using)
    node.store(1)
    other.store(2)
    cursor = begin(NOW, using)
    backup.restore()
    node.store(3)
    found, cursor = all_behind(cursor, using)
    assert found == ["signal-3"]
    other.store(4)  # only now its lines get their indexes again
    assert all_behind(cursor, using)[0] == ["signal-4"]


@both_databases
def test_thousands_of_lines_without_a_row_are_passed_in_bounded_steps(
    node: Node, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.feed.reading.MOST_RUNS", 2)
    node.store(1)
    for _ in range(5):
        node.journal.append([b"x"])
        node.store()
    node.store(2)
    assert everything(using) == ["signal-1", "signal-2"]
