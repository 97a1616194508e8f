"""Verification finds what was altered, lost or inserted: database against journal, both ways."""

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connections

from signals.clock import utc_now
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_outcome
from signals.ledger.records import SIGNAL_COLUMNS
from signals.models import DeadLetter, JournalCursor, OutcomeChange, Signal, SignalContext
from signals.tracker import SignalTracker
from signals.verification import Verification, slices, verify, verify_one
from tests.databases import both_databases
from tests.samples import a_signal, signals
from tests.signals.ledger.flush.helpers import line_of

pytestmark = both_databases


def _found(journal: Journal, using: str) -> list[tuple[str, str]]:
    return [(str(kind), signal_id) for kind, signal_id, _ in _verify(journal, using).findings]


def _verify(journal: Journal, using: str) -> Verification:
    return verify(journal, using=using)


def _end(signal_id: str, journal: Journal, using: str, **changes: Any) -> None:  # noqa: ANN401
    outcome = {"outcome": "win", "exit_price": 158.0, "who": "me", "why": "t", **changes}
    record_outcome(signal_id, now=utc_now(), journal=journal, using=using, **outcome)


def _alter(using: str, sql: str, *parameters: object) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, parameters)  # type: ignore[arg-type]


@pytest.fixture
def ids(tracker: SignalTracker) -> list[str]:
    kept = a_signal(note={"z": 1, "a": [1.5, None]}, votes=[{"source": "trend"}], regime="BULL")
    return tracker.log_signals([*signals(4), kept])


def test_an_unaltered_ledger_has_no_findings(ids: list[str], journal: Journal, using: str) -> None:
    result = _verify(journal, using)
    assert (result.rows, result.lines, result.findings) == (5, 5, [])


def test_an_empty_ledger_has_no_findings(journal: Journal, using: str) -> None:
    assert _verify(journal, using) == Verification()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("symbol", "MSFT"),
        ("entry_price", 150.50000000000003),
        ("strategy", "other"),
        ("timestamp", "2025-01-15T10:30:01Z"),
        ("sha256", "0" * 64),
        ("asset_type", "crypto"),
        ("data_source", None),
        ("outcome", "win"),
        ("exit_price", 1.0),
        ("order_id", "SIM_1"),
        ("created_at", "2020-01-01 00:00:00"),
    ],
)
def test_an_altered_column_is_named(
    ids: list[str], journal: Journal, using: str, column: str, value: object
) -> None:
    _alter(using, f"UPDATE signals SET {column} = %s WHERE signal_id = %s", value, ids[2])
    assert set(_found(journal, using)) >= {("altered", ids[2])}
    assert {signal_id for _, signal_id in _found(journal, using)} == {ids[2]}


@pytest.mark.parametrize(
    ("column", "value"),
    [("regime", "BEAR"), ("extra", '{"z": 2}'), ("origin", "api"), ("raw_confidence", 9.0)],
)
def test_an_altered_context_is_named(
    ids: list[str], journal: Journal, using: str, column: str, value: object
) -> None:
    row = SignalContext.objects.using(using).get(signal__signal_id=ids[4])
    _alter(using, f"UPDATE signal_contexts SET {column} = %s WHERE id = %s", value, row.pk)
    assert _found(journal, using) == [("altered", ids[4])]


def test_a_deleted_row_is_missing(ids: list[str], journal: Journal, using: str) -> None:
    row = Signal.objects.using(using).get(signal_id=ids[1]).pk
    _alter(using, "DELETE FROM signal_contexts WHERE id = %s", row)
    _alter(using, "DELETE FROM signals WHERE id = %s", row)
    assert _found(journal, using) == [("missing", ids[1])]


def test_an_inserted_row_is_unknown(ids: list[str], journal: Journal, using: str) -> None:
    columns = (
        "symbol, action, entry_price, target_price, stop_price, confidence, strategy, asset_type, "
        "data_source, timestamp, sha256, created_at"
    )
    _alter(
        using,
        f"INSERT INTO signals (signal_id, {columns}) SELECT 'forged', {columns} FROM signals "
        "WHERE signal_id = %s",
        ids[0],
    )
    assert ("unknown", "forged") in _found(journal, using)


def test_an_altered_journal_line_is_found(ids: list[str], journal: Journal, using: str) -> None:
    text = journal.path.read_bytes()
    journal.path.write_bytes(text.replace(b'"regime":"BULL"', b'"regime":"BEAR"'))
    assert _found(journal, using) == [("altered", ids[4])]


def test_a_broken_journal_line_is_found(ids: list[str], journal: Journal, using: str) -> None:
    lines = journal.path.read_bytes().splitlines(keepends=True)
    lines[2] = b"x" * (len(lines[2]) - 1) + b"\n"
    journal.path.write_bytes(b"".join(lines))
    assert _found(journal, using) == [("altered", ""), ("unknown", ids[2])]


