"""Finds the outcomes that somebody changed after they were set."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from signals.ledger.outcome_history import OUTCOME_COLUMNS
from signals.models import OutcomeChange
from signals.timestamps import texts_upto


class Edit(NamedTuple):
    """The last change of an outcome that had been set before; `at` is a text in UTC."""

    signal_id: str
    at: str


def edits(signal_ids: Collection[str], as_of: datetime | None = None) -> list[Edit]:
    """Return the edited signals among these, each with its last edit, in the order of the edits.

    With `as_of` only edits until then count.
    """
    wanted, found = set(signal_ids), dict[str, str]()
    was_set = OutcomeChange.objects.exclude(before__outcome=None)
    changes = was_set.order_by("pk")
    if as_of is not None:
        last, whole = texts_upto(as_of)
        changes = changes.filter(Q(at__lte=last) | Q(at=whole))
    rows = changes.values_list("signal__signal_id", "at", "before", "after")
    for signal_id, at, before, after in rows.iterator():
        is_other = any(before.get(name) != after.get(name) for name in OUTCOME_COLUMNS)
        if signal_id in wanted and is_other:
            found[signal_id] = at
    return [Edit(*each) for each in sorted(found.items(), key=lambda each: each[1])]
