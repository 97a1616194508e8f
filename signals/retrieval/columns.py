"""The columns of a table of signals: their names, their types, and how a row's value becomes one.

A value that its column cannot hold, as only a script could have stored it, becomes null. What the
ledger keeps as a number is a double; it keeps no other form of it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from argo.errors import FieldError, InvalidInput
from signals.instruments import instrument
from signals.retrieval.selection import Row
from signals.timestamps import moment_of

WORD = pa.dictionary(pa.int32(), pa.string())
"""A text that many rows share."""
TIME = pa.timestamp("us", tz="UTC")
FIRST, LAST = (
    pa.scalar(moment, TIME).cast(pa.int64()).as_py()
    for moment in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC))
)
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
        ("raw_confidence", NUMBER),
        ("calibration_version", COUNT),
        ("extra", TEXT),
    ]
)
"""The columns of a signal, whatever was selected."""
JSON_COLUMNS = frozenset(("votes", "extra", "reasons"))


def chosen_schema(fields: str | None) -> pa.Schema:
    """Return the schema of these columns, whose names are separated by commas; of all without any.

    Raises InvalidInput for a column that does not exist, or is named twice.
    """
    if fields is None:
        return SCHEMA
    names = fields.split(",")
    if unknown := [name for name in names if name not in SCHEMA.names]:
        message = f"has no {', '.join(unknown)}: it takes {', '.join(SCHEMA.names)}"
        raise InvalidInput([FieldError("fields", message)])
    if len(set(names)) < len(names):
        raise InvalidInput([FieldError("fields", "names a column twice")])
    return pa.schema([SCHEMA.field(name) for name in names])


def record_batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows as a batch with these columns."""
    columns = _derived(rows)
    arrays = [
        _array(columns.get(field.name) or [row[field.name] for row in rows], field)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _derived(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return the columns that the ledger has not."""
    seen = [(row["symbol"], row["asset_type"]) for row in rows]
    names = {each: instrument(*each).symbol for each in set(seen)}
    return {
        "timestamp_text": [row["timestamp"] for row in rows],
        "instrument": [names[each] for each in seen],
    }


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    if field.name in JSON_COLUMNS:
        values = list(map(_json, values))
    if field.type == TIME:
        return times_of(values)
    kind = TEXT if field.type == WORD else field.type
    try:
        found = pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # only a script could store such a value
        found = pa.array(map(_TOLERANT[kind], values), kind, size=len(values))
    return found.dictionary_encode() if field.type == WORD else found


def times_of(values: list[Any]) -> pa.Array:
    """Return datetimes, or texts, as times."""
    try:
        return pa.array(values, TIME)
    except pa.ArrowTypeError:
        found = _read_by_arrow(values)
    return pa.array(map(moment_of, values), TIME, size=len(values)) if found is None else found


def _read_by_arrow(texts: list[Any]) -> pa.Array | None:
    """Return texts as times, many times as fast as one by one.

    None unless all have an offset or none has, and all are in the years 1 to 9999.
    """
    for kind in (TIME, pa.timestamp("us")):
        try:
            found = pa.array(texts, TEXT).cast(kind).cast(TIME)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue
        ends = pc.min_max(found.cast(pa.int64())).as_py()
        return found if FIRST <= ends["min"] <= ends["max"] <= LAST else None
    return None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _json(value: object) -> str | None:
    """Return JSON with sorted keys, which is the same from every database."""
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


_TOLERANT: dict[pa.DataType, Callable[[Any], Any]] = {TEXT: _text, NUMBER: _number, COUNT: _count}
