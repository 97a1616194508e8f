"""What is drained by COPY, or in a pipeline, compared with the same drained by statements."""

import sys
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, connections, transaction

from signals import inserting
from signals.journal import Journal
from signals.ledger import batches
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.store import StoredSignal
from signals.models import DeadLetter, Signal, SignalContext
from signals.rows import insert_missing
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import execute, forged, letters, line_of, values

pytestmark = [pytest.mark.services("postgresql"), both_databases]
USING = "postgresql"
MANY = 60
HOSTILE_TEXTS = (
    "", "\\N", "\\.", "\\", "\\\\x41", "a\tb\nc\rd", "\v\f\b", "'; DROP TABLE signals; --", '"{}"',
    "%s %(x)s", "\u2028\u202e", "\U0001f600", "e\u0301", "\x7f\x01", "NULL", "a\0b", "\0",
)  # fmt: skip
HOSTILE_FIELDS: tuple[dict[str, Any], ...] = (
    *({"reasoning": text, "data_source": text, "symbol_as_sent": text} for text in HOSTILE_TEXTS),
    *({"votes": [{text: text}], "note": {text: [text]}} for text in HOSTILE_TEXTS),
    *({"strategy": text, "regime": text, "order_id": text} for text in HOSTILE_TEXTS),
    *({"entry_price": price} for price in (-0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e22)),
    *({"exit_price": price, "profit_loss_pct": price} for price in (1, -7, 2**53 + 1, 2**63, None)),
    *({"sources": number} for number in (-1, 2**31 - 1, 2**31, -(2**31) - 1, 2**32 + 5, 2**63)),
    *({"agreement": number} for number in (0, 1, 2**60, -0.0, 1e-320)),
    {"raw_confidence": 81, "calibration_version": 2**31 - 1},
    {"votes": {"number": 10**19}, "extra": None},
    {"created_at": "\\N"}, {"outcome": "\t"}, {"symbol": "\\N"}, {"action": "x" * 10_000},
    {"symbol": "a\0b"}, {"signal_id": "a\0b"}, {"signal_id": "\\."},
)  # fmt: skip
"""Signals that are hard to spell, out of range, or refused by the server."""


@pytest.fixture(autouse=True)
def no_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small batches take the way of large ones."""
    monkeypatch.setattr(batches, "FEW", 0)


@pytest.fixture
def flusher(journal: Journal) -> Flusher:
    return Flusher(journal, using=USING)


def by_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "FEW", 0)
    monkeypatch.setattr(inserting, "FEWEST", sys.maxsize)


def stored(journal: Journal) -> tuple[FlushResult, list[Any], list[Any], list[Any]]:
    """Flush; return the result and all rows, without what a clock and a sequence have given."""
    result = Flusher(journal, using=USING).flush()
    return (
        result,
        values(Signal, USING, "id"),
        values(SignalContext, USING, "signal_id", "journal_id", "stored_at"),
        values(DeadLetter, USING, "id", "journal_id", "at", "created_at"),
    )


def start_over() -> None:
    execute(USING, "TRUNCATE signals, signal_contexts, dead_letters, journal_cursors CASCADE")


@pytest.mark.parametrize("few", [0, 2 * MANY], ids=["copy", "pipeline"])
@pytest.mark.parametrize("step", range(0, len(HOSTILE_FIELDS), 6))
def test_each_way_stores_and_refuses_what_statements_do(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, step: int, few: int
) -> None:
    """Each batch has good signals and some hostile ones: one that is refused must be alone."""
    monkeypatch.setattr(batches, "FEW", few)
    hostile = [forged(**fields) for fields in HOSTILE_FIELDS[step : step + 6]]
    good = [line_of() for _ in range(MANY)]
    journal.append([*good[:30], *hostile, *good[30:]])
    new = stored(journal)
    start_over()
    by_statements(monkeypatch)
    assert new == stored(journal)
    assert new[0].lines == MANY + len(hostile)


def test_one_hostile_signal_in_a_batch_is_stored_by_copy_itself(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the comparison above is not only one of the way back to statements."""
    fit = [
        fields for fields in HOSTILE_FIELDS
        if "\\u0000" not in orjson.dumps(fields).decode() and "sources" not in fields
    ]  # fmt: skip
    journal.append([*(forged(**fields) for fields in fit), *(line_of() for _ in range(MANY))])
    monkeypatch.setattr(
        inserting, "insert_new", lambda *given, **named: pytest.fail("by statement")
    )
    new = stored(journal)
    assert new[0] == FlushResult(stored=MANY + len(fit))
    monkeypatch.undo()
    start_over()
    by_statements(monkeypatch)
    assert new == stored(journal)


def test_a_batch_with_signals_that_are_stored_already_stores_the_others_once(
    journal: Journal, flusher: Flusher
) -> None:
    first, second = ([line_of() for _ in range(MANY)] for _ in range(2))
    journal.append(first)
    assert flusher.flush() == FlushResult(stored=MANY)
    journal.append([*second[:30], *first[:5], *second[30:], second[0]])
    assert flusher.flush() == FlushResult(stored=MANY, duplicates=6)
    found = Signal.objects.using(USING).order_by("id").values_list("signal_id", flat=True)
    assert list(found) == [orjson.loads(line)["signal_id"] for line in first + second]
    assert letters(USING) == []


def test_the_ids_of_a_batch_are_those_of_its_rows(journal: Journal) -> None:
    """Handlers get the keys, and contexts are stored under them, without asking the database."""
    seen: list[StoredSignal] = []
    journal.append([line_of() for _ in range(MANY)])
    Flusher(journal, using=USING, handlers=[seen.extend]).flush()
    found = Signal.objects.using(USING).order_by("id").values_list("id", "signal_id")
    assert [(signal.id, signal.signal_id) for signal in seen] == list(found)
    contexts = SignalContext.objects.using(USING).order_by("byte").values_list("pk", flat=True)
    assert list(contexts) == [pk for pk, _ in found]


def test_the_table_is_locked_before_ids_are_taken() -> None:
    """`wait_for_writers` relies on it: an id below a visible one belongs to a writer it sees."""
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:  # noqa: ANN401
        statements.append(sql)
        return execute(sql, *rest)

    rows = [(f"signal {number}",) for number in range(MANY)]
    with (
        connections[USING].execute_wrapper(note),
        pytest.raises(IntegrityError, match="null value"),
        transaction.atomic(using=USING),
    ):
        inserting.insert_fresh(USING, "signals", ["signal_id"], rows, key="signal_id")
    locked = next(i for i, sql in enumerate(statements) if sql.startswith("LOCK TABLE signals"))
    assert locked < next(i for i, sql in enumerate(statements) if "nextval" in sql)


def test_keys_with_gaps_get_their_rows_in_one_statement(journal: Journal, flusher: Flusher) -> None:
    """Nodes that drain at the same time have such keys."""
    journal.append([line_of() for _ in range(MANY)])
    flusher.flush()
    ids = list(Signal.objects.using(USING).order_by("id").values_list("id", flat=True))[::2]
    now = "2026-01-05T12:00:00Z"
    with connections[USING].cursor() as cursor:
        insert_missing([*ids, ids[0]], "deliveries", {"due_at": now, "queued_at": now}, using=USING)
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM deliveries")
        assert cursor.fetchone()[0] == ids
