"""The body of a delivery: the fields of Alpine's contract; a field without a value is left out."""

from collections.abc import Sequence
from typing import Any

import orjson

_FIELDS = {
    "signal_id": "signal_id",
    "symbol": "symbol",
    "action": "action",
    "timestamp": "timestamp",
    "sha256": "sha256",
    "entry_price": "entry_price",
    "target_price": "target_price",
    "stop_price": "stop_price",
    "confidence": "confidence",
    "strategy": "strategy",
    "asset_type": "asset_type",
    "data_source": "data_source",
    "context__reasoning": "reasoning",
    "context__regime": "regime",
    "context__agreement": "consensus_agreement",
    "context__sources": "sources_count",
}
COLUMNS = tuple(_FIELDS)
"""The columns of a `Signal` that `payload` needs, in this order."""


def payload(values: Sequence[Any]) -> bytes:
    """Return the JSON body of one request, from the values of `COLUMNS`."""
    named = zip(_FIELDS.values(), values, strict=True)
    fields = {name: value for name, value in named if value is not None}
    # An imported row may hold a value that JSON cannot: send it as text and let Alpine judge it.
    return orjson.dumps(fields | {"verification_hash": fields["sha256"]}, default=str)
