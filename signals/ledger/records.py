"""Encodes a signal as its journal line, and decodes a journal line into rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

import orjson

from argo.errors import FieldError, InvalidInput
from signals.journal import Line
from signals.ledger.hashing import (
    Covered,
    Hashed,
    id_and_sha256_of,
    matches,
    sha256_of,
    signal_id_of,
)
from signals.ledger.secrets import KEY_BEGINS
from signals.ledger.validation import key_faults, validated
from signals.timestamps import OWN_SPELLING, created_at_text, utc_text

IMPORTED = frozenset({"import", "import-sync", "adopted"})
"""Origins of history: stored as they are, even if the hash does not match, and never traded."""
NAMED_BY_ALERT = "hook"
"""The origin of alerts. The id of such a signal names the alert: if it comes again with another
price, in time for the journal, the first one is the signal."""

TEXTS = ("signal_id", "symbol", "action", "strategy", "asset_type", "timestamp", "sha256")
NUMBERS = ("entry_price", "target_price", "stop_price", "confidence")
MADE = ("received_at", "origin")
LATER = ("outcome", "exit_price", "profit_loss_pct", "order_id", "created_at")
CALIBRATED = ("raw_confidence", "calibration_version")
MOST_VERSIONS = 2**31
CONTEXT = ("regime", "reasoning", "sources", "agreement", "votes", "symbol_as_sent", *CALIBRATED)
FLOATS = frozenset((*NUMBERS, "exit_price", "profit_loss_pct", "agreement", "raw_confidence"))
WHOLE = frozenset(("sources", "calibration_version"))
KNOWN = frozenset((*TEXTS, *NUMBERS, *MADE, *LATER, *CONTEXT, "data_source"))

KNOWN_TO_ALL = KNOWN - {*CALIBRATED}
"""The fields that have a column whatever is in them."""

COLUMN_TYPES: dict[str, type] = {
    **dict.fromkeys((*TEXTS, *MADE), str),
    **dict.fromkeys(NUMBERS, float),
}
OPTIONAL_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("data_source", "outcome", "order_id", "created_at"), (str, NoneType)),
    **dict.fromkeys(("regime", "reasoning", "symbol_as_sent"), (str, NoneType)),
    **dict.fromkeys(FLOATS - {*NUMBERS, *CALIBRATED}, (int, float, NoneType)),
    **dict.fromkeys(WHOLE - {*CALIBRATED}, (int, NoneType)),
}
LONGEST_INDEXED = 600
"""Characters; PostgreSQL refuses to index more than 2,704 bytes."""
_indexed = itemgetter("signal_id", "symbol", "timestamp")
_covered: Callable[[Mapping[str, Any]], Covered] = itemgetter(*Hashed._fields)


class Receipt(NamedTuple):
    """The id and hash of an accepted signal.

    `durability` says where it is durable, if SIGNAL_DURABILITY asks for more than this machine.
    """

    signal_id: str
    sha256: str
    durability: str | None = None


class HashMismatch(InvalidInput):
    """The hash that a signal brought is not its hash."""

    status = 400
    code = "hash"


class BadLine(Exception):
    """A journal line that is not a signal; the message says why."""


class Record(NamedTuple):
    """A signal as it is on its journal line."""

    line: Line
    fields: dict[str, Any]

    @property
    def signal_id(self) -> str:
        return str(self.fields["signal_id"])

    @property
    def sha256(self) -> str:
        return str(self.fields["sha256"])

    @property
    def origin(self) -> str:
        return str(self.fields["origin"])

    @property
    def symbol(self) -> str:
        return str(self.fields["symbol"])

    @property
    def asset_type(self) -> str:
        return str(self.fields["asset_type"])

    @property
    def received_at(self) -> str:
        return str(self.fields["received_at"])

    @property
    def row(self) -> tuple[Any, ...]:
        """Return the values of `SIGNAL_COLUMNS`."""
        return signal_row(self.fields)

    def context(self, row_id: int, journal: int | None) -> tuple[Any, ...]:
        """Return the values of `CONTEXT_COLUMNS`. `journal` is the cursor's primary key."""
        return context_row(row_id, journal, self)


def encode(signal: Mapping[str, object], now: datetime, origin: str) -> tuple[Receipt, bytes]:
    """Validate a signal and make its journal line. Raises InvalidInput."""
    checked = validated(signal, now)
    fields = {name: value for name, value in checked.__dict__.items() if value is not None}
    fields["timestamp"] = utc_text(checked.timestamp)
    if checked.__pydantic_extra__:
        fields |= checked.__pydantic_extra__
    if (sent := signal.get("symbol")) != checked.symbol:
        fields["symbol_as_sent"] = sent
    _identify(fields, signal.get("timestamp"))
    fields["received_at"] = utc_text(now)
    fields["origin"] = origin
    line = orjson.dumps(fields)
    if KEY_BEGINS in line and (faults := key_faults(fields)):
        raise InvalidInput(faults)
    return Receipt(fields["signal_id"], fields["sha256"]), line


def encode_history(row: Mapping[str, Any], now: datetime, origin: str) -> bytes:
    """Return the journal line of a row from an older store, unchanged even if its hash is wrong."""
    made = {"received_at": utc_text(now), "origin": origin}
    return orjson.dumps({name: value for name, value in row.items() if value is not None} | made)


