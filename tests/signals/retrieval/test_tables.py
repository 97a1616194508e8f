"""Signals as typed tables: every filter, every column, and rows that are odd."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from django.db import connection
from pydantic import ValidationError

from signals.models import Signal
from signals.retrieval import reading
from signals.retrieval.columns import SCHEMA
from signals.retrieval.tables import signal_batches, signal_table
from signals.timestamps import parse_utc
from tests.databases import DATABASES
from tests.signals.retrieval.conftest import Ledger, store_by_script

pytestmark = pytest.mark.django_db(databases=DATABASES)

PLAIN = ("signal_id", "symbol", "action", "entry_price", "target_price", "stop_price", "confidence",
         "strategy", "asset_type", "data_source", "outcome", "exit_price", "profit_loss_pct",
         "sha256", "order_id")  # fmt: skip
"""Columns that a table has as the ledger keeps them."""
OF_CONTEXT = ("origin", "regime", "reasoning", "sources", "agreement", "symbol_as_sent")


def _ids(**filters: Any) -> str:  # noqa: ANN401
    return "".join(signal_table(**filters)["signal_id"].to_pylist())


@pytest.fixture
def varied(ledger: Ledger) -> Ledger:
    """Four signals that differ in everything that a filter may ask for."""
    ledger.log("a", symbol="BTC-USD", asset_type="crypto", regime="BULL", confidence=90.0,
               timestamp="2025-01-15T10:00:00Z", votes=[{"s": "x", "b": 1, "a": 2}])  # fmt: skip
    ledger.log("b", symbol="BTC/USD", asset_type="crypto", strategy="mine", confidence=80.0,
               timestamp="2025-01-15T11:00:00Z", note={"z": 1, "y": [True]})  # fmt: skip
    ledger.log("c", origin="api", action="SELL", target_price=140.0, stop_price=155.0,
               confidence=70.0, timestamp="2025-01-15T11:00:00.500000Z", sources=5)  # fmt: skip
    ledger.bring_in("d", outcome="win", confidence=60.5, timestamp="2012-01-05 22:00:00")
    ledger.end("b", "loss", 146.0)
    return ledger


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "abcd"),
    ({"symbol": "btcusd"}, "ab"),
    ({"symbol": "AAPL"}, "cd"),
    ({"symbol": "NOPE"}, ""),
    ({"action": "SELL"}, "c"),
    ({"strategy": "mine"}, "b"),
    ({"regime": "BULL"}, "a"),
    ({"origin": "api"}, "c"),
    ({"origin": "import", "action": "BUY"}, "d"),
    ({"min_confidence": 70}, "abc"),
    ({"max_confidence": 70}, "cd"),
    ({"since": "2025-01-15T11:00:00Z"}, "bc"),
    ({"until": "2025-01-15T10:59:59Z"}, "ad"),
    ({"since": "2012-01-05T23:00:00+01:00", "until": "2012-01-05T22:00:00Z"}, "d"),
    ({"outcome": "open"}, "ac"),
    ({"outcome": "win"}, "d"),
    ({"outcome": "loss"}, "b"),
    ({"outcome": "expired"}, ""),
]


@pytest.mark.usefixtures("varied")
def test_every_filter() -> None:
    assert [(filters, _ids(**filters)) for filters, _ in FILTERS] == FILTERS


def test_a_filter_that_cannot_be_meant_is_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"symbl": "AAPL"}, {"symbol": ""}, {"as_of": "yesterday"}, {"since": 2012},
        {"outcome": "won"},
    ]  # fmt: skip
    for filters in wrong:
        with pytest.raises(ValidationError):
            signal_table(**filters)
        with pytest.raises(ValidationError):  # before the first batch is asked for
            signal_batches(**filters)


@pytest.mark.usefixtures("varied")
def test_a_table_has_what_the_ledger_has() -> None:
    rows = signal_table().to_pylist()
    signals = Signal.objects.select_related("context").order_by("id")
    for row, signal in zip(rows, signals, strict=True):
        assert [row[name] for name in PLAIN] == [getattr(signal, name) for name in PLAIN]
        assert [row[name] for name in OF_CONTEXT] == [
            getattr(signal.context, name) for name in OF_CONTEXT
        ]
        assert row["received_at"] == parse_utc(signal.context.received_at)
        assert row["stored_at"] == parse_utc(signal.context.stored_at)
        assert row["timestamp_text"] == signal.timestamp
        for name in ("votes", "extra"):
            found = getattr(signal.context, name)
            assert (None if row[name] is None else orjson.loads(row[name])) == found


@pytest.mark.usefixtures("varied")
def test_times_are_instants_and_nested_values_are_sorted_json() -> None:
    rows = {row["signal_id"]: row for row in signal_table().to_pylist()}
    assert rows["c"]["timestamp"] == datetime(2025, 1, 15, 11, 0, 0, 500_000, UTC)
    assert rows["d"]["timestamp"] == datetime(2012, 1, 5, 22, tzinfo=UTC)
    assert rows["d"]["created_at"] == datetime(2012, 1, 2, 21, 0, 1, tzinfo=UTC)
    assert rows["a"]["votes"] == '[{"a":2,"b":1,"s":"x"}]'
    assert rows["b"]["extra"] == '{"note":{"y":[true],"z":1}}'
    assert [rows[name]["instrument"] for name in "abcd"] == ["BTC-USD", "BTC-USD", "AAPL", "AAPL"]


@pytest.mark.usefixtures("ledger")
def test_without_signals_there_are_all_columns_with_their_types() -> None:
    assert signal_table().schema == SCHEMA
    assert signal_table().num_rows == 0
    assert list(signal_batches()) == []
    assert str(signal_table().to_pandas().dtypes["received_at"]) == "datetime64[us, UTC]"


@pytest.mark.usefixtures("varied")
def test_a_data_frame_has_types() -> None:
    frame = signal_table().to_pandas()
    assert list(frame.columns) == SCHEMA.names
    assert frame["confidence"].mean() == (90 + 80 + 70 + 60.5) / 4
    assert str(frame.dtypes["timestamp"]) == "datetime64[us, UTC]"
    assert str(frame.dtypes["symbol"]) == "category"


ODD_TIMES = {
    "2012-01-05T22:00:00+01:00": datetime(2012, 1, 5, 21, tzinfo=UTC),
    "2012-01-05T21:00:00.123456789Z": datetime(2012, 1, 5, 21, 0, 0, 123_456, UTC),
    "0001-01-01T00:00:00+05:00": None,
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
    "2012-13-45T99:99:99Z": None,
    "0000-01-01T00:00:00Z": None,
    "2016-12-31T23:59:60Z": None,
    "last Tuesday": None,
    "": None,
}


@pytest.mark.usefixtures("database")
def test_imported_times_of_any_spelling(ledger: Ledger) -> None:
    """Each by itself in its batch, and all in one, are read alike."""
    for number, text in enumerate(ODD_TIMES):
        ledger.bring_in(f"{number}", timestamp=text, created_at=text or "never")
    ledger.log("usual", timestamp="2025-01-15T10:30:00Z")
    for size in (1, 5000):
        tables = [batch.to_pylist() for batch in signal_batches(size)]
        *odd, usual = (row for rows in tables for row in rows)
        assert {row["timestamp_text"]: row["timestamp"] for row in odd} == ODD_TIMES
        assert [row["created_at"] for row in odd] == list(ODD_TIMES.values())
        assert usual["timestamp"] == datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def test_odd_values_of_history_hurt_no_other_row(ledger: Ledger) -> None:
    ledger.bring_in("odd", outcome="", action="buy", symbol="=1+1", strategy="x" * 5000,
                    entry_price=-0.0, confidence=1e300, asset_type="")  # fmt: skip
    ledger.log("good")
    odd, good = signal_table().to_pylist()
    assert (odd["outcome"], odd["action"], odd["entry_price"]) == ("", "buy", 0.0)
    assert (odd["confidence"], len(odd["strategy"])) == (1e300, 5000)
    assert good["signal_id"] == "good"
    assert _ids(outcome="open") == "good"


def test_values_that_only_a_script_could_store(ledger: Ledger) -> None:
    """They are not in the journal and have no context. A double has NaN and infinities on
    PostgreSQL; SQLite also keeps text in a column of numbers."""
    ledger.log("good")
    odd = "1e400" if connection.vendor == "sqlite" else "'Infinity'"
    number = "'much'" if connection.vendor == "sqlite" else "'NaN'"
    store_by_script("script", entry_price=odd, target_price=number)
    good, odd_row = signal_table().to_pylist()
    assert good["origin"] == "python"
    assert odd_row["entry_price"] == float("inf")
    assert odd_row["target_price"] is None or odd_row["target_price"] != odd_row["target_price"]
    missing = ("origin", "received_at", "stored_at", "regime", "votes", "timestamp", "data_source")
    assert [odd_row[name] for name in missing] == [None] * len(missing)


@pytest.mark.usefixtures("varied")
def test_batches_of_any_size_have_each_signal_once_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for size, keys in [(1, 1), (1, 3), (2, 3), (3, 2), (5000, 4), (2, 4)]:
        monkeypatch.setattr(reading, "KEYS", keys)
        batches = list(signal_batches(size))
        assert max(batch.num_rows for batch in batches) <= size
        table = pa.Table.from_batches(batches, SCHEMA)
        assert "".join(table["signal_id"].to_pylist()) == "abcd"


def test_a_batch_ends_when_its_texts_are_large(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdefg":
        ledger.log(name, reasoning="x" * 2000 if name in "bcf" else None, votes=[{"v": "y" * 999}])
    monkeypatch.setattr(reading, "BATCH_BYTES", 4000)
    batches = ["".join(batch["signal_id"].to_pylist()) for batch in signal_batches()]
    assert "".join(batches) == "abcdefg"
    assert batches[0] == "ab"
    assert max(map(len, batches)) <= 4


@pytest.mark.usefixtures("varied")
def test_a_signal_that_ends_while_the_table_is_read_is_not_shown_as_open(
    ledger: Ledger,
) -> None:
    batches = signal_batches(1, outcome="open")
    first = next(batches)
    ledger.end("c", "win", 140.0)
    assert first["signal_id"].to_pylist() == ["a"]
    assert list(batches) == []
