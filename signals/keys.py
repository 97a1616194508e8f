"""API keys: shown once, stored as SHA-256, limited to scopes, revocable."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.db import DatabaseError, connection, transaction

from argo.errors import ArgoError, FieldError, InvalidInput, NotFound
from signals import acts
from signals.clock import utc_now
from signals.models import ApiKey

SCOPES = ("read", "write", "trade", "admin")
"""`write` sends signals and outcomes and retries deliveries; `trade` halts, resumes, executes,
closes and cancels; `admin` makes keys, senders, subscriptions and accounts. None includes another.
"""
ADVICE = (
    "Make each a new key with the scopes that it needs (api_key --create NAME --scope write), then "
    "revoke it (api_key --revoke PREFIX)."
)
PREFIX_LENGTH = 10
_FIND = (
    "SELECT sha256, name, can_read, can_write, COALESCE(can_trade, can_write), can_admin "
    "FROM api_keys WHERE sha256 = %s AND revoked_at IS NULL"
)

_Row = tuple[str, str, bool, bool, bool, bool]
MAX_KNOWN = 1024
_known: dict[str, _Row] = {}
"""The valid keys that this process has seen, by digest: for a time without the database."""


class MissingScope(ArgoError):
    """The key is valid but lacks the scope."""

    status = 403


def create_key(name: str, scopes: Sequence[str], *, who: str = acts.COMMAND_LINE) -> str:
    """Make a key with these scopes; return the plain key, which cannot be shown again.

    Raises InvalidInput if there is no scope or an unknown one.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidInput([FieldError("scopes", f"takes one or more of {', '.join(SCOPES)}")])
    key = f"argo_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        row = ApiKey.objects.create(
            name=name,
            sha256=_digest(key),
            prefix=key[:PREFIX_LENGTH],
            **{f"can_{scope}": scope in scopes for scope in SCOPES},
            created_at=utc_now(),
        )
        may = f"may {', '.join(scopes_of(row))}"
        acts.record(acts.Kind.KEY, f"key {row}", who=who, at=row.created_at, after=may)
    return key


def find_key(key: str, scope: str) -> str | None:
    """Return the key's name, or None if it is unknown or revoked.

    A revoked key ends within a second, in every process. While the database does not answer, a key
    that this process has seen valid stays valid, so that signals are accepted meanwhile. Raises
    MissingScope if the key is valid but lacks `scope`.
    """
    digest = _digest(key)
    row = _row(digest, int(time.monotonic()))
    if row is None or not hmac.compare_digest(row[0], digest):
        return None
    has = dict(zip(SCOPES, row[2:], strict=True))
    if not has[scope]:
        raise MissingScope(f"The key {row[1]} may not {scope}: make one that may with api_key.")
    return str(row[1])


@lru_cache(maxsize=MAX_KNOWN)
def _row(digest: str, second: int) -> _Row | None:
    """Look the key up once a second; each time, it would take a third of a request's time."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [digest])
            row: _Row | None = cursor.fetchone()
    except DatabaseError:
        if digest in _known:
            return _known[digest]
        raise
    _remember(digest, row)
    return row


def _remember(digest: str, row: _Row | None) -> None:
    """Keep the row of a valid key, and forget a revoked one."""
    if row is None:
        _known.pop(digest, None)
    elif len(_known) < MAX_KNOWN:
        _known[digest] = row


def scopes_of(key: ApiKey) -> list[str]:
    """Return the scopes that the key has."""
    has = {scope: getattr(key, f"can_{scope}") for scope in SCOPES}
    if key.has_scopes_of_before:
        has["trade"] = key.can_write
    return [scope for scope in SCOPES if has[scope]]


def trading_since_before() -> list[str]:
    """Return the valid keys that may trade only because they were made when `write` included it."""
    kept = ApiKey.objects.filter(can_trade=None, can_write=True, revoked_at=None)
    return [str(key) for key in kept.order_by("pk")]


def sentence(names: Sequence[str]) -> str:
    """Return the sentence that names these keys, which may trade since before there were scopes."""
    return (
        f"Made before there was the scope `trade`, and may still halt, resume and execute: "
        f"{', '.join(names)}."
    )


def revoke(prefix: str, now: datetime, *, who: str = acts.COMMAND_LINE) -> ApiKey:
    """Revoke the valid key with this prefix. Raises NotFound if there is none."""
    with transaction.atomic():
        valid = ApiKey.objects.select_for_update().filter(revoked_at=None)
        key = valid.filter(prefix=prefix[:PREFIX_LENGTH]).first()
        if key is None:
            raise NotFound(f"No valid key begins with {prefix}. See api_key --list.")
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        may = f"may {', '.join(scopes_of(key))}"
        acts.record(acts.Kind.KEY, f"key {key}", who=who, at=now, before=may, after="revoked")
    return key


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
