"""Reads usual journal lines quickly: those of live signals that have no unknown field.

`decode` can read every line, and is right about it. A line is read here only if `decode` is certain
to give the same rows; if there is any doubt, `decode` judges the line.
"""

from typing import Annotated, Any

import orjson
from msgspec import UNSET, DecodeError, Meta, Raw, Struct, UnsetType
from msgspec.json import Decoder

from signals.journal import Line
from signals.ledger.hashing import plain_sha256_of, sha256_of
from signals.ledger.records import IMPORTED, LONGEST_INDEXED, MOST_VERSIONS, Record
from signals.timestamps import created_at_text

LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
"""orjson reads larger integers as floats, and refuses much larger ones."""
Whole = Annotated[int, Meta(ge=LEAST_WHOLE, le=MOST_WHOLE)]
Number = Whole | float
"""The type of a field that must be a float: plain `float` would accept an integer as one.

The range holds for each value of a field that comes twice, though only the last one counts.
"""


class UsualRecord(Struct, gc=False):
    """A signal as it is on a usual journal line, with the rows that it becomes."""

    line: Line
    signal_id: str
    sha256: str
    origin: str
    symbol: str
    asset_type: str
    received_at: str
    row: tuple[Any, ...]
    about: tuple[Any, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """Return the content of the line, parsed again: only few signals are asked for it."""
        found: dict[str, Any] = orjson.loads(self.line.data)
        return found

    def context(self, row_id: int, journal: int | None) -> tuple[Any, ...]:
        """Return the values of `CONTEXT_COLUMNS`. `journal` is the cursor's primary key."""
        return (row_id, journal, *self.line[0], *self.about)


AnyRecord = Record | UsualRecord


class _Fields(Struct, forbid_unknown_fields=True, gc=False):
    signal_id: str
    symbol: str
    action: str
    entry_price: Number
    target_price: Number
    stop_price: Number
    confidence: Number
    strategy: str
    asset_type: str
    timestamp: str
    sha256: str
    received_at: str
    origin: str
    data_source: str | None = None
    regime: str | None = None
    reasoning: str | None = None
    sources: Number | None = None
    agreement: Number | None = None
    votes: Raw | UnsetType = UNSET
    symbol_as_sent: str | None = None
    raw_confidence: Number | UnsetType = UNSET
    calibration_version: Number | UnsetType = UNSET


_decode = Decoder(_Fields).decode


def decode_usual(line: Line) -> UsualRecord | None:
    """Return the signal on a usual line; None for any other line, right or wrong."""
    try:
        found = _decode(line.data)
        votes = None if found.votes is UNSET else _votes_text(found.votes, line.data)
        calibrated = _calibrated(found)
    except (DecodeError, orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError, _Unusual):
        return None
    is_usual = _fits(found) and _hash_holds(found, line.data)
    return _record(line, found, votes, calibrated) if is_usual else None


class _Unusual(Exception):
    """`decode` must judge the line."""


def _fits(found: _Fields) -> bool:
    return (
        type(found.entry_price) is float
        and type(found.target_price) is float
        and type(found.stop_price) is float
        and type(found.confidence) is float
        and (found.agreement is None or type(found.agreement) is float)
        and (found.sources is None or type(found.sources) is int)
        and len(found.signal_id) + len(found.symbol) + len(found.timestamp) <= LONGEST_INDEXED
        and found.origin not in IMPORTED
    )


def _hash_holds(found: _Fields, data: bytes) -> bool:
    covered = (
        found.symbol,
        found.action,
        found.entry_price,
        found.target_price,
        found.stop_price,
        found.confidence,
        found.strategy,
        found.timestamp,
    )
    is_plain = data.isascii() and b"\\" not in data and b"\x7f" not in data
    computed = plain_sha256_of if is_plain else sha256_of
    return computed(covered, found.signal_id) == found.sha256


def _votes_text(votes: Raw, data: bytes) -> str | None:
    """Return the votes as they are stored.

    Raises _Unusual if the line may have them twice: `msgspec` does not look at what is in the
    first ones.
    """
    if b"\\" in data or data.count(b'"votes"') > 1:
        raise _Unusual
    parsed = orjson.loads(memoryview(votes))
    return None if parsed is None else orjson.dumps(parsed).decode()


def _calibrated(found: _Fields) -> tuple[float | None, int | None]:
    """Return the raw confidence and its version; raises _Unusual if they are a sender's own."""
    raw, version = found.raw_confidence, found.calibration_version
    if raw is UNSET and version is UNSET:
        return None, None
    if type(raw) is float and type(version) is int and 0 < version < MOST_VERSIONS:
        return raw, version
    raise _Unusual


def _record(
    line: Line, found: _Fields, votes: str | None, calibrated: tuple[float | None, int | None]
) -> UsualRecord:
    row = (
        found.signal_id,
        found.symbol,
        found.action,
        found.entry_price,
        found.target_price,
        found.stop_price,
        found.confidence,
        found.strategy,
        found.asset_type,
        found.data_source,
        found.timestamp,
        None,
        None,
        None,
        found.sha256,
        None,
        created_at_text(found.received_at),
    )
    about = (
        found.origin,
        found.received_at,
        found.regime,
        found.reasoning,
        found.sources,
        found.agreement,
        votes,
        found.symbol_as_sent,
        *calibrated,
        None,
    )
    return UsualRecord(
        line,
        found.signal_id,
        found.sha256,
        found.origin,
        found.symbol,
        found.asset_type,
        found.received_at,
        row,
        about,
    )
