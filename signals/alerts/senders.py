"""Senders: each has a token, shown once and stored as SHA-256, which is the secret of its hook."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, transaction

from argo.errors import Conflict, NotFound, Unavailable
from signals import acts
from signals.alerts.mapping import preset
from signals.alerts.sender_checks import check_sender, refuse_nulls
from signals.alerts.terms import Terms, terms_of
from signals.clock import utc_now
from signals.ledger.in_time import LOOK_UPS, NoAnswer
from signals.models import Sender

MAX_KNOWN = 1024
WAIT = 1.0
"""Seconds that a look-up may take."""
CADENCE = frozenset({"expected_every", "in_market_hours"})
_known: dict[str, Terms] = {}
"""The senders that this process has seen, by digest: for a time without the database."""


def create_sender(name: str, preset_name: str, *, who: str, **settings: Any) -> tuple[Sender, str]:  # noqa: ANN401
    """Make a sender; return it and its token, which cannot be shown again.

    `settings` are fields of the model. Raises InvalidInput with every fault, and Conflict if there
    is a sender of this name.
    """
    refuse_nulls(settings)
    sender = Sender(name=name.strip(), preset=preset_name, created_at=utc_now(), **settings)
    check_sender(sender)
    if Sender.objects.filter(name=sender.name).exists():
        raise Conflict(f"There is a sender {sender.name} already, or there was: take another name.")
    return sender, save_with_token(sender, who=who)


def save_with_token(sender: Sender, *, who: str) -> str:
    """Store a new sender that was checked; return its token, which cannot be shown again."""
    token = secrets.token_urlsafe(32)
    sender.token_sha256 = _digest(token)
    sender.created_at = sender.created_at or utc_now()
    with transaction.atomic():
        sender.save()
        about = f"sender {sender.name}"
        acts.record(acts.Kind.KEY, about, who=who, at=sender.created_at, after=sender.preset)
    return token


def change_sender(name: str, changes: Mapping[str, Any], *, who: str, now: datetime) -> None:
    """Change settings of a sender. Raises NotFound, and InvalidInput with every fault."""
    refuse_nulls(changes)
    with transaction.atomic():
        sender = Sender.objects.select_for_update().filter(pk=sender_named(name).pk).get()
        before = {each: getattr(sender, each) for each in changes}
        for each, value in changes.items():
            setattr(sender, each, value)
        check_sender(sender)
        sender.save(update_fields=[*changes])
        changed(sender, before, who=who, at=now)


def revoke_sender(name: str, *, who: str) -> Sender:
    """End a sender's token. Raises NotFound if there is no such sender whose token is valid."""
    with transaction.atomic():
        valid = Sender.objects.select_for_update().filter(revoked_at=None)
        sender = None if "\0" in name else valid.filter(name=name).first()
        if sender is None:
            raise NotFound(f"There is no valid sender {name!r}. See sender --list.")
        sender.revoked_at, sender.late_since = utc_now(), None
        sender.save(update_fields=["revoked_at", "late_since"])
        about = f"sender {name}"
        acts.record(acts.Kind.KEY, about, who=who, at=sender.revoked_at, after="revoked")
    return sender


def sender_named(name: str) -> Sender:
    """Return the sender. Raises NotFound."""
    found = None if "\0" in name else Sender.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no sender {name!r}. See sender --list.")
    return found


def find_terms(token: str) -> Terms | None:
    """Return the terms of the sender with this token, or None if it is unknown or revoked.

    A revoked one ends within a second, in every process. While the database does not answer, one
    that this process has seen stays valid. Raises Unavailable for another one, or what the database
    raises, and InvalidInput if the stored mapping has a fault.
    """
    return _terms(_digest(token), int(time.monotonic()))


def paste_of(sender: Sender) -> str:
    """Return the text to paste into the sender's form."""
    return str(sender.mapping.get("form") or preset(sender.preset)["form"]).strip()


def forget() -> None:
    """Read each sender again at its next alert."""
    _terms.cache_clear()


@lru_cache(maxsize=MAX_KNOWN)
def _terms(digest: str, second: int) -> Terms | None:
    """Look a sender up once a second, as keys are."""
    try:
        sender = LOOK_UPS.within(WAIT, "default", lambda: _sender_with(digest))
    except (NoAnswer, DatabaseError) as error:
        if digest in _known:
            return _known[digest]
        if isinstance(error, NoAnswer):
            raise Unavailable(f"The database does not answer: {error}.") from error
        raise
    if sender is None:
        _known.pop(digest, None)
        return None
    terms = terms_of(sender)
    if len(_known) < MAX_KNOWN:
        _known[digest] = terms
    return terms


def _sender_with(digest: str) -> Sender | None:
    return Sender.objects.filter(token_sha256=digest, revoked_at=None).first()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def changed(sender: Sender, before: Mapping[str, Any], *, who: str, at: datetime) -> None:
    """Record that somebody changed a sender's settings; `before` has the earlier values.

    If it is expected at other times now, it is not late until the next look says so.
    """
    now = {name: getattr(sender, name) for name in before}
    moved = [name for name in before if before[name] != now[name]]
    if CADENCE & set(moved):
        Sender.objects.filter(pk=sender.pk).update(late_since=None)
    acts.record(
        acts.Kind.OTHER, f"sender {sender.name}", who=who, at=at,
        before=", ".join(f"{name}: {before[name]}" for name in moved),
        after=", ".join(f"{name}: {now[name]}" for name in moved),
    )  # fmt: skip
