"""An example of each call: the request, and the answer that it got.

A test sends each of them, and checks the answer. With RENEW_EXAMPLES set it writes the answers:
`RENEW_EXAMPLES=1 python -m pytest -n0 tests/fuzz/test_examples.py`.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

ANSWERS = Path(__file__).with_name("answers.json")
SIGNAL_ID = "edbc8923819462de"
ALERT_ID = "8f3c1e0a5b7d4926"
OF_SIGNAL = {"signal_id": SIGNAL_ID}
OF_DESK = {"name": "desk"}
SIGNAL = {
    "symbol": "AAPL", "action": "BUY", "entry_price": 150.5, "target_price": 158,
    "stop_price": 146, "confidence": 85.5, "strategy": "weighted_consensus",
    "timestamp": "2025-01-15T10:30:00Z",
}  # fmt: skip
SINCE = {"since": "2025-01-01T00:00:00Z"}


class Request(NamedTuple):
    """A request, without its key, and the status of its answer."""

    path: Mapping[str, str] = {}
    query: Mapping[str, Any] = {}
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}


REQUESTS: dict[str, Request] = {
    "POST /api/signals": Request(body=SIGNAL, status=202),
    "POST /api/signals/batch": Request(body=[SIGNAL, SIGNAL | {"symbol": "MSFT"}], status=202),
    "GET /api/signals": Request(
        query={"regime": "BULL", "min_confidence": 80, "sort": "-confidence", "limit": 2}
    ),
    "GET /api/signals/latest": Request(query={"symbol": "AAPL", "fields": "signal_id,confidence"}),
    "GET /api/signals/stats": Request(query={"by": "symbol"} | SINCE),
    "GET /api/signals/export": Request(
        query={"format": "csv", "symbol": "AAPL", "fields": "signal_id,timestamp,outcome"}
    ),
    "GET /api/signals/outcomes": Request(query={"symbol": "AAPL", "outcome": "win", "limit": 2}),
    "POST /api/signals/outcomes": Request(
        body=[OF_SIGNAL | {"outcome": "win", "exit_price": 158, "why": "target reached"}]
    ),
    "GET /api/signals/{signal_id}": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/votes": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/record": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/verify": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/lifecycle": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/explain": Request(OF_SIGNAL),
    "GET /api/signals/{signal_id}/outcome": Request(OF_SIGNAL),
    "PATCH /api/signals/{signal_id}/outcome": Request(
        OF_SIGNAL,
        body={"outcome": "win", "exit_price": 158, "why": "target reached"},
        headers={"If-Match": "*"},
    ),
    "GET /api/signals/{signal_id}/outcome/changes": Request(OF_SIGNAL),
    "GET /api/instruments/{symbol}": Request({"symbol": "NASDAQ:AAPL"}),
    "GET /api/nodes": Request(),
    "GET /api/metrics/summary": Request(query={"window": 3600}),
    "POST /api/senders": Request(
        body={"name": "desk", "preset": "plain", "expected_every": 86400}, status=201
    ),
    "GET /api/senders": Request(),
    "GET /api/senders/{name}": Request(OF_DESK),
    "PATCH /api/senders/{name}": Request(OF_DESK, body={"symbols": {"GOLD": "XAUUSD"}}),
    "POST /api/senders/{name}/test": Request(
        OF_DESK, body={"alert": "BUY GOLD @ 2650.5 tp 2700 sl 2630"}
    ),
    "POST /api/senders/{name}/revoke": Request(OF_DESK),
    "GET /api/alerts": Request(query={"sender": "tv", "status": "unread", "limit": 2}),
    "GET /api/alerts/{alert_id}": Request({"alert_id": ALERT_ID}),
    "POST /api/alerts/read": Request(body={"sender": "tv"}),
    "POST /api/alerts/resolve": Request(body={"alert_ids": [ALERT_ID]}),
    "GET /api/sync/status": Request(),
    "GET /api/sync/deliveries": Request(query={"status": "dead", "limit": 2}),
    "POST /api/sync/deliveries/retry": Request(body={"signal_ids": [SIGNAL_ID]}),
    "POST /api/sync/webhooks": Request(
        body={"name": "desk", "url": "https://receiver.invalid/argo", "types": ["signal.stored"]},
        status=201,
    ),
    "GET /api/sync/webhooks": Request(),
    "GET /api/sync/webhooks/events": Request(query={"name": "desk", "status": "dead", "limit": 2}),
    "GET /api/sync/webhooks/{name}": Request(OF_DESK),
    "POST /api/sync/webhooks/{name}/revoke": Request(OF_DESK),
    "POST /api/sync/webhooks/{name}/enable": Request(OF_DESK),
    "POST /api/sync/webhooks/{name}/secret": Request(OF_DESK),
    "POST /api/sync/webhooks/{name}/test": Request(OF_DESK),
    "POST /api/sync/webhooks/{name}/replay": Request(OF_DESK, body=SINCE),
    "POST /api/sync/webhooks/{name}/retry": Request(OF_DESK),
    "GET /api/execution/status": Request(),
    "GET /api/execution/decisions": Request(query={"status": "executed", "limit": 2}),
    "GET /api/execution/orders": Request(query={"state": "open", "symbol": "AAPL"}),
    "GET /api/execution/fills": Request(query=OF_SIGNAL),
    "GET /api/execution/positions": Request(query={"status": "open"}),
    "GET /api/execution/halts": Request(query={"all": True}),
    "GET /api/execution/accounts": Request(),
    "GET /api/execution/accounts/{name}": Request({"name": "paper"}),
    "GET /api/execution/limits": Request(
        query={"symbol": "AAPL", "side": "BUY", "entry": 100, "stop": 95}
    ),
    "POST /api/execution/halt": Request(body={"why": "maintenance"}),
    "POST /api/execution/resume": Request(body={"why": "maintenance is done"}),
    "POST /api/execution/signals/{signal_id}/execute": Request(OF_SIGNAL, status=409),
    "GET /api/analysis/signals": Request(query={"format": "jsonl", "symbol": "AAPL"}),
    "GET /api/analysis/report": Request(query={"symbol": "AAPL"} | SINCE),
    "GET /api/analysis/compare": Request(query={"a.symbol": "AAPL", "b.symbol": "MSFT"}),
    "GET /api/health": Request(),
    "GET /api/health/ready": Request(),
    "GET /api/feed": Request(query={"wait": 0, "limit": 2}),
    # Not every web server can stream; the one in the tests cannot.
    "GET /api/feed/stream": Request(query={"after": "now"}, status=501),
    "GET /api/acts": Request(query={"kind": "halt", "limit": 2}),
}
"""By method and address."""


@lru_cache(maxsize=1)
def _answers() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(ANSWERS.read_bytes()) if ANSWERS.exists() else {}
    return found


def answer_to(call: str) -> Any:  # noqa: ANN401  # JSON
    """Return the answer that the example of this call got, with its lists cut short."""
    return _answers().get(call)
