"""How long signals take from the call that logs them to their row."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from signals.ledger.records import IMPORTED
from signals.timestamps import parse_utc

PAST = IMPORTED | {"replay"}
"""Origins whose `received_at` is not of the wall clock, or not of the call: no latency is taken."""


def latencies(received: Iterable[str], stored_at: datetime) -> list[float]:
    """Return the seconds from each `received_at` to `stored_at`.

    A clock that was set back gives 0. A time that cannot be read is left out: the hash does not
    cover it, so anything may be on an altered line.
    """
    found = []
    for text in received:
        with suppress(ValueError):
            found.append(max(0.0, (stored_at - parse_utc(text)).total_seconds()))
    return found
