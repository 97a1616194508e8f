"""API keys: shown once, stored as SHA-256, limited to scopes, revocable."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.db import DatabaseError, connection

from argo.errors import ArgoError, FieldError, InvalidInput, NotFound
from signals.clock import utc_now
from signals.models import ApiKey

SCOPES = ("read", "write")
PREFIX_LENGTH = 10
_FIND = (
    "SELECT sha256, name, can_read, can_write FROM api_keys "
    "WHERE sha256 = %s AND revoked_at IS NULL"
)

_Row = tuple[str, str, bool, bool]
MAX_KNOWN = 1024
_known: dict[str, _Row] = {}
"""The valid keys that this process has seen, by digest: for a time without the database."""


class MissingScope(ArgoError):
    """The key is valid but lacks the scope."""

    status = 403


def create_key(name: str, scopes: Sequence[str]) -> str:
    """Make a key with these scopes; return the plain key, which cannot be shown again.

    Raises InvalidInput if there is no scope or an unknown one.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidInput([FieldError("scopes", f"takes one or more of {', '.join(SCOPES)}")])
    key = f"argo_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        name=name,
        sha256=_digest(key),
        prefix=key[:PREFIX_LENGTH],
        can_read="read" in scopes,
        can_write="write" in scopes,
        created_at=utc_now(),
    )
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
    scopes = dict(zip(SCOPES, row[2:], strict=True))
    if not scopes[scope]:
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


def revoke(prefix: str, now: datetime) -> ApiKey:
    """Revoke the valid key with this prefix. Raises NotFound if there is none."""
    key = ApiKey.objects.filter(prefix=prefix[:PREFIX_LENGTH], revoked_at=None).first()
    if key is None:
        raise NotFound(f"No valid key begins with {prefix}. See api_key --list.")
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    return key


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
