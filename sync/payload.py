"""What Alpine gets of a signal: the fields of its contract, absent ones left out."""

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
"""What to select of a Signal for `payload`."""


def payload(values: Sequence[Any]) -> bytes:
    """The body of one request, from the values of `COLUMNS`."""
    named = zip(_FIELDS.values(), values, strict=True)
    fields = {name: value for name, value in named if value is not None}
    # `str` for what an imported row may hold, and JSON cannot: Alpine is to say what it thinks.
    return orjson.dumps(fields | {"verification_hash": fields["sha256"]}, default=str)