def _identify(fields: dict[str, Any], given_time: object) -> None:
    """Set id and hash if the signal brings none. Raises HashMismatch if its hash is wrong."""
    if "sha256" in fields:
        fields.setdefault("signal_id", signal_id_of(_covered(fields)))
        fields["timestamp"] = _time_covered(fields, given_time)
    elif "signal_id" in fields:
        fields["sha256"] = sha256_of(_covered(fields), fields["signal_id"])
    else:
        fields["signal_id"], fields["sha256"] = id_and_sha256_of(_covered(fields))


def _time_covered(fields: dict[str, Any], given: object) -> str:
    """Return the time in the spelling that the hash covers. Raises HashMismatch if none fits."""
    spellings = [str(fields["timestamp"])]
    if isinstance(given, str) and OWN_SPELLING.fullmatch(given):
        spellings.insert(0, given)
    for spelling in spellings:
        if hash_holds(fields | {"timestamp": spelling}):
            return spelling
    raise HashMismatch(
        [FieldError("sha256", "is not the hash of this signal (see the signal-hash contract)")]
    )


def decode(fields: dict[str, Any], line: Line) -> Record:
    """Return the signal that a journal line holds. Raises BadLine if it is not one."""
    _check(fields)
    return Record(line, fields)


def json_object(line: Line) -> dict[str, Any]:
    """Return the JSON object on a line. Raises BadLine if it is not one."""
    try:
        fields = orjson.loads(line.data)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise BadLine("is not a JSON object")
    return fields


def _check(fields: dict[str, Any]) -> None:
    fault = _shape_fault(tuple(fields), tuple(map(type, fields.values())))
    if fault is not None:
        raise BadLine(fault)
    if sum(map(len, _indexed(fields))) > LONGEST_INDEXED:
        raise BadLine(f"has more than {LONGEST_INDEXED} characters in its id, symbol and timestamp")
    if fields["origin"] not in IMPORTED and not hash_holds(fields):
        raise BadLine("was altered after it was journaled: its hash does not match")


@lru_cache(maxsize=1024)
def _shape_fault(names: tuple[str, ...], types: tuple[type, ...]) -> str | None:
    """Return what the columns cannot store, or None.

    All signals of one source have the same names and types, so the answer is cached.
    """
    shape = dict(zip(names, types, strict=True))
    for name in (*TEXTS, *MADE, *NUMBERS):
        if name not in shape:
            return f"lacks {name!r}"
        if shape[name] is not COLUMN_TYPES[name]:
            return f"has no {COLUMN_TYPES[name].__name__} for {name}"
    for name in shape.keys() & OPTIONAL_TYPES.keys():
        if shape[name] not in OPTIONAL_TYPES[name]:
            return f"has a wrong type for {name}"
    return None


def hash_holds(fields: Mapping[str, Any]) -> bool:
    """Return True if `sha256` is the hash of these fields."""
    return matches(_covered(fields), fields["signal_id"], fields["sha256"])


def signal_row(fields: dict[str, Any]) -> tuple[Any, ...]:
    """Return the values of `SIGNAL_COLUMNS`."""
    get = fields.get
    return (
        fields["signal_id"],
        fields["symbol"],
        fields["action"],
        fields["entry_price"],
        fields["target_price"],
        fields["stop_price"],
        fields["confidence"],
        fields["strategy"],
        fields["asset_type"],
        get("data_source"),
        fields["timestamp"],
        get("outcome"),
        get("exit_price"),
        get("profit_loss_pct"),
        fields["sha256"],
        get("order_id"),
        get("created_at") or created_at_text(fields["received_at"]),
    )


SIGNAL_COLUMNS = (
    "signal_id", "symbol", "action", "entry_price", "target_price", "stop_price", "confidence",
    "strategy", "asset_type", "data_source", "timestamp", "outcome", "exit_price",
    "profit_loss_pct", "sha256", "order_id", "created_at",
)  # fmt: skip


def context_row(row_id: int, journal: int | None, record: Record) -> tuple[Any, ...]:
    """Return the values of `CONTEXT_COLUMNS`. `journal` is the cursor's primary key."""
    (segment, byte), _ = record.line
    fields = record.fields
    get = fields.get
    votes = get("votes")
    return (
        row_id,
        journal,
        segment,
        byte,
        fields["origin"],
        fields["received_at"],
        get("regime"),
        get("reasoning"),
        get("sources"),
        get("agreement"),
        None if votes is None else orjson.dumps(votes).decode(),
        get("symbol_as_sent"),
        *calibrated(fields),
        None if fields.keys() <= KNOWN_TO_ALL else _extra_text(fields),
    )


CONTEXT_COLUMNS = (
    "id", "journal_id", "segment", "byte", "origin", "received_at", "regime", "reasoning",
    "sources", "agreement", "votes", "symbol_as_sent", *CALIBRATED, "extra",
)  # fmt: skip
"""The columns of a context that follow from the journal; `stored_at` does not."""


def calibrated(fields: Mapping[str, Any]) -> tuple[float | None, int | None]:
    """Return the raw confidence and the version of its calibration; None without both.

    A sender may have had a field of its own with such a name: then it is an unknown field.
    """
    raw: Any = fields.get("raw_confidence")
    version: Any = fields.get("calibration_version")
    is_calibrated = type(raw) in (int, float) and type(version) is int
    return (raw, version) if is_calibrated and 0 < version < MOST_VERSIONS else (None, None)


def extra(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have no column."""
    known = KNOWN_TO_ALL if calibrated(fields) == (None, None) else KNOWN
    return {name: value for name, value in fields.items() if name not in known}


def _extra_text(fields: Mapping[str, Any]) -> str | None:
    found = extra(fields)
    return orjson.dumps(found).decode() if found else None
