"""How many alerts wait for a person: those that could not be read."""

from collections.abc import Iterable

from django.db.models import Count

from signals.models import Alert, Sender
from signals.models.alert import UNREAD_ALERTS


def count_unread() -> int:
    """Return how many alerts wait for a person."""
    return Alert.objects.filter(UNREAD_ALERTS).count()


def with_unread(senders: Iterable[Sender]) -> list[Sender]:
    """Return the senders, each with the number of its unread alerts as `unread`."""
    found, numbers = list(senders), _by_sender()
    for sender in found:
        sender.unread = numbers.get(sender.pk, 0)  # type: ignore[attr-defined]
    return found


def _by_sender() -> dict[int, int]:
    """Count the unread alerts of each sender; a partial index alone answers it."""
    rows = Alert.objects.filter(UNREAD_ALERTS).order_by().values_list("sender_id")
    return dict(rows.annotate(number=Count("pk")))
