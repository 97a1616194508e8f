"""From the journal into the database: every signal once, nothing lost, nothing in the way."""

import asyncio
import logging
import multiprocessing
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connections, transaction
from django.db.models import Model

from argo.errors import Conflict
from signals.flush import Flusher, FlushResult
from signals.hashing import Hashed, sha256_of
from signals.journal import START, Journal, Position
from signals.models import DeadLetter, JournalCursor, OutcomeChange, Signal, SignalContext
from signals.outcomes import AlreadyEnded, profit_loss_pct, record_outcome
from signals.records import encode
from signals.store import StoredSignal
from signals.tracker import NotStoredYet, SignalConflict, SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal, signals

pytestmark = both_databases

PATIENCE = 120.0
NOW = datetime(2025, 1, 16, 12, 0, tzinfo=UTC)
fork = multiprocessing.get_context("fork")


def line_of(**changes: Any) -> bytes:  # noqa: ANN401
    """The journal line of a valid signal, with these fields changed before it was hashed."""
    return encode(a_signal(**changes), NOW, "python")[1]


def forged(**changes: Any) -> bytes:  # noqa: ANN401
    """A line that no tracker would write, with a hash that holds."""
    fields = orjson.loads(line_of()) | changes
    hashed = Hashed(*(fields[name] for name in Hashed._fields))
    fields["sha256"] = sha256_of(hashed, fields["signal_id"])
    return orjson.dumps(fields)


def altered(**changes: Any) -> bytes:  # noqa: ANN401
    """A line that somebody changed after it was journaled; `...` takes a field away."""
    fields = orjson.loads(line_of()) | changes
    return orjson.dumps({name: value for name, value in fields.items() if value is not ...})


def values(model: type[Model], using: str, *left_out: str) -> list[dict[str, Any]]:
    """All rows, in order, without these columns."""
    rows = model._default_manager.using(using).order_by("pk").values()
    return [{name: row[name] for name in row.keys() - left_out} for row in rows]


def execute(using: str, sql: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql)


def letters(using: str) -> list[tuple[str, bytes]]:
    """Kind and payload of every dead letter."""
    found = DeadLetter.objects.using(using).order_by("id")
    return [(letter.kind, bytes(letter.payload)) for letter in found]


def position(using: str) -> Position:
    cursor = JournalCursor.objects.using(using).get()
    return Position(cursor.segment, cursor.byte, cursor.fingerprint)


def move_cursor(using: str, to: Position) -> None:
    assert JournalCursor.objects.using(using).update(**to._asdict()) == 1


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@pytest.fixture
def flusher(journal: Journal, using: str) -> Flusher:
    return Flusher(journal, using=using)


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
        """Whether it was called once for every row there is."""
        stored = Signal.objects.using(self.using).order_by("id")
        return self.rows() == list(stored.values_list("id", "signal_id"))


@pytest.fixture
def handled(using: str) -> Iterator[Handled]:
    execute(using, "CREATE TABLE handled (id bigint, signal_id text)")
    yield Handled(using)
    execute(using, "DROP TABLE handled")


# --- The cursor and the rows -----------------------------------------------------------------
def test_the_cursor_moves_with_the_rows(journal: Journal, flusher: Flusher, using: str) -> None:
    journal.append([line_of() for _ in range(5)])
    assert flusher.flush() == FlushResult(stored=5)
    assert position(using)[:2] == journal.end()
    assert [context.byte for context in SignalContext.objects.using(using).order_by("pk")] == [
        line.offset.byte for chunk in journal.chunks() for line in chunk.lines
    ]
    assert flusher.flush() == FlushResult()


