"""API keys: shown once, stored as SHA-256, limited to scopes, revocable."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.db import connection

from argo.errors import ArgoError, FieldError, InvalidInput, NotFound
from signals.clock import utc_now
from signals.models import ApiKey

SCOPES = ("read", "write")
PREFIX_LENGTH = 10
_FIND = (
    "SELECT sha256, name, can_read, can_write FROM api_keys "
    "WHERE sha256 = %s AND revoked_at IS NULL"
)


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

    A revoked key ends within a second, in every process. Raises MissingScope if the key is valid
    but lacks `scope`.
    """
    digest = _digest(key)
    row = _row(digest, int(time.monotonic()))
    if row is None or not hmac.compare_digest(row[0], digest):
        return None
    scopes = dict(zip(SCOPES, row[2:], strict=True))
    if not scopes[scope]:
        raise MissingScope(f"The key {row[1]} may not {scope}: make one that may with api_key.")
    return str(row[1])


@lru_cache(maxsize=1024)
def _row(digest: str, second: int) -> tuple[str, str, bool, bool] | None:
    """Look the key up once a second; each time, it would take a third of a request's time."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [digest])
        row: tuple[str, str, bool, bool] | None = cursor.fetchone()
        return row


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
