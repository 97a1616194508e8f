"""Queues checkpoints: each round sends the same one to all witnesses, so that they can agree."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from signals.ahead import is_ahead
from signals.models import RecordCheckpoint, RecordCosignature, RecordEntry
from signals.record.log.checkpoints import keep_for_witnesses, last_checkpoint
from signals.record.proving.checkpoints import quorum
from sync.models import RecordSubmission
from sync.record import stamps

LEAST_INTERVAL = timedelta(minutes=1)
"""Witnesses are asked no more often, by a schedule or by a person."""
KEPT = timedelta(days=30)
"""For so long past submissions are kept."""
Kind = RecordSubmission.Kind
Status = RecordSubmission.Status


def begin_witness_round(now: datetime, *, at_once: bool = False) -> int:
    """Queue the last checkpoint for each witness, if a round is due; return for how many.

    No round is due if only marks were entered since the last one. `at_once` begins one before
    RECORD_WITNESS_INTERVAL is over, but not within a minute after the last.
    """
    wait = LEAST_INTERVAL if at_once else timedelta(seconds=settings.RECORD_WITNESS_INTERVAL)
    last = last_checkpoint()
    if last is None or not _is_due(Kind.WITNESS, wait, now) or not has_news(last):
        return 0
    done = RecordCosignature.objects.filter(checkpoint=last, time__isnull=False)
    cosigned = set(done.values_list("witness", flat=True))
    names = [each.name for each in quorum().witnesses if each.name not in cosigned]
    return _queue(Kind.WITNESS, names, last.size, now)


def begin_stamp_round(now: datetime) -> int:
    """Queue a checkpoint for each authority, if a round is due; return for how many.

    It is the last one that enough witnesses have cosigned; without witnesses the last one.
    """
    wait = timedelta(seconds=settings.RECORD_STAMP_INTERVAL)
    rows = RecordCheckpoint.objects.order_by("-size")
    chosen = (rows.filter(is_marked=True) if quorum().witnesses else rows).first()
    if chosen is None or not _is_due(Kind.AUTHORITY, wait, now):
        return 0
    if not quorum().witnesses and not has_news(chosen):
        return 0
    urls = [url for url in settings.RECORD_STAMP_AUTHORITIES if not stamps.is_kept(url, chosen)]
    return _queue(Kind.AUTHORITY, urls, chosen.size, now)


def _is_due(kind: str, wait: timedelta, now: datetime) -> bool:
    newest = RecordSubmission.objects.filter(kind=kind).order_by("-queued_at").first()
    if newest is None or is_ahead(newest.queued_at, now):
        return True
    return now - newest.queued_at >= wait


def has_news(last: RecordCheckpoint) -> bool:
    """Return whether a checkpoint holds more than marks since the last marked one."""
    marked = RecordCheckpoint.objects.filter(is_marked=True).order_by("-size").first()
    begin = marked.size if marked else 0
    entries = RecordEntry.objects.filter(pk__gte=begin, pk__lt=last.size)
    return entries.exclude(kind=RecordEntry.Kind.MARK).exists()


def _queue(kind: str, targets: Iterable[str], size: int, now: datetime) -> int:
    """Queue a checkpoint for each target; what waits for a target gives way to it."""
    count = 0
    with transaction.atomic():
        rows = RecordSubmission.objects.filter(kind=kind)
        rows.filter(queued_at__lt=now - KEPT).exclude(status__in=["pending", "sending"]).delete()
        for target in targets:
            waiting = rows.filter(target=target, status=Status.PENDING)
            if not waiting.update(size=size, queued_at=now):
                RecordSubmission.objects.create(
                    kind=kind, target=target, size=size, due_at=now, queued_at=now
                )
            count += 1
        if count:
            keep_for_witnesses(size)
    return count
