"""Makes journal lines from another store's signals; keeps their ids, hashes and outcomes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.journal import Line, Offset
from signals.ledger.records import (
    FLOATS,
    BadLine,
    Receipt,
    decode,
    encode,
    encode_history,
    json_object,
)

ORIGIN = "import"
ORIGIN_SYNCED = "import-sync"
"""The origin of history that is also sent to Alpine."""
_NOWHERE = Offset(0, 0)


def encode_imported(
    signal: Mapping[str, object], now: datetime, origin: str
) -> tuple[Receipt, bytes]:
    """Return the receipt and the journal line of an imported signal.

    A signal with a hash is history, and is kept as it is; one without is new, and is validated.
    Raises InvalidInput if it cannot be stored.
    """
    if not signal.get("sha256"):
        return encode(signal, now, origin)
    if faults := list(_faults(signal)):
        raise InvalidInput(faults)
    row = {name: _number(name, value) for name, value in signal.items()}
    row.pop("id", None)
    row.setdefault("strategy", "unknown")
    row.setdefault("asset_type", "unknown")
    line = Line(_NOWHERE, encode_history(row, now, origin))
    try:
        record = decode(json_object(line), line)
    except BadLine as error:
        raise InvalidInput([FieldError("signal", str(error))]) from None
    return Receipt(record.signal_id, record.sha256), line.data


def _faults(signal: Mapping[str, object]) -> Iterator[FieldError]:
    if not signal.get("signal_id"):
        yield FieldError("signal_id", "is empty: a signal with a hash needs its id")
    if "change" in signal:
        yield FieldError("change", "is the journal's name for an outcome change: rename the field")
    for name, value in signal.items():
        if isinstance(value, bytes):
            yield FieldError(name, "contains bytes (a BLOB): make it text or a number")


def _number(name: str, value: object) -> Any:  # noqa: ANN401
    return float(value) if name in FLOATS and type(value) is int else value
