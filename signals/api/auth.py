"""Authentication: a key with the right scope; for reading, also a logged-in member of staff."""

from django.http import HttpRequest
from ninja.security import APIKeyHeader
from ninja.security.session import SessionAuthIsStaff
from structlog.contextvars import bind_contextvars

from signals.keys import find_key


class KeyWithScope(APIKeyHeader):
    """The header `X-API-Key` with a key that has `scope`."""

    param_name = "X-API-Key"

    def __init__(self, scope: str) -> None:
        self._scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        name = find_key(key, self._scope) if key else None
        if name is not None:
            bind_contextvars(key_name=name)  # on every log line of this request
        return name


reader = [KeyWithScope("read"), SessionAuthIsStaff()]
writer = KeyWithScope("write")