def test_recorded_outcomes_are_not_findings(ids: list[str], journal: Journal, using: str) -> None:
    _end(ids[0], journal, using)
    _end(ids[0], journal, using, outcome="loss", exit_price=146.0)
    assert _found(journal, using) == []  # before a flush has read its journal line
    SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="t").flush()
    assert _found(journal, using) == []


def test_an_outcome_altered_without_a_change_is_found(
    ids: list[str], journal: Journal, using: str
) -> None:
    _end(ids[0], journal, using, outcome="loss", exit_price=146.0)
    _alter(using, "UPDATE signals SET outcome = 'win' WHERE signal_id = %s", ids[0])
    assert _found(journal, using) == [("altered", ids[0])]


def test_a_forged_outcome_change_is_found(ids: list[str], journal: Journal, using: str) -> None:
    _end(ids[0], journal, using, outcome="loss", exit_price=146.0)
    change = OutcomeChange.objects.using(using).get()
    change.pk, change.change_id, change.after = None, "forged", {**change.after, "outcome": "win"}
    change.save(using=using)
    _alter(using, "UPDATE signals SET outcome = 'win' WHERE signal_id = %s", ids[0])
    assert _found(journal, using) == [("unknown", ids[0])]


def test_an_edited_outcome_change_is_found(ids: list[str], journal: Journal, using: str) -> None:
    _end(ids[0], journal, using, outcome="loss", exit_price=146.0)
    change = OutcomeChange.objects.using(using).get()
    change.after = {**change.after, "outcome": "win"}
    change.save(using=using)
    _alter(using, "UPDATE signals SET outcome = 'win' WHERE signal_id = %s", ids[0])
    assert _found(journal, using) == [("altered", ids[0])]


def test_a_deleted_outcome_change_is_found(ids: list[str], journal: Journal, using: str) -> None:
    _end(ids[0], journal, using)
    SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="t").flush()
    OutcomeChange.objects.using(using).all().delete()
    kinds = {kind for kind, _ in _found(journal, using)}
    assert kinds == {"altered", "missing"}


