"""Claims due deliveries, so that one worker at a time has each, and stores what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from signals.dialect import skip_locked
from signals.models import Signal
from sync.models import OPEN, Delivery
from sync.payload import COLUMNS, payload
from sync.retry import retry_database_errors

Status = Delivery.Status
# The states are literals, not parameters: see sync.models.OPEN.
_CLAIM = """
UPDATE deliveries SET status = 'sending', claim = %s, due_at = %s, attempted_at = %s,
    attempts = attempts + 1
WHERE id IN (
    SELECT id FROM deliveries WHERE status IN ('pending', 'sending') AND due_at <= %s
    ORDER BY due_at LIMIT %s {lock}
)
RETURNING id, attempts
"""
_RECORD = """
UPDATE deliveries SET status = %s, attempts = %s, due_at = %s, last_status = %s, last_answer = %s,
    payload = %s, delivered_at = %s, claim = ''
WHERE id = %s AND status = 'sending' AND claim = %s
"""


class ClaimedDelivery(NamedTuple):
    """A delivery to make now. `id` is the signal's row; `attempts` includes this one."""

    id: int
    attempts: int
    signal_id: str
    body: bytes


class DeliveryResult(NamedTuple):
    """The new state of a delivery after an attempt."""

    claimed: ClaimedDelivery
    status: Status
    attempts: int
    due_at: datetime
    last_status: int | None
    last_answer: str
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Claims:
    """The claims of one worker on the queue. `owner` names the worker and is unique."""

    owner: str
    lease: timedelta

    @retry_database_errors
    def claim(self, limit: int, now: datetime) -> list[ClaimedDelivery]:
        """Claim up to `limit` due deliveries; they belong to this worker until the lease ends."""
        adapt = connection.ops.adapt_datetimefield_value
        end = adapt(now + self.lease)
        statement = _CLAIM.format(lock=skip_locked())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [self.owner, end, adapt(now), adapt(now), limit])
            attempts = dict(cursor.fetchall())
        signals = Signal.objects.filter(id__in=attempts).values_list("id", *COLUMNS)
        return [
            ClaimedDelivery(row_id, attempts[row_id], values[0], payload(values))
            for row_id, *values in signals
        ]

    @retry_database_errors
    def renew(self, now: datetime) -> None:
        """Extend the lease of all deliveries that this worker still has."""
        claimed = Delivery.objects.filter(OPEN, status=Status.SENDING, claim=self.owner)
        claimed.update(due_at=now + self.lease)

    @retry_database_errors
    def record(self, results: Sequence[DeliveryResult]) -> int:
        """Store the results of deliveries that this worker still has; return how many."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_RECORD, [self._row(result) for result in results])
            return int(cursor.rowcount)

    def _row(self, result: DeliveryResult) -> tuple[Any, ...]:
        adapt = connection.ops.adapt_datetimefield_value
        claimed = result.claimed
        kept = claimed.body.decode() if result.status == Status.DEAD else ""
        return (
            result.status.value,
            result.attempts,
            adapt(result.due_at),
            result.last_status,
            result.last_answer,
            kept,
            adapt(result.delivered_at),
            claimed.id,
            self.owner,
        )
