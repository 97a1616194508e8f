"""Finds the signals that an exit alert of their sender has ended."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from signals.models import OutcomeChange
from signals.timestamps import texts_upto

BY_ALERT = Q(why__startswith="exit alert of ") | Q(why="position closed: alert")


def ended_by_alert(signal_ids: Collection[str], as_of: datetime | None = None) -> list[str]:
    """Return those of these signals that an exit alert has ended, in the order of their ends.

    With `as_of` only ends until then count.
    """
    changes = OutcomeChange.objects.filter(BY_ALERT, before__outcome=None).order_by("pk")
    if as_of is not None:
        last, whole = texts_upto(as_of)
        changes = changes.filter(Q(at__lte=last) | Q(at=whole))
    wanted = set(signal_ids)
    names = changes.values_list("signal__signal_id", flat=True).iterator()
    return [name for name in dict.fromkeys(names) if name in wanted]
