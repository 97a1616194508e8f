"""Which logs this Argo watches."""

from datetime import datetime

from django.db import transaction

from argo.errors import Conflict, FieldError, InvalidInput, NotFound
from signals import acts
from signals.models import WatchedLog
from signals.record.formats.encoding import BadRecord, base64_text
from signals.record.formats.notes import ED25519, VerifierKey, parse_key
from signals.record.formats.tree import EMPTY_ROOT
from signals.witness.keys import origin_digest


def watch(text: str, *, now: datetime, who: str = acts.COMMAND_LINE) -> WatchedLog:
    """Watch the log of a verifier key. A key more of a watched log may sign for it too.

    A log that was watched before goes on where it was. Raises InvalidInput, and Conflict if the
    key is watched already.
    """
    key = _log_key(text)
    with transaction.atomic():
        log = _row(key.name, now)
        if str(key) in log.keys.splitlines():
            raise Conflict(f"The log {key.name} is watched with this key already.")
        _set_keys(log, [*log.keys.splitlines(), str(key)], now, who)
    return log


def unwatch(text: str, *, now: datetime, who: str = acts.COMMAND_LINE) -> WatchedLog:
    """Trust a verifier key no more, or all keys of an origin; return the log.

    What was cosigned stays known, so that a log which is added again must continue it. Raises
    NotFound.
    """
    origin, _, rest = text.partition("+")
    with transaction.atomic():
        log = WatchedLog.objects.select_for_update().filter(origin=origin).exclude(keys="").first()
        kept = [key for key in log.keys.splitlines() if rest and key != text] if log else []
        if log is None or kept == log.keys.splitlines():
            raise NotFound(f"There is no watched log or key {text!r}: see witness --list.")
        _set_keys(log, kept, now, who)
    return log


def watched() -> list[WatchedLog]:
    """Return the watched logs by their origin."""
    return list(WatchedLog.objects.exclude(keys="").order_by("origin"))


def keys_of(log: WatchedLog) -> list[VerifierKey]:
    """Return the keys that may sign for the log."""
    return [parse_key(text) for text in log.keys.splitlines()]


def _log_key(text: str) -> VerifierKey:
    try:
        key = parse_key(text.strip())
    except BadRecord as error:
        raise InvalidInput([FieldError("--add", str(error))]) from None
    if key.kind != ED25519:
        message = "is a witness's key: give the verifier key of a log, which has the type 0x01"
        raise InvalidInput([FieldError("--add", message)])
    return key


def _row(origin: str, now: datetime) -> WatchedLog:
    """Return the log's row, locked until the transaction ends; make it if there is none."""
    first = {"keys": "", "root": base64_text(EMPTY_ROOT), "added_at": now}
    WatchedLog.objects.get_or_create(
        origin=origin, defaults=first | {"origin_sha256": origin_digest(origin)}
    )
    return WatchedLog.objects.select_for_update().get(origin=origin)


def _set_keys(log: WatchedLog, keys: list[str], now: datetime, who: str) -> None:
    before, log.keys = log.keys, "\n".join(keys)
    WatchedLog.objects.filter(pk=log.pk).update(keys=log.keys)
    about = f"watched log {log.origin}"
    acts.record(acts.Kind.OTHER, about, who=who, at=now, before=before, after=log.keys)