def test_nothing_moves_when_the_rows_do_not_commit(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([line_of()])
    with transaction.atomic(using=using):
        flusher.flush()
        transaction.set_rollback(True, using=using)
    assert Signal.objects.using(using).count() == 0
    assert flusher.flush() == FlushResult(stored=1)


def test_a_flush_drains_many_batches(journal: Journal, using: str) -> None:
    lines = [line_of() for _ in range(25)]
    journal.append(lines)
    flusher = Flusher(journal, using=using, max_lines=10)
    assert [batch.stored for batch in flusher.batches()] == [10, 10, 5]
    stored = Signal.objects.using(using).order_by("id").values_list("signal_id", flat=True)
    assert list(stored) == [orjson.loads(line)["signal_id"] for line in lines]


def test_the_same_signal_is_stored_once(journal: Journal, flusher: Flusher, using: str) -> None:
    one, two = line_of(), line_of()
    journal.append([one, two, one])
    assert flusher.flush() == FlushResult(stored=2, duplicates=1)
    journal.append([b"", two, b""])
    assert flusher.flush() == FlushResult(duplicates=1)
    assert Signal.objects.using(using).count() == 2
    assert letters(using) == []


def test_another_signal_under_a_stored_id_is_a_conflict(
    tracker: SignalTracker, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker.log_signal(a_signal(signal_id="own"))
    before = values(Signal, using)
    with pytest.raises(SignalConflict, match="own is stored with the hash"):
        tracker.log_signal(a_signal(signal_id="own"))

    assert values(Signal, using) == before
    assert [kind for kind, _ in letters(using)] == ["conflict"]
    assert "Dead letter (conflict)" in errors(caplog)[0]
    assert tracker.flush() == FlushResult()


def test_two_signals_under_one_id_in_one_batch_are_a_conflict(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    first, second = line_of(signal_id="own"), line_of(signal_id="own")
    journal.append([first, second, line_of()])
    assert flusher.flush() == FlushResult(stored=2, dead=1)
    assert letters(using) == [("conflict", second)]
    assert Signal.objects.using(using).get(signal_id="own").sha256 == orjson.loads(first)["sha256"]


# --- Lines that are no signals ---------------------------------------------------------------
DEEP: Any = orjson.loads("[" * 300 + "]" * 300)
NOTHING = {"outcome": None, "exit_price": None, "profit_loss_pct": None, "order_id": None}
BAD_CHANGE = {"id": "c1", "who": "me", "why": "so", "before": NOTHING, "after": NOTHING}
GARBAGE: dict[str, Callable[[], bytes]] = {
    "noise": lambda: b"\xff\x00 what is this",
    "a megabyte": lambda: random.Random(1).randbytes(2**20).replace(b"\n", b" "),
    "half a line": lambda: line_of()[:-20],
    "a list": lambda: b"[1, 2]",
    "a number": lambda: b"17",
    "an empty object": lambda: b"{}",
    "a field missing": lambda: altered(symbol=...),
    "a price as text": lambda: altered(entry_price="150.5"),
    "a price without fraction": lambda: altered(entry_price=150),
    "a number as id": lambda: altered(signal_id=7),
    "altered": lambda: altered(stop_price=1.0),
    "the hash altered": lambda: altered(sha256="0" * 64),
    "a text column of another type": lambda: forged(data_source={"a": 1}),
    "a context of another type": lambda: forged(regime=5),
    "a count of another type": lambda: forged(sources=True),
    "a number of another type": lambda: forged(agreement="much"),
    "a number too large": lambda: forged(sources=2**63),
    "an id too long to index": lambda: forged(signal_id=random.Random(2).randbytes(3000).hex()),
    "votes too deep": lambda: b'{"votes":' + b"[" * 300 + b"]" * 300 + b"," + forged()[1:],
    "a change that is none": lambda: altered(change="win"),
    "a change without a before": lambda: altered(change=BAD_CHANGE | {"before": {}}),
    "a change of nothing stored": lambda: altered(change=BAD_CHANGE),
}


def test_garbage_becomes_a_dead_letter_and_stops_nothing(
    journal: Journal, flusher: Flusher, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {name: make() for name, make in GARBAGE.items()}
    assert flush_between_good(journal, flusher, bad) == dict.fromkeys(bad, (2, 1))
    assert [payload for _, payload in letters(using)] == list(bad.values())
    assert position(using)[:2] == journal.end()
    assert len(errors(caplog)) == len(bad)


def flush_between_good(
    journal: Journal, flusher: Flusher, bad: dict[str, bytes]
) -> dict[str, tuple[int, int]]:
    """Flush each bad line between two good ones; how many were stored, and how many dead."""
    results = {}
    for name, line in bad.items():
        journal.append([line_of(), line, line_of()])
        result = flusher.flush()
        results[name] = (result.stored, result.dead)
    return results


CHANGES: dict[str, dict[str, Any]] = {
    "a price as text": {"after": NOTHING | {"exit_price": "much"}},
    "a price as list": {"after": NOTHING | {"exit_price": [1]}},
    "nobody": {"who": None},
    "no id": {"id": None},
    "a state it is not in": {"before": NOTHING | {"outcome": "win"}},
}


def test_a_change_that_cannot_be_made_becomes_a_dead_letter_and_stops_nothing(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([line_of(signal_id="own")])
    flusher.flush()
    fields = {"signal_id": "own", "sha256": "0", "received_at": "now", "origin": "outcome"}
    bad = {
        name: orjson.dumps(fields | {"change": BAD_CHANGE | change})
        for name, change in CHANGES.items()
    }
    assert flush_between_good(journal, flusher, bad) == dict.fromkeys(bad, (2, 1))
    assert letters(using) == [("change", line) for line in bad.values()]
    assert OutcomeChange.objects.using(using).count() == 0


def test_a_nul_character_stops_neither_database(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    """PostgreSQL keeps none in a text; SQLite does."""
    change = altered(signal_id="a\0b", change=BAD_CHANGE | {"id": "c\0"})
    journal.append([forged(signal_id="a\0b"), forged(strategy="a\0b"), change, line_of()])
    result = flusher.flush()
    assert (result.lines, position(using)[:2]) == (4, journal.end())
    assert result.stored == (1 if using == "postgresql" else 3)


def test_replayed_garbage_makes_no_second_dead_letter(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([b"garbage", altered(stop_price=1.0), line_of()])
    flusher.flush()
    before = values(DeadLetter, using)
    move_cursor(using, START)
    assert flusher.flush() == FlushResult(duplicates=1, dead=2)
    assert values(DeadLetter, using) == before


# --- Rows that the database refuses ----------------------------------------------------------
REFUSE = {
    "default": "CREATE TRIGGER refuse BEFORE INSERT ON signals WHEN NEW.symbol = 'NO' "
    "BEGIN SELECT RAISE(ABORT, 'not this one'); END",
    "postgresql": "ALTER TABLE signals ADD CONSTRAINT refuse CHECK (symbol <> 'NO')",
}
ALLOW = {
    "default": "DROP TRIGGER refuse",
    "postgresql": "ALTER TABLE signals DROP CONSTRAINT refuse",
}


@pytest.fixture
def refusing(using: str) -> Iterator[None]:
    """A database that takes no symbol NO."""
    execute(using, REFUSE[using])
    yield
    execute(using, ALLOW[using])


@pytest.mark.usefixtures("refusing")
def test_a_row_that_the_database_refuses_is_a_dead_letter_alone(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    """Faults 2 and 3: it is neither dropped nor taken for one that is there already."""
    refused = line_of(symbol="NO")
    journal.append([line_of(), refused, b"garbage", line_of()])
    assert flusher.flush() == FlushResult(stored=2, dead=2)
    assert sorted(letters(using)) == [("line", b"garbage"), ("refused", refused)]
    assert Signal.objects.using(using).filter(symbol="NO").count() == 0


# --- Stored handlers -------------------------------------------------------------------------
def test_handlers_get_the_new_signals_in_order_inside_the_transaction(
    journal: Journal, using: str
) -> None:
    calls: list[tuple[str, list[str], bool]] = []

    def handler(name: str, stored: Sequence[StoredSignal]) -> None:
        ids = [signal.signal_id for signal in stored]
        assert Signal.objects.using(using).filter(id__in=[s.id for s in stored]).count() == len(ids)
        calls.append((name, ids, connections[using].in_atomic_block))

    handlers = [partial(handler, "first"), partial(handler, "second")]
    flusher = Flusher(journal, using=using, handlers=handlers)
    lines = [line_of() for _ in range(3)]
    ids = [orjson.loads(line)["signal_id"] for line in lines]
    journal.append([lines[0], b"garbage", lines[1]])
    flusher.flush()
    journal.append(lines)
    flusher.flush()
    journal.append(lines)
    flusher.flush()
    new = [ids[:2], ids[2:]]
    assert calls == [(name, some, True) for some in new for name in ("first", "second")]


def test_a_handler_gets_row_id_origin_and_every_field(journal: Journal, using: str) -> None:
    got: list[StoredSignal] = []
    journal.append([line_of(regime="bull", mine={"a": 1})])
    Flusher(journal, using=using, handlers=[got.extend]).flush()
    row = Signal.objects.using(using).get()
    assert [(signal.id, signal.signal_id, signal.origin) for signal in got] == [
        (row.id, row.signal_id, "python")
    ]
    assert (got[0].fields["regime"], got[0].fields["mine"]) == ("bull", {"a": 1})


def test_a_handler_that_fails_rolls_everything_back_and_nothing_is_lost(
    journal: Journal, using: str, handled: Handled
) -> None:
    def fail(_: Sequence[StoredSignal]) -> None:
        raise ZeroDivisionError

    journal.append([line_of(), b"garbage", line_of()])
    with pytest.raises(ZeroDivisionError):
        Flusher(journal, using=using, handlers=[handled, fail]).flush()
    assert (Signal.objects.using(using).count(), letters(using), handled.rows()) == (0, [], [])
    tracker = SignalTracker(
        journal, Flusher(journal, using=using, handlers=[fail]), origin="python"
    )
    with pytest.raises(NotStoredYet, match="safe in the journal"):
        tracker.log_signal(a_signal())

    flusher = Flusher(journal, using=using, handlers=[handled])
    assert flusher.flush() == FlushResult(stored=3, dead=1)
    assert handled.each_once()


# --- Several at once -------------------------------------------------------------------------
def in_threads(using: str, *acts: Callable[[], object]) -> list[Any]:
    """Run each on a thread with a connection of its own; what they answer or raise."""
    answers: list[Any] = []

    def run(act: Callable[[], object]) -> None:
        try:
            answers.append(act())
        except Exception as error:  # noqa: BLE001  # an answer too
            answers.append(error)
        finally:
            connections[using].close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return answers


def in_processes(*acts: Callable[[], object]) -> None:
    """Run each in a process of its own, forked from this one; all must end well."""
    connections.close_all()
    children = [fork.Process(target=act) for act in acts]
    for child in children:
        child.start()
    for child in children:
        child.join(PATIENCE)
    codes = [child.exitcode for child in children]
    for child in children:
        child.kill()
    assert codes == [0] * len(acts)


def test_flushing_threads_store_each_signal_once(
    journal: Journal, using: str, handled: Handled
) -> None:
    journal.append([line_of() for _ in range(400)] + [b"garbage"])
    flusher = Flusher(journal, using=using, handlers=[handled], max_lines=20)
    results: list[FlushResult] = in_threads(using, *[flusher.flush] * 4)
    assert sum(results, FlushResult()) == FlushResult(stored=400, dead=1)
    assert handled.each_once()
    assert len(letters(using)) == 1


def test_flushing_processes_store_each_signal_once_while_others_write(
    journal: Journal, using: str, handled: Handled
) -> None:
    """Two journals, as of two machines, that hold the same signals among others."""
    same = [line_of() for _ in range(150)]
    own = [[line_of() for _ in range(100)] for _ in range(2)]
    journals = [journal, Journal(journal.path.with_name("other.log"))]
    written = [fork.Event(), fork.Event()]

    def write(number: int) -> None:
        lines = same + own[number]
        random.Random(number).shuffle(lines)
        for start in range(0, len(lines), 10):
            journals[number].append(lines[start : start + 10])
        written[number].set()

    def flush(number: int) -> None:
        flusher = Flusher(journals[number], using=using, handlers=[handled], max_lines=30)
        while not all(each.is_set() for each in written):
            flusher.flush()
        flusher.flush()

    in_processes(*(partial(act, number) for act in (write, flush, flush) for number in (0, 1)))
    ids = {orjson.loads(line)["signal_id"] for line in same + own[0] + own[1]}
    assert handled.each_once()
    assert {signal_id for _, signal_id in handled.rows()} == ids
    assert SignalContext.objects.using(using).count() == len(ids) == 350
    assert letters(using) == []


@pytest.mark.parametrize("same", [True, False])
def test_a_signal_that_another_machine_is_just_storing_is_waited_for(
    journal: Journal, using: str, same: bool
) -> None:
    """The lookup does not see it yet; only the insert meets it."""
    lines = [line_of(signal_id="own"), line_of(signal_id="own")]
    other = Journal(journal.path.with_name("other.log"))
    journal.append([line_of(), lines[0]])
    other.append([line_of(), lines[not same]])
    stored, flushing = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic(using=using):
            Flusher(journal, using=using).flush()
            stored.set()
            assert flushing.wait(PATIENCE)
            time.sleep(0.2)  # let the other come as far as it can

    def second() -> FlushResult:
        assert stored.wait(PATIENCE)
        flushing.set()
        return Flusher(other, using=using).flush()

    result = FlushResult(stored=1, duplicates=1) if same else FlushResult(stored=1, dead=1)
    assert set(in_threads(using, first, second)) == {None, result}
    assert letters(using) == ([] if same else [("conflict", lines[1])])
    stored_hash = Signal.objects.using(using).get(signal_id="own").sha256
    assert stored_hash == orjson.loads(lines[0])["sha256"]


LOCK = {
    "default": "SELECT 1",  # every transaction begins IMMEDIATE: it has the write lock already
    "postgresql": "LOCK TABLE journal_cursors IN ACCESS EXCLUSIVE MODE",
}


def test_a_locked_database_is_waited_for_and_delays_nobody_who_is_not(
    tracker: SignalTracker, using: str
) -> None:
    locked, done, flushed = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(using=using):
            execute(using, LOCK[using])
            locked.set()
            assert done.wait(PATIENCE)

    def flush() -> FlushResult:
        assert locked.wait(PATIENCE)
        try:
            return tracker.flush()
        finally:
            flushed.set()

    def log() -> None:
        assert locked.wait(PATIENCE)
        for _ in range(10):
            asyncio.run(tracker.log_signal_async(a_signal()))
        flushed.wait(1.5)
        assert not flushed.is_set()
        done.set()

    answers = in_threads(using, hold, flush, log)
    tracker.flush()
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert Signal.objects.using(using).count() == 10


# --- Older databases and lost journals -------------------------------------------------------
def test_the_journal_fills_what_an_older_database_lacks(
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


def test_the_journal_fills_what_an_older_copy_of_the_file_lacks(
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
    """As a person does it: stop, copy, start."""
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


# --- Outcome changes -------------------------------------------------------------------------
def record(tracker_journal: Journal, using: str, signal_id: str, **fields: Any) -> Any:  # noqa: ANN401
    defaults = {"outcome": "win", "exit_price": 160.0, "who": "me", "why": "it is so"}
    given: dict[str, Any] = defaults | fields
    return record_outcome(signal_id, now=NOW, journal=tracker_journal, using=using, **given)


def wipe(using: str) -> None:
    """An empty database, as `rebuild_signals` begins with."""
    for table in (
        "outcome_changes",
        "signal_contexts",
        "dead_letters",
        "signals",
        "journal_cursors",
    ):
        execute(using, f"DELETE FROM {table}")


def everything(using: str) -> list[list[dict[str, Any]]]:
    """What a rebuild must bring back, without the numbers that a database gives out."""
    with_ids = {row.pk: row.signal_id for row in Signal.objects.using(using)}
    contexts = values(SignalContext, using, "journal_id")
    changes = values(OutcomeChange, using, "id", "journal_id")
    for row in contexts + changes:
        row["signal_id"] = with_ids[row["signal_id"]]
    return [values(Signal, using, "id"), contexts, changes]


@pytest.fixture
def history(tracker: SignalTracker, journal: Journal, using: str) -> list[str]:
    """Signals with outcomes, corrected outcomes, and none."""
    batch = [*signals(4), a_signal(votes=[{"a": 0.1}], regime="bull", mine={"b": [None, "ü"]})]
    ids = tracker.log_signals(batch)
    record(journal, using, ids[0])
    record(journal, using, ids[1], outcome="loss", exit_price=1 / 3)
    record(journal, using, ids[1], outcome="expired", exit_price=None)
    record(journal, using, ids[2], outcome="breakeven", exit_price=150.5)
    tracker.flush()
    return ids


@pytest.mark.usefixtures("history")
def test_the_journal_alone_makes_equal_rows_in_an_empty_database(
    flusher: Flusher, using: str
) -> None:
    before = everything(using)
    assert [len(rows) for rows in before] == [5, 5, 4]
    wipe(using)
    assert flusher.flush() == FlushResult(stored=5, changes=4)
    assert everything(using) == before


@pytest.mark.services("postgresql")
@pytest.mark.usefixtures("history")
def test_the_journal_alone_makes_equal_rows_in_the_other_database(
    journal: Journal, using: str
) -> None:
    other = "postgresql" if using == "default" else "default"
    Flusher(journal, using=other).flush()
    assert everything(other) == everything(using)


@pytest.mark.usefixtures("history")
def test_replayed_changes_change_nothing(flusher: Flusher, using: str) -> None:
    before = everything(using)
    move_cursor(using, START)
    assert flusher.flush() == FlushResult(duplicates=5, changes=4)
    assert everything(using) == before


def test_a_change_whose_transaction_never_committed_is_made_by_the_flush(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    with transaction.atomic(using=using):
        record(journal, using, signal_id)
        transaction.set_rollback(True, using=using)
    assert Signal.objects.using(using).get().outcome is None

    assert tracker.flush() == FlushResult(changes=1)
    signal = Signal.objects.using(using).get()
    assert (signal.outcome, signal.exit_price) == ("win", 160.0)
    assert OutcomeChange.objects.using(using).get().why == "it is so"


def test_a_flush_that_meets_a_change_before_it_commits_waits_for_it(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    journaled, flushing = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic(using=using):
            record(journal, using, signal_id)
            journaled.set()
            assert flushing.wait(PATIENCE)
            time.sleep(0.3)  # let it come as far as it can

    def flush() -> None:
        assert journaled.wait(PATIENCE)
        flushing.set()
        tracker.flush()

    assert in_threads(using, change, flush) == [None, None]
    assert letters(using) == []
    assert OutcomeChange.objects.using(using).count() == 1


def test_only_if_open_lets_one_of_many_record_the_outcome(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    """Fault 43: an expiry overwrote a win."""
    signal_id = tracker.log_signal(a_signal())
    exits = [("win", 160.0), ("loss", 140.0), ("expired", None), ("expired", 151.0)]
    acts = [
        partial(record, journal, using, signal_id, outcome=o, exit_price=p, only_if_open=True)
        for o, p in exits
    ]
    answers = in_threads(using, *acts)
    assert [type(answer) for answer in answers].count(AlreadyEnded) == 3
    assert issubclass(AlreadyEnded, Conflict)
    winner = next(answer for answer in answers if isinstance(answer, OutcomeChange))
    assert Signal.objects.using(using).get().outcome == winner.after["outcome"]
    tracker.flush()
    assert (OutcomeChange.objects.using(using).count(), letters(using)) == (1, [])


def test_an_expiry_never_overwrites_a_win(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    record(journal, using, signal_id)
    with pytest.raises(AlreadyEnded):
        record(journal, using, signal_id, outcome="expired", exit_price=None, only_if_open=True)
    assert Signal.objects.using(using).get().outcome == "win"


def test_profit_is_the_seeds_formula_and_stored_unrounded(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    cases = [("BUY", 160.0, 950 / 150.5), ("BUY", 1 / 3, -15016.666666666666 / 150.5)]
    cases += [("SELL", 160.0, -950 / 150.5), ("SELL", 1 / 3, 15016.666666666666 / 150.5)]
    for action, price, percent in cases:
        levels = (158.0, 146.0) if action == "BUY" else (146.0, 158.0)
        signal = a_signal(action=action, target_price=levels[0], stop_price=levels[1])
        signal_id = tracker.log_signal(signal)
        outcome = "win" if percent > 0 else "loss"
        record(journal, using, signal_id, outcome=outcome, exit_price=price)
        stored = Signal.objects.using(using).get(signal_id=signal_id).profit_loss_pct
        assert stored == profit_loss_pct(action, 150.5, price) == pytest.approx(percent, rel=1e-14)
    assert profit_loss_pct("BUY", 150.5, None) is None
