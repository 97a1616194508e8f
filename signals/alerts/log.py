"""The file `data/alerts.log`: alerts that are no signals yet, durable before they are answered.

It is written by the same code as the journal, and read into the table `alerts` in its order.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from argo.errors import FieldError
from signals.alerts.content import Body
from signals.journal import Journal

NAME = "alerts.log"


@dataclass(frozen=True)
class LoggedAlert:
    """A line of the file: an alert with its body, and what it asks for.

    `status` is `waiting` for one that a task carries out, `unread` for one with `faults`. A waiting
    one with a `signal_id` becomes that signal; without one it is an exit, and `side` is the side of
    the signals that it ends, empty for all. `claim` is the key by which it must still be claimed,
    because the database was away; empty if it was.
    """

    alert_id: str
    sender: int
    received_at: datetime
    status: str
    body: Body
    content_type: str = ""
    symbol: str = ""
    side: str = ""
    price: float | None = None
    signal_id: str = ""
    claim: str = ""
    faults: list[FieldError] = field(default_factory=list)


def alerts_journal() -> Journal:
    """Return this machine's file of alerts: one for each process, whose threads share writes."""
    return _journal(settings.DATA_DIR, settings.SIGNAL_SEGMENT_BYTES)


@cache
def _journal(folder: Path, segment_bytes: int) -> Journal:
    return Journal(folder / NAME, segment_bytes=segment_bytes)


def encode(alert: LoggedAlert) -> bytes:
    """Return the alert's line."""
    fields = {
        **asdict(alert),
        "body": alert.body.kept,
        "is_base64": alert.body.is_base64,
        "faults": [asdict(each) for each in alert.faults],
    }
    return orjson.dumps(fields)


def decode(line: bytes) -> Mapping[str, Any]:
    """Return the fields of a line. Raises ValueError if it is not one."""
    found = orjson.loads(line)
    if not isinstance(found, dict) or not {"alert_id", "sender", "status"} <= found.keys():
        raise ValueError("is not an alert")
    return found
