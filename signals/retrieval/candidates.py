"""Counts the candidates that did not become signals."""

from collections import Counter

from signals.models import CandidateRecord
from signals.retrieval.selection import Selection
from signals.timestamps import range_end, range_start


def rejected(wanted: Selection) -> dict[str, int]:
    """Return how many candidates were rejected for each reason, most first.

    Of the selection only what a candidate has counts: symbol, side, strategy, time, and when it was
    kept. A candidate that was rejected for two reasons counts for both.
    """
    found = CandidateRecord.objects.exclude(rejected_for="")
    given = {"action": wanted.action, "strategy": wanted.strategy}
    found = found.filter(**{name: value for name, value in given.items() if value is not None})
    if wanted.spellings is not None:
        found = wanted.spellings.of(found)
    if wanted.since is not None:
        found = found.filter(made_at__gte=range_start(wanted.since))
    if wanted.until is not None:
        found = found.filter(made_at__lt=range_end(wanted.until))
    if wanted.as_of is not None:
        found = found.filter(kept_at__lte=wanted.as_of)
    codes = found.values_list("rejected_for", flat=True).iterator()
    return dict(Counter(code for each in codes for code in each.split()).most_common())