def test_pending_lines_are_not_findings(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.accept(signals(3))
    result = _verify(journal, using)
    assert (result.pending, result.findings) == (3, [])


def test_dead_letters_are_not_findings(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.log_signal(a_signal(signal_id="same"))
    journal.append([line_of(signal_id="same"), b"garbage"])
    tracker.flush()
    assert DeadLetter.objects.using(using).count() == 2
    assert _found(journal, using) == []


def test_rows_of_another_journal_are_checked_by_their_hash_only(
    ids: list[str], journal: Journal, using: str
) -> None:
    other = JournalCursor.objects.using(using).create(journal="another machine's")
    SignalContext.objects.using(using).update(journal=other)
    journal.path.unlink()
    _alter(using, "UPDATE signals SET symbol = 'X' WHERE signal_id = %s", ids[3])
    result = _verify(journal, using)
    assert result.elsewhere == 5
    assert [finding.signal_id for finding in result.findings if finding.signal_id] == [ids[3]]


def test_lines_that_moved_within_the_journal_are_found(
    ids: list[str], journal: Journal, using: str
) -> None:
    """The journal was put back in another order, and read again from its start."""
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(reversed(lines)))
    Flusher(journal, using=using).flush()
    assert _found(journal, using) == []
    assert verify_one(journal, ids[0], using=using) == []
    _alter(using, "UPDATE signals SET asset_type = 'x' WHERE signal_id = %s", ids[0])
    assert _found(journal, using) == [("altered", ids[0])]
    assert [kind for kind, _, _ in verify_one(journal, ids[0], using=using)] == ["altered"]


def test_one_matching_line_of_a_signal_logged_twice_is_enough(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.log_signals([*signals(2), a_signal(regime="BULL"), a_signal(regime="BEAR")])
    first, second, bull, bear = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(bear + first + bull + second)
    assert _found(journal, using) == []


def test_rows_of_a_journal_that_lost_its_identity_are_still_compared(
    ids: list[str], journal: Journal, using: str
) -> None:
    journal.path.with_suffix(".id").unlink()
    renamed = Journal(journal.path)
    Flusher(renamed, using=using).flush()
    assert _found(renamed, using) == []
    _alter(using, "UPDATE signals SET asset_type = 'x' WHERE signal_id = %s", ids[0])
    assert _found(renamed, using) == [("altered", ids[0])]


@pytest.mark.parametrize("row_id", [-(2**63), -7, 0, 10**15])
def test_a_row_with_any_id_is_checked(
    ids: list[str], journal: Journal, using: str, row_id: int
) -> None:
    if using == "postgresql":
        row_id = max(-(2**31), min(row_id, 2**31 - 1))
    columns = ", ".join(SIGNAL_COLUMNS[1:])
    _alter(
        using,
        f"INSERT INTO signals (id, signal_id, {columns}) SELECT {row_id}, 'forged', {columns} "
        "FROM signals WHERE signal_id = %s",
        ids[0],
    )
    assert ("unknown", "forged") in _found(journal, using)


def test_a_line_that_is_no_longer_a_signal_is_named(
    ids: list[str], journal: Journal, using: str
) -> None:
    text = journal.path.read_bytes()
    journal.path.write_bytes(text.replace(b'"symbol"', b'"simbol"', 1))
    assert {signal_id for _, signal_id in _found(journal, using)} == {ids[0]}


@pytest.mark.parametrize("place", ["byte = -5", "byte = 'abc'", "segment = 1.5"])
def test_a_row_with_an_invalid_place_is_compared_with_its_line_elsewhere(
    ids: list[str], journal: Journal, using: str, place: str
) -> None:
    if using == "default" or "-5" in place:  # PostgreSQL stores no value of another type
        _alter(using, f"UPDATE signal_contexts SET {place}")
    _alter(using, "UPDATE signals SET asset_type = 'x' WHERE signal_id = %s", ids[1])
    assert _found(journal, using) == [("altered", ids[1])]


def test_a_dead_letter_is_known_even_if_its_line_moved(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.log_signals([*signals(2), a_signal(signal_id="same", strategy="one")])
    journal.append([line_of(signal_id="same", strategy="other")])
    tracker.flush()
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join([lines[3], *lines[:3]]))
    assert _found(journal, using) == []


def test_a_text_is_not_compared_as_json(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal(reasoning="5"))
    _alter(using, "UPDATE signal_contexts SET reasoning = '5.0'")
    assert _found(journal, using) == [("altered", signal_id)]


def test_several_processes_find_the_same_as_one(
    tracker: SignalTracker, journal: Journal, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ROWS", 20)
    ids = tracker.log_signals(signals(130))
    _alter(using, "UPDATE signals SET symbol = 'X' WHERE signal_id = %s", ids[77])
    by_one = verify(journal, using=using)
    together = verify(journal, using=using, processes=3)
    assert together == by_one
    assert (together.rows, {found.signal_id for found in together.findings}) == (130, {ids[77]})


@pytest.mark.parametrize(
    ("column", "value"),
    [("entry_price", "'abc'"), ("symbol", "X'00ff'"), ("symbol", "CAST(X'ff' AS TEXT)")],
)
def test_a_value_of_another_type_is_named(
    ids: list[str], journal: Journal, using: str, column: str, value: str
) -> None:
    refused = suppress(DatabaseError) if using == "postgresql" else nullcontext()
    with refused:  # PostgreSQL stores no value of another type
        _alter(using, f"UPDATE signals SET {column} = {value} WHERE signal_id = %s", ids[2])
        assert {signal_id for _, signal_id in _found(journal, using)} == {ids[2]}


def test_a_forged_change_of_another_journal_is_found_on_sqlite(
    ids: list[str], journal: Journal, using: str
) -> None:
    _end(ids[0], journal, using, outcome="loss", exit_price=146.0)
    change = OutcomeChange.objects.using(using).get()
    other = JournalCursor.objects.using(using).create(journal="another")
    forged = {**change.after, "outcome": "win"}
    change.pk, change.change_id, change.after, change.journal = None, "forged", forged, other
    change.save(using=using)
    _alter(using, "UPDATE signals SET outcome = 'win' WHERE signal_id = %s", ids[0])
    found = ("altered", ids[0]) in _found(journal, using)
    assert found == (using == "default")  # on PostgreSQL only the other machine can verify it


def test_a_dead_letter_with_other_content_excuses_no_missing_row(
    ids: list[str], journal: Journal, using: str
) -> None:
    context = SignalContext.objects.using(using).get(signal__signal_id=ids[1])
    row, place = context.pk, {"segment": context.segment, "byte": context.byte}
    _alter(using, "DELETE FROM signal_contexts WHERE id = %s", row)
    _alter(using, "DELETE FROM signals WHERE id = %s", row)
    cursor = JournalCursor.objects.using(using).get()
    letter = DeadLetter(
        journal=cursor, kind="line", payload=b"other", created_at=utc_now(), **place
    )
    letter.save(using=using)
    assert _found(journal, using) == [("missing", ids[1])]


def test_an_altered_second_line_of_a_signal_is_found(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal = a_signal(strategy="right")
    tracker.log_signals([signal])
    tracker.log_signals([signal])
    head, _, tail = journal.path.read_bytes().rpartition(b"right")
    journal.path.write_bytes(head + b"wrong" + tail)
    assert [kind for kind, _ in _found(journal, using)] == ["altered"]


def test_segments_sealed_during_the_check_are_not_findings(tmp_path: Path, using: str) -> None:
    journal = Journal(tmp_path / "signals.log", segment_bytes=4000)
    tracker = SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="t")
    tracker.log_signals(signals(50))
    turns = iter(range(5))

    def go_on(count: int) -> None:
        if next(turns, None) is not None:
            tracker.log_signals(signals(30))

    assert verify(journal, using=using, progress=go_on).findings == []
    journal.close()
