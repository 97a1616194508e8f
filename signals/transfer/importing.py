"""Makes journal lines from another store's signals; keeps their ids, hashes and outcomes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.journal import Line, Offset
from signals.ledger.records import (
    CONTEXT,
    FLOATS,
    KNOWN,
    LATER,
    SIGNAL_COLUMNS,
    BadLine,
    Receipt,
    decode,
    encode,
    encode_history,
    json_object,
)
from signals.ledger.secrets import without_secrets
from signals.ledger.validation import ALIASES, alias_faults, key_faults
from signals.transfer.cells import Row

ORIGIN = "import"
ORIGIN_SYNCED = "import-sync"
"""The origin of history that is also sent to Alpine."""
_NOWHERE = Offset(0, 0)
_COLUMNS = frozenset({*SIGNAL_COLUMNS, *CONTEXT, *LATER})


def encode_imported(
    signal: Mapping[str, object], now: datetime, origin: str
) -> tuple[Receipt, bytes]:
    """Return the receipt and the journal line of an imported signal.

    A signal with a hash is history, and is kept as it is; one without is new, and is validated.
    Raises InvalidInput, with every fault, if it cannot be stored.
    """
    cells = signal.faults if isinstance(signal, Row) else ()
    try:
        made = _encode(signal, now, origin)
    except InvalidInput as error:
        if not cells:
            raise
        named = {fault.field for fault in cells} | {"signal"}
        others = [fault for fault in error.errors if fault.field not in named]
        raise InvalidInput([*cells, *others]) from None
    if cells:
        raise InvalidInput(cells)
    return made


def without_empty(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of history without the known fields that are empty, as older stores have them.

    In a new signal a field that is null is a fault, as at every door.
    """
    return {name: value for name, value in row.items() if value is not None or name not in _COLUMNS}


def _encode(signal: Mapping[str, object], now: datetime, origin: str) -> tuple[Receipt, bytes]:
    if not _named(signal).get("sha256"):
        return encode(signal, now, origin)
    signal = without_empty(signal)
    if faults := [*_faults(signal), *key_faults(_known(signal)), *alias_faults(signal)]:
        raise InvalidInput(faults)
    row = {name: _number(name, value) for name, value in _without_secrets(_named(signal)).items()}
    row.pop("id", None)
    row.setdefault("strategy", "unknown")
    row.setdefault("asset_type", "unknown")
    line = Line(_NOWHERE, encode_history(row, now, origin))
    try:
        record = decode(json_object(line), line)
    except BadLine as error:
        raise InvalidInput([FieldError("signal", str(error))]) from None
    return Receipt(record.signal_id, record.sha256), line.data


def _named(signal: Mapping[str, object]) -> dict[str, object]:
    """Return the signal with the ledger's names in the place of other names for them."""
    return {ALIASES.get(name, name): value for name, value in signal.items()} | {
        name: value for name, value in signal.items() if name not in ALIASES
    }


def _faults(signal: Mapping[str, object]) -> Iterator[FieldError]:
    if not signal.get("signal_id"):
        yield FieldError("signal_id", "is empty: a signal with a hash needs its id")
    if "change" in signal:
        yield FieldError("change", "is the journal's name for an outcome change: rename the field")
    for name, value in signal.items():
        if isinstance(value, bytes):
            yield FieldError(name, "contains bytes (a BLOB): make it text or a number")


def _known(signal: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in signal.items() if name in KNOWN}


def _without_secrets(signal: Mapping[str, object]) -> dict[str, object]:
    """Return the signal without secrets in its unknown fields and its votes."""
    known = _known(signal)
    votes = {"votes": without_secrets(known["votes"])} if "votes" in known else {}
    unknown = {name: value for name, value in signal.items() if name not in known}
    kept: dict[str, object] = without_secrets(unknown)
    return known | votes | kept


def _number(name: str, value: object) -> Any:  # noqa: ANN401
    return float(value) if name in FLOATS and type(value) is int else value
