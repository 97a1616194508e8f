"""How the record stands with its witnesses and time stamp authorities, for `record --status`."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from signals.models import RecordCosignature
from signals.record.formats.encoding import BadRecord
from signals.record.formats.stamps import parse_stamp
from signals.record.proving.checkpoints import quorum
from signals.record.quorum import NamedWitness
from signals.record.verifier.brackets import posix
from sync.models import RecordSubmission
from sync.record.stamps import kept_of

DISAGREEMENT = (409, 422)
"""The answers of a witness that has seen other entries, or more."""
Kind = RecordSubmission.Kind
Shown = dict[str, Any]


def standing() -> dict[str, list[Shown]]:
    """Return what became of the last checkpoints, by witness and by authority, in the order of the
    settings.

    Both are empty on a machine that does not sign. Raises InvalidInput if a witness cannot be read.
    """
    if not settings.RECORD_ORIGIN:
        return {"witnesses": [], "stamps": []}
    return {
        "witnesses": list(map(_of_witness, quorum().witnesses)),
        "stamps": list(map(_of_authority, settings.RECORD_STAMP_AUTHORITIES)),
    }


def disagrees(row: RecordSubmission) -> bool:
    """Return whether a witness has refused a checkpoint because it has seen another record."""
    return row.status == RecordSubmission.Status.DEAD and row.last_status in DISAGREEMENT


def last_sent(kind: str, target: str) -> RecordSubmission | None:
    """Return the last submission to a target that was attempted."""
    rows = RecordSubmission.objects.filter(kind=kind, target=target).exclude(attempted_at=None)
    return rows.order_by("-queued_at", "-pk").first()


def _of_witness(named: NamedWitness) -> Shown:
    rows = RecordCosignature.objects.filter(witness=named.name, time__isnull=False)
    last = rows.select_related("checkpoint").order_by("-checkpoint__size", "time").first()
    sent = last_sent(Kind.WITNESS, named.name)
    return {
        "name": named.name,
        "url": named.url,
        "size": last.checkpoint.size if last else 0,
        "at": posix(last.time) if last and last.time is not None else None,
        "disagrees": sent is not None and disagrees(sent),
        **_answer(sent),
    }


def _of_authority(url: str) -> Shown:
    size, at = 0, None
    for path in kept_of(url):
        number = int(path.name.partition("-")[0])
        if number >= size:
            size, at = number, _stated(path)
    return {"url": url, "size": size, "at": at, **_answer(last_sent(Kind.AUTHORITY, url))}


def _stated(path: Path) -> datetime | None:
    try:
        return parse_stamp(path.read_bytes()).time
    except (BadRecord, OSError):
        return None


def _answer(row: RecordSubmission | None) -> Shown:
    """Return what the target said last, and when the next try is due if it is tried again."""
    is_open = row is not None and row.status == RecordSubmission.Status.PENDING
    return {
        "state": row.status if row else "",
        "answer": row.last_answer if row else "",
        "tried_at": row.attempted_at if row else None,
        "next_try": row.due_at if row and is_open else None,
    }
