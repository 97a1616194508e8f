"""The newest signals: how many came, and how long each took to its row."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from signals.ledger.latency import PAST
from signals.timestamps import parse_utc, utc_text

MAX_ROWS = 20_000
"""Rows that one answer reads: about 50 ms."""
_NEWEST = "SELECT origin, received_at, stored_at FROM signal_contexts ORDER BY id DESC LIMIT %s"


class Recent(NamedTuple):
    """The live signals of the last `seconds` seconds.

    `latencies` are in seconds, sorted. If more than `MAX_ROWS` rows came in the window that was
    asked for, `seconds` is shorter: as far as these rows reach.
    """

    signals: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Return the signals per second."""
        return self.signals / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float | None:
        """Return the latency in seconds that `percent` of the signals do not exceed (the nearest
        rank); None without signals."""
        if not self.latencies:
            return None
        rank = -(-len(self.latencies) * percent // 100)
        return self.latencies[max(0, int(rank) - 1)]


def recent(window: timedelta, now: datetime) -> Recent:
    """Return the live signals that were received within `window` before `now`."""
    since = utc_text(now - window)
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [MAX_ROWS])
        rows = cursor.fetchall()
    live = [row[1:] for row in rows if row[0] not in PAST]
    within = [row for row in live if row[0] >= since]
    is_complete = len(rows) < MAX_ROWS or len(within) < len(live)
    reach = now - window if is_complete else parse_utc(min(row[0] for row in within))
    found = [parse_utc(stored) - parse_utc(received) for received, stored in within if stored]
    return Recent(
        len(within),
        (now - reach).total_seconds(),
        sorted(max(0.0, each.total_seconds()) for each in found),
    )
