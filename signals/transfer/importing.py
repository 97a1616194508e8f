"""Makes journal lines of signals that another store kept: ids, hashes and outcomes as they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.journal import Line, Offset
from signals.records import (
    NUMBERS,
    BadLine,
    Receipt,
    decode,
    encode,
    encode_history,
    json_object,
)

ORIGIN = "import"
_FLOATS = (*NUMBERS, "exit_price", "profit_loss_pct")
_NOWHERE = Offset(0, 0)


def encode_imported(
    signal: Mapping[str, object], now: datetime, origin: str
) -> tuple[Receipt, bytes]:
    """A signal with a hash is history, taken as it is; one without is new, and validated.

    Raises InvalidInput where it cannot be stored at all.
    """
    if not signal.get("sha256"):
        return encode(signal, now, origin)
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


def _number(name: str, value: object) -> Any:  # noqa: ANN401
    return float(value) if name in _FLOATS and type(value) is int else value
