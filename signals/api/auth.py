"""Authentication: a key with the right scope; for reading, also a logged-in member of staff."""

from django.http import HttpRequest
from ninja.security import APIKeyHeader
from ninja.security.session import SessionAuthIsStaff

from signals.keys import find_key


class KeyWithScope(APIKeyHeader):
    """The header `X-API-Key` with a key that has `scope`."""

    param_name = "X-API-Key"

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return find_key(key, self._scope) if key else None


def may_read(request: HttpRequest) -> bool:
    """Return whether the request has a key that may read, in either header.

    Raises MissingScope if its key may not read.
    """
    bearer = request.headers.get("Authorization", "")
    key = request.headers.get("X-API-Key") or bearer.removeprefix("Bearer ").strip()
    return bool(key) and find_key(key, "read") is not None


def who(request: HttpRequest) -> str:
    """Return the name of the key that a call with `writer` brought, as changes record it."""
    return f"api:{request.auth}"  # type: ignore[attr-defined]  # ninja puts it there


reader = [KeyWithScope("read"), SessionAuthIsStaff()]
writer = KeyWithScope("write")
