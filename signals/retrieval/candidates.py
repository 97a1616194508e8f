"""Selects and counts the candidates that did not become signals."""

from collections import Counter

from django.db.models import Count, QuerySet

from signals.models import CandidateRecord
from signals.retrieval.selection import Selection
from signals.timestamps import range_end, range_start


def rejected_candidates(wanted: Selection) -> QuerySet[CandidateRecord]:
    """Return the candidates that were rejected.

    Of the selection only what a candidate has counts: symbol, side, strategy, time, and when it was
    kept.
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
    return found


def rejected(wanted: Selection) -> dict[str, int]:
    """Return how many candidates were rejected for each reason, most first.

    A candidate that was rejected for two reasons counts for both.
    """
    grouped = rejected_candidates(wanted).values_list("rejected_for").annotate(Count("pk"))
    numbers: Counter[str] = Counter()
    for codes, number in grouped.order_by():
        numbers.update(dict.fromkeys(codes.split(), number))
    return dict(numbers.most_common())
