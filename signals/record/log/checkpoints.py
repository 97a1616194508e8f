"""The signed checkpoints in the database: each contradicts none before it."""

from datetime import datetime

from django.db import transaction

from signals.models import RecordCheckpoint
from signals.record.log.disk import Signed
from signals.record.log.own import stop
from signals.record.log.refusals import FOREIGN, RecordRefused
from signals.record.log.tables import head_of, locked_head

RECENT = 20
"""Checkpoints that stay, so that one of them can be sent to a witness."""


def last_checkpoint(using: str = "default") -> RecordCheckpoint | None:
    """Return the largest checkpoint that was signed; None without any."""
    return RecordCheckpoint.objects.using(using).order_by("-size").first()


def keep_for_witnesses(size: int, using: str = "default") -> bool:
    """Keep a checkpoint although larger ones come; return False if it is gone already."""
    return bool(RecordCheckpoint.objects.using(using).filter(size=size).update(kept=True))


def check_checkpoint(signed: Signed, owner: str, using: str = "default") -> None:
    """Raise RecordRefused if a checkpoint is smaller than the last one or contradicts it, or if
    another machine owns the record now."""
    if clash := _clash(signed, owner, using):
        raise stop(clash, using)


def store_checkpoint(signed: Signed, owner: str, now: datetime, using: str = "default") -> None:
    """Store a checkpoint that is on disk, before anybody sees it. Raises as `check_checkpoint`."""
    with transaction.atomic(using=using):
        locked_head(using)
        clash = _clash(signed, owner, using)
        if not clash:
            _store(signed, now, using)
            _forget(signed.size, using)
    if clash:  # after the transaction, which must not undo the stop
        raise stop(clash, using)


def _clash(signed: Signed, owner: str, using: str) -> str:
    """Return what a checkpoint contradicts; empty if it may be signed. Raises RecordRefused."""
    head, last = head_of(using), last_checkpoint(using)
    if head is None or head.owner != owner or head.stopped:
        raise RecordRefused(FOREIGN, "Another machine signs this record, or it is stopped.")
    if last is None or signed.size > last.size:
        return ""
    if signed.size < last.size:
        return f"A checkpoint of {last.size} entries is signed, and now there are {signed.size}."
    if bytes(last.root) != signed.checkpoint.root:
        return f"A checkpoint of {last.size} entries is signed with another root."
    return ""


def _store(signed: Signed, now: datetime, using: str) -> None:
    values = {
        "root": signed.checkpoint.root,
        "note": signed.note.encoded().decode(),
        "signed_at": now,
    }
    RecordCheckpoint.objects.using(using).update_or_create(size=signed.size, defaults=values)


def _forget(size: int, using: str) -> None:
    """Delete older checkpoints that nobody needs."""
    unneeded = RecordCheckpoint.objects.using(using).filter(kept=False, cosignatures=None)
    recent = unneeded.filter(size__lt=size).order_by("-size")[RECENT : RECENT + 1].first()
    if recent is not None:
        unneeded.filter(size__lte=recent.size).delete()
