"""The problem of a feed that does not keep up with the flush."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q

from signals import config
from signals.dialect import database_now
from signals.feed.sequence import cursor_of, position_of
from signals.journal import JournalReplaced
from signals.ledger.journal_state import oldest_in
from signals.ledger.ownership import is_recent
from signals.models import JournalCursor, Node
from signals.problems import Problem, ProblemKind
from signals.status_text import age

BEHIND = ProblemKind(
    "feed.behind",
    "Start Argo, or its worker of the queue flush; its log says why if it runs. The lines of a "
    "machine that is lost come into the feed by argo adopt_journal FOLDER.",
)
KINDS = (BEHIND,)


def problems(now: datetime, longest: timedelta) -> Iterator[Problem]:
    """Yield a problem for each journal with stored lines that have no index for too long."""
    waited = age(oldest_waiting(), now)
    if waited is not None and waited > longest.total_seconds():
        yield BEHIND.found(f"A stored signal has waited for {waited:.0f} s to be in the feed.")
    for node in _lost(database_now()):
        yield BEHIND.found(
            f"The last lines of {node} are stored, but not in the feed.", node.identity
        )


def oldest_waiting() -> datetime | None:
    """Return when the first line of this journal came that is stored and has no index."""
    journal = config.journal()
    flushed = JournalCursor.objects.of(journal.identity)
    position = position_of(cursor_of(flushed, "default"))
    if position == position_of(flushed):
        return None
    try:
        return oldest_in(journal.read(position, max_lines=1))
    except JournalReplaced:
        return None  # that is a problem of its own


def _lost(now: datetime) -> Iterator[Node]:
    """Yield the other nodes that are silent, and whose stored lines have not all an index."""
    behind = JournalCursor.objects.exclude(
        Q(sequenced__segment=F("segment"), sequenced__byte=F("byte"))
    ).exclude(journal=config.journal().identity)
    nodes = Node.objects.filter(identity__in=behind.values("journal"), retired_at=None)
    yield from (node for node in nodes if not is_recent(node.seen_at, now))
