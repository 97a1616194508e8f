"""The state of sync as the API returns it."""

from datetime import datetime
from typing import Literal

from ninja import Schema


class DeliveryRate(Schema):
    """The deliveries that ended within a period. `success_rate` is the delivered share, from 0 to
    1; null if nothing ended. If `at_least`, there were more: these are the newest."""

    delivered: int
    dead: int
    success_rate: float | None
    at_least: bool


class BreakerOut(Schema):
    """The circuit breaker. While it is `open`, only a probe is sent, the next one at `probe_at`."""

    open: bool
    opened_at: datetime | None
    probe_at: datetime | None
    failures: int
    reason: str


class SyncStatus(Schema):
    """The state of the deliveries to Alpine. `state` is `paused` while the breaker is open.

    The counts stop at 100,000; `at_least` names those that did. `oldest_pending_seconds` is null
    if nothing waits.
    """

    state: Literal["off", "on", "paused"]
    pending: int
    delivered: int
    dead: int
    at_least: list[str]
    oldest_pending_seconds: float | None
    last_hour: DeliveryRate
    last_day: DeliveryRate
    breaker: BreakerOut
