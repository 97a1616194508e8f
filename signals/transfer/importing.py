"""Makes journal lines of signals that another store kept: ids, hashes and outcomes as they are."""

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
"""Of history that Alpine is to get, too."""
_NOWHERE = Offset(0, 0)


def encode_imported(
    signal: Mapping[str, object], now: datetime, origin: str
) -> tuple[Receipt, bytes]:
    """A signal with a hash is history, taken as it is; one without is new, and validated.

    Raises InvalidInput where it cannot be stored at all.
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
        yield FieldError("signal_id", "is empty: a signal that has a hash has an id, too")
    if "change" in signal:
        yield FieldError("change", "is what the journal calls an outcome change: rename the field")
    for name, value in signal.items():
        if isinstance(value, bytes):
            yield FieldError(name, "holds bytes (a BLOB): make it text or a number")


def _number(name: str, value: object) -> Any:  # noqa: ANN401
    return float(value) if name in FLOATS and type(value) is int else value
