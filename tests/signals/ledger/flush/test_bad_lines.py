"""An invalid line, or one that the database refuses, is a dead letter; the rest is stored."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from signals.journal import START, Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.models import DeadLetter, OutcomeChange, Signal
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import (
    altered,
    errors,
    execute,
    forged,
    letters,
    line_of,
    move_cursor,
    position,
    values,
)

pytestmark = both_databases


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
    "a change that is not one": lambda: altered(change="win"),
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
    """Flush each bad line between two good ones; return the counts of stored and dead lines."""
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
    """PostgreSQL stores none in a text; SQLite does."""
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
    """The database refuses the symbol NO."""
    execute(using, REFUSE[using])
    yield
    execute(using, ALLOW[using])


@pytest.mark.usefixtures("refusing")
def test_a_row_that_the_database_refuses_is_the_only_dead_letter(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    """Faults 2 and 3: it was dropped, or counted as stored already."""
    refused = line_of(symbol="NO")
    journal.append([line_of(), refused, b"garbage", line_of()])
    assert flusher.flush() == FlushResult(stored=2, dead=2)
    assert sorted(letters(using)) == [("line", b"garbage"), ("refused", refused)]
    assert Signal.objects.using(using).filter(symbol="NO").count() == 0
