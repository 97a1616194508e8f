"""Several nodes store in one database: a signal that two of them received is no tampering."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from signals.verification import verify, verify_one
from tests.databases import both_databases
from tests.samples import a_signal, signals

pytestmark = both_databases


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "other" / "signals.log")) as journal:
        yield journal


def _accept(journal: Journal, using: str, *sent: dict[str, Any]) -> list[str]:
    """Write the signals into the journal, and flush it."""
    tracker = SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="api")
    ids = [receipt.signal_id for receipt in tracker.accept(sent)]
    tracker.flush()
    return ids


def _found(journal: Journal, using: str) -> set[tuple[str, str]]:
    return {(str(kind), name) for kind, name, _ in verify(journal, using=using).findings}


def _alter(using: str, column: str, value: str, signal_id: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"UPDATE signals SET {column} = %s WHERE signal_id = %s",
            [value, signal_id],
        )


def test_the_same_signals_of_two_nodes_are_no_finding_on_either(
    journal: Journal, other: Journal, using: str
) -> None:
    sent = signals(20)
    _accept(journal, using, *sent[:12])
    ids = _accept(other, using, *sent)
    _accept(journal, using, *sent[12:])
    assert _found(journal, using) == _found(other, using) == set()
    for each in (journal, other):
        assert [verify_one(each, signal_id, using=using) for signal_id in ids] == [[]] * 20


def test_what_the_hash_does_not_cover_may_differ_between_the_nodes(
    journal: Journal, other: Journal, using: str
) -> None:
    sent = a_signal()
    (one,) = _accept(journal, using, sent | {"regime": "BULL", "reasoning": "one"})
    assert _accept(other, using, sent | {"regime": "BEAR", "note": 1}) == [one]
    assert _found(journal, using) == _found(other, using) == set()


def test_a_line_that_waits_is_no_finding_whatever_its_hash(
    journal: Journal, other: Journal, using: str
) -> None:
    tracker = SignalTracker.with_parts(other, Flusher(other, using=using), origin="api")
    tracker.accept([a_signal(signal_id="same", strategy="two")])
    _accept(journal, using, a_signal(signal_id="same", strategy="one"))
    assert _found(other, using) == set()
    tracker.flush()
    assert _found(journal, using) == _found(other, using) == set()  # it is a dead letter


@pytest.mark.parametrize(("column", "value"), [("symbol", "MSFT"), ("asset_type", "x")])
def test_a_row_that_was_altered_is_found_by_the_node_that_stored_it(
    journal: Journal, other: Journal, using: str, column: str, value: str
) -> None:
    sent = signals(3)
    ids = _accept(journal, using, *sent)
    _accept(other, using, *sent)
    _alter(using, column, value, ids[1])
    assert _found(journal, using) == {("altered", ids[1])}


def test_a_row_with_a_forged_hash_is_missing_for_the_other_node(
    journal: Journal, other: Journal, using: str
) -> None:
    """Whoever alters a signal can make a hash that fits it; the lines of both nodes disagree."""
    sent = a_signal(signal_id="one", strategy="true")
    forged = Journal(other.path.with_name("forged.log"))
    with closing(forged):
        tracker = SignalTracker.with_parts(forged, Flusher(forged, using=using), origin="api")
        (receipt,) = tracker.accept([sent | {"strategy": "forged"}])
    (one,) = _accept(journal, using, sent)
    _accept(other, using, sent)
    _alter(using, "strategy", "forged", one)
    _alter(using, "sha256", receipt.sha256, one)
    assert ("altered", one) in _found(journal, using)
    assert ("missing", one) in _found(other, using)
