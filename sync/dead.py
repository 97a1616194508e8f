"""Sends dead deliveries again, once a person has mended what was wrong."""

from collections.abc import Sequence
from datetime import datetime

from sync.models import Delivery
from sync.outbox import wake_deliver

Status = Delivery.Status


def revive(
    now: datetime, *, signal_ids: Sequence[str] | None = None, since: datetime | None = None
) -> int:
    """Queue dead deliveries again, due at once: all, of these signals, or dead since then.

    Answers how many. Those that are not dead are left alone.
    """
    dead = Delivery.objects.filter(status=Status.DEAD)
    if signal_ids is not None:
        dead = dead.filter(signal__signal_id__in=signal_ids)
    if since is not None:
        dead = dead.filter(attempted_at__gte=since)
    revived = dead.update(status=Status.PENDING, attempts=0, due_at=now, payload="")
    if revived:
        wake_deliver()
    return revived
