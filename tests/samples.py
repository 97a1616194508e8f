"""Signals for tests."""

from itertools import count
from typing import Any

_numbers = count(1)


def a_signal(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a valid signal with these fields changed; its confidence makes it unique."""
    signal = {
        "symbol": "AAPL",
        "action": "BUY",
        "entry_price": 150.5,
        "target_price": 158.0,
        "stop_price": 146.0,
        "confidence": next(_numbers) / 1_000_000,
        "strategy": "test",
        "asset_type": "stock",
        "data_source": "weighted_consensus",
        "timestamp": "2025-01-15T10:30:00Z",
    }
    return {name: value for name, value in (signal | changes).items() if value is not ...}


def signals(number: int, **changes: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return `number` different signals."""
    return [a_signal(**changes) for _ in range(number)]
