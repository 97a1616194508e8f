"""Authentication: a key with the right scope; to read, also staff who may see signals.

A key comes in the header `X-API-Key`, or as `Authorization: Bearer KEY`, which many monitors send.
"""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.session import SessionAuthIsStaff
from structlog.contextvars import bind_contextvars

from signals.keys import find_key

VIEW = "signals.view_signal"
"""The permission of the admin site that each of its groups has."""


class Caller(NamedTuple):
    """The key that a call brought, and the scope that the call needs: `request.caller`."""

    key: str
    scope: str

    @property
    def digest(self) -> bytes:
        """Return what tells callers apart without the key itself."""
        return sha256(f"{self.scope} {self.key}".encode()).digest()


class KeyWithScope(APIKeyHeader):
    """The header `X-API-Key` with a key that has `scope`."""

    param_name = "X-API-Key"

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return _name_of(request, key, self._scope)


class BearerWithScope(HttpBearer):
    """The header `Authorization: Bearer KEY` with a key that has `scope`."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        return _name_of(request, token, self._scope)


class StaffWhoMayView(SessionAuthIsStaff):
    """A member of staff who is logged in to the admin site and may see signals there."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ANN401  # a user
        user = super().authenticate(request, key)
        return user if user is not None and user.has_perm(VIEW) else None


def _name_of(request: HttpRequest, key: str | None, scope: str) -> str | None:
    """Return the name of a key that has `scope`, and put it on every log line of this request."""
    name = find_key(key, scope) if key else None
    if key and name is not None:
        bind_contextvars(key_name=name)
        request.caller = Caller(key, scope)  # type: ignore[attr-defined]
    return name


def who(request: HttpRequest) -> str:
    """Return the name of the key that the call brought, as changes record it."""
    return f"api:{request.auth}"  # type: ignore[attr-defined]  # ninja puts it there


def still_may_read(request: HttpRequest) -> Callable[[], bool]:
    """Return a function that says whether the sender of this request still may read.

    It keeps nothing of the request but a key, or the session and its user.
    """
    if isinstance(request.auth, str):  # type: ignore[attr-defined]  # ninja puts it there
        return partial(_key_may_read, _keys_of(request))
    return partial(_session_may_read, str(request.session.session_key), request.user.pk)


def _keys_of(request: HttpRequest) -> list[str]:
    bearer = request.headers.get("Authorization", "").partition(" ")[2].strip()
    return [key for key in (request.headers.get("X-API-Key"), bearer) if key]


def _key_may_read(keys: list[str]) -> bool:
    return any(find_key(key, "read") for key in keys)


def _session_may_read(session: str, user: Any) -> bool:  # noqa: ANN401  # a primary key
    found = get_user_model().objects.filter(pk=user, is_active=True, is_staff=True).first()
    is_logged_in = import_module(settings.SESSION_ENGINE).SessionStore().exists(session)
    return bool(is_logged_in and found is not None and found.has_perm(VIEW))


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
