"""The columns of a table of signals: their names, their types, and how a row's value becomes one.

A value that its column cannot hold, as only a script could have stored it, becomes null. What the
ledger keeps as a number is a double; it keeps no other form of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pyarrow as pa

from signals.instruments import instrument
from signals.retrieval.selection import Row
from signals.timestamps import moment_of

WORD = pa.dictionary(pa.int32(), pa.string())
"""A text that many rows share."""
TIME = pa.timestamp("us", tz="UTC")
TEXT, NUMBER, COUNT = pa.string(), pa.float64(), pa.int64()

SCHEMA = pa.schema(
    [
        ("signal_id", TEXT),
        ("symbol", WORD),
        ("instrument", WORD),
        ("action", WORD),
        ("entry_price", NUMBER),
        ("target_price", NUMBER),
        ("stop_price", NUMBER),
        ("confidence", NUMBER),
        ("strategy", WORD),
        ("asset_type", WORD),
        ("data_source", WORD),
        ("timestamp", TIME),
        ("timestamp_text", TEXT),
        ("outcome", WORD),
        ("exit_price", NUMBER),
        ("profit_loss_pct", NUMBER),
        ("outcome_at", TIME),
        ("sha256", TEXT),
        ("order_id", TEXT),
        ("created_at", TIME),
        ("received_at", TIME),
        ("stored_at", TIME),
        ("origin", WORD),
        ("regime", WORD),
        ("reasoning", TEXT),
        ("sources", COUNT),
        ("agreement", NUMBER),
        ("votes", TEXT),
        ("symbol_as_sent", TEXT),
        ("extra", TEXT),
    ]
)
"""The columns of a signal, whatever was selected."""
JSON_COLUMNS = frozenset(("votes", "extra", "reasons"))


def record_batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows as a batch with these columns."""
    full = [row | _derived(row) for row in rows]
    arrays = [_array([row.get(field.name) for row in full], field) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _derived(row: Row) -> Row:
    return {
        "timestamp_text": row["timestamp"],
        "instrument": instrument(row["symbol"], row["asset_type"]).symbol,
    }


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    convert = _json if field.name in JSON_COLUMNS else _CONVERTERS[field.type]
    found = pa.array(map(convert, values), _plain(field.type), size=len(values))
    return found.dictionary_encode() if field.type == WORD else found


def _plain(kind: pa.DataType) -> pa.DataType:
    return TEXT if kind == WORD else kind


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _json(value: object) -> str | None:
    """Return JSON with sorted keys, which is the same from every database."""
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _time(value: object) -> object:
    return moment_of(value) if isinstance(value, str) else value


_CONVERTERS: dict[pa.DataType, Callable[[Any], Any]] = {
    WORD: _text,
    TEXT: _text,
    NUMBER: _number,
    COUNT: _count,
    TIME: _time,
}
