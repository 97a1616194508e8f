"""The problems of the record: it lags, it is signed elsewhere, it stands still, it has a fork."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from signals import config
from signals.health.problems import longest_wait
from signals.journal import JournalPosition, JournalReplaced
from signals.ledger.journal_state import oldest_in
from signals.models import JournalCursor, RecordCursor, RecordEntry, RecordHead, SequenceRun
from signals.problems import Problem
from signals.record.log import refusals
from signals.record.log.checkpoints import last_checkpoint
from signals.record.log.drafts import EPOCH
from signals.record.log.giving_way import has_backlog
from signals.record.log.refusals import BEHIND, FORK, KINDS, RecordRefused
from signals.record.log.service import opening
from signals.record.log.tables import head_of
from signals.status_text import age

__all__ = ["KINDS", "problems"]
BY_CODE = {kind.code: kind for kind in refusals.KINDS}


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now; none if there is no record."""
    head = head_of()
    if head is not None and head.stopped:
        yield FORK.found(head.stopped)
    elif (refusal := _refusal(head)) is not None:
        yield refusal
    elif head is not None:
        yield from _behind(head, now)


def _refusal(head: RecordHead | None) -> Problem | None:
    """Return why this machine does not sign although it should."""
    if not settings.RECORD_ORIGIN:
        return None
    try:
        opening().check()
    except RecordRefused as refused:
        return refused.kind.found(refused.sentence)
    code, _, sentence = (head.refused if head else "").partition(" ")
    return BY_CODE[code].found(sentence) if code in BY_CODE else None


def _behind(head: RecordHead, now: datetime) -> Iterator[Problem]:
    """Yield what lags; what the flush has a backlog of is entered after it."""
    waited = age(oldest_waiting(), now)
    longest = longest_wait().total_seconds()
    if waited is not None and waited > longest and not has_backlog(config.journal()):
        yield BEHIND.found(f"A stored signal has waited for {waited:.0f} s to be in the record.")
    unsigned = age(_oldest_unsigned(head), now)
    if unsigned is not None and unsigned > longest:
        yield BEHIND.found(
            f"An entry of the record has waited for {unsigned:.0f} s to be signed.", "signature"
        )


def oldest_waiting() -> datetime | None:
    """Return when the first line of this journal came that has an index and no entry."""
    journal = config.journal()
    flushed = JournalCursor.objects.of(journal.identity)
    cursor = RecordCursor.objects.filter(journal=flushed).first()
    runs = SequenceRun.objects.filter(journal=flushed, pk__gt=cursor.sequence if cursor else 0)
    run = runs.order_by("pk").first()
    if run is None:
        return None
    fingerprint = cursor.fingerprint if cursor else ""
    try:
        return oldest_in(
            journal.read(JournalPosition(run.segment, run.byte, fingerprint), max_lines=1)
        )
    except JournalReplaced:
        return None  # that is a problem of its own


def _oldest_unsigned(head: RecordHead) -> datetime | None:
    last = last_checkpoint()
    entry = RecordEntry.objects.filter(pk=last.size if last else 0).first()
    if entry is None or entry.pk >= head.size:
        return None
    entered = EPOCH + timedelta(microseconds=entry.at)
    return max(entered, head.begun_at)
