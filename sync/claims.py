"""Claims due deliveries, so that one worker at a time has each, and stores what became of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from signals.ahead import is_ahead
from signals.dialect import skip_locked
from sync.models import QueuedDelivery
from sync.queue import TO_ALPINE, DeliveryQueue
from sync.retry import retry_database_errors

logger = logging.getLogger(__name__)

MOST_BROUGHT_BACK = 1000
"""Deliveries that one look makes due again."""
Status = QueuedDelivery.Status
# The states are literals, not parameters: see sync.models.is_open.
_CLAIM = """
UPDATE {table} SET status = 'sending', claim = %s, due_at = %s, attempted_at = %s,
    attempts = attempts + 1
WHERE id IN (
    SELECT id FROM {table} WHERE status IN ('pending', 'sending') AND due_at <= %s {only}
    ORDER BY {order} LIMIT %s {lock}
)
RETURNING id, attempts
"""
_RECORD = """
UPDATE {table} SET status = %s, attempts = %s, due_at = %s, last_status = %s, last_answer = %s,
    delivered_at = %s, {kept} claim = ''
WHERE id = %s AND status = 'sending' AND claim = %s
"""


class ClaimedDelivery(NamedTuple):
    """A delivery to make now. `id` is its row; `attempts` includes this one.

    `name` is the id of the signal or the event.
    """

    id: int
    attempts: int
    name: str
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
    """The claims of one worker on a queue. `owner` names the worker and is unique."""

    owner: str
    lease: timedelta
    queue: DeliveryQueue = TO_ALPINE

    @retry_database_errors
    def claim(self, limit: int, now: datetime) -> list[ClaimedDelivery]:
        """Claim up to `limit` due deliveries; they belong to this worker until the lease ends."""
        attempts = self._claim(limit, now)
        if not attempts and self._bring_back(now):
            attempts = self._claim(limit, now)
        return [
            ClaimedDelivery(row_id, attempts[row_id], name, body)
            for row_id, name, body in self.queue.read(attempts)
        ]

    def _claim(self, limit: int, now: datetime) -> dict[int, int]:
        """Claim due deliveries; return their attempts by primary key."""
        adapt = connection.ops.adapt_datetimefield_value
        queue, end = self.queue, adapt(now + self.lease)
        only = f"AND {queue.only}" if queue.only else ""
        statement = _CLAIM.format(
            table=queue.table, only=only, order=queue.order, lock=skip_locked()
        )
        values = [self.owner, end, adapt(now), adapt(now), *queue.values, limit]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return dict(cursor.fetchall())

    def _bring_back(self, now: datetime) -> int:
        """Make deliveries due that a clock which was ahead has put off; return how many.

        It looks at those that wait the longest; no other one waits longer than these.
        """
        furthest = self.queue.waiting().filter(due_at__gt=now).order_by("-due_at")
        ids = [row.pk for row in furthest[:MOST_BROUGHT_BACK] if self._is_ahead(row, now)]
        if not ids:  # on SQLite even an empty update waits for every writer
            return 0
        logger.warning("%d deliveries were put off by a clock that was ahead: due now", len(ids))
        return self.queue.waiting().filter(pk__in=ids, due_at__gt=now).update(due_at=now)

    def _is_ahead(self, row: QueuedDelivery, now: datetime) -> bool:
        longest = self.lease
        if row.status == Status.PENDING:
            is_answered = row.last_status is not None
            longest = self.queue.schedule.longest_wait(row.attempts, is_answered=is_answered)
        return is_ahead(row.due_at, now, longest) or is_ahead(row.attempted_at, now)

    @retry_database_errors
    def renew(self, now: datetime) -> None:
        """Extend the lease of all deliveries that this worker still has."""
        claimed = self.queue.waiting().filter(status=Status.SENDING, claim=self.owner)
        claimed.update(due_at=now + self.lease)

    @retry_database_errors
    def record(self, results: Sequence[DeliveryResult]) -> int:
        """Store the results of deliveries that this worker still has; return how many."""
        kept = "payload = %s," if self.queue.keeps_dead_bodies else ""
        statement = _RECORD.format(table=self.queue.table, kept=kept)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, [self._row(result) for result in results])
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
            adapt(result.delivered_at),
            *([kept] if self.queue.keeps_dead_bodies else []),
            claimed.id,
            self.owner,
        )
