"""Claims due deliveries, so that one worker at a time has each, and stores what became of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from signals.ahead import is_ahead
from signals.dialect import skip_locked
from signals.models import Signal
from sync.models import OPEN, Delivery
from sync.payload import COLUMNS, payload
from sync.retry import longest_wait, retry_database_errors

logger = logging.getLogger(__name__)

MOST_BROUGHT_BACK = 1000
"""Deliveries that one look makes due again."""
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
        attempts = self._claim(limit, now)
        if not attempts and self._bring_back(now):
            attempts = self._claim(limit, now)
        signals = Signal.objects.filter(id__in=attempts).values_list("id", *COLUMNS)
        return [
            ClaimedDelivery(row_id, attempts[row_id], values[0], payload(values))
            for row_id, *values in signals
        ]

    def _claim(self, limit: int, now: datetime) -> dict[int, int]:
        """Claim due deliveries; return their attempts by primary key."""
        adapt = connection.ops.adapt_datetimefield_value
        end = adapt(now + self.lease)
        statement = _CLAIM.format(lock=skip_locked())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [self.owner, end, adapt(now), adapt(now), limit])
            return dict(cursor.fetchall())

    def _bring_back(self, now: datetime) -> int:
        """Make deliveries due that a clock which was ahead has put off; return how many.

        It looks at those that wait the longest; no other one waits longer than these.
        """
        furthest = Delivery.objects.filter(OPEN, due_at__gt=now).order_by("-due_at")
        ids = [row.pk for row in furthest[:MOST_BROUGHT_BACK] if self._is_ahead(row, now)]
        if not ids:  # on SQLite even an empty update waits for every writer
            return 0
        logger.warning("%d deliveries were put off by a clock that was ahead: due now", len(ids))
        return Delivery.objects.filter(OPEN, pk__in=ids, due_at__gt=now).update(due_at=now)

    def _is_ahead(self, row: Delivery, now: datetime) -> bool:
        longest = self.lease
        if row.status == Status.PENDING:
            longest = longest_wait(row.attempts, is_answered=row.last_status is not None)
        return is_ahead(row.due_at, now, longest) or is_ahead(row.attempted_at, now)

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
