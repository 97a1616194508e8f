"""Authentication: a key with the right scope; to read, also staff who may see signals.

A key comes in the header `X-API-Key`, or as `Authorization: Bearer KEY`, which many monitors send.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.session import SessionAuthIsStaff
from structlog.contextvars import bind_contextvars

from signals.keys import find_key

VIEW = "signals.view_signal"
"""The permission of the admin site that each of its groups has."""


class KeyWithScope(APIKeyHeader):
    """The header `X-API-Key` with a key that has `scope`."""

    param_name = "X-API-Key"

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return _name_of(key, self._scope)


class BearerWithScope(HttpBearer):
    """The header `Authorization: Bearer KEY` with a key that has `scope`."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        return _name_of(token, self._scope)


class StaffWhoMayView(SessionAuthIsStaff):
    """A member of staff who is logged in to the admin site and may see signals there."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ANN401  # a user
        user = super().authenticate(request, key)
        return user if user is not None and user.has_perm(VIEW) else None


def _name_of(key: str | None, scope: str) -> str | None:
    """Return the name of a key that has `scope`, and put it on every log line of this request."""
    name = find_key(key, scope) if key else None
    if name is not None:
        bind_contextvars(key_name=name)
    return name


def who(request: HttpRequest) -> str:
    """Return the name of the key that the call brought, as changes record it."""
    return f"api:{request.auth}"  # type: ignore[attr-defined]  # ninja puts it there


reader = [KeyWithScope("read"), BearerWithScope("read"), StaffWhoMayView()]
writer = [KeyWithScope("write"), BearerWithScope("write")]
trader = [KeyWithScope("trade"), BearerWithScope("trade")]
administrator = [KeyWithScope("admin"), BearerWithScope("admin")]


def may_read(request: HttpRequest) -> bool:
    """Return whether the request may read; False if it brings no key and no session.

    For calls that also answer without a key. Raises `HttpError` (401) for a key that is not valid,
    and `MissingScope` for one that may not read.
    """
    if any(method(request) for method in reader):
        return True
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    if request.headers.get("X-API-Key") or scheme == BearerWithScope.openapi_scheme:
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Unauthorized")
    return False
