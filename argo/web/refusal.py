"""Why a request is not handled."""

from dataclasses import dataclass
from http import HTTPStatus

import orjson

REFUSAL = "argo.refusal"
"""The key of the WSGI environment with a `Refusal`, for the middleware `BodyLimit`."""
RETRY_AFTER = "2"
"""Seconds after which a client should try again."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is not handled: the status of the answer, and a sentence for people."""

    status: int
    detail: str

    def answer(self) -> bytes:
        """Return the whole answer to a request that Django does not see."""
        status = HTTPStatus(self.status)
        first = f"HTTP/1.1 {status.value} {status.phrase}".encode()
        lines = [name + b": " + value for name, value in self.headers()]
        return b"\r\n".join([first, *lines, b"connection: close", b"", self.body()])

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer."""
        found = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body())).encode()),
        ]
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            found.append((b"retry-after", RETRY_AFTER.encode()))
        return found

    def body(self) -> bytes:
        """Return the body of the answer."""
        return orjson.dumps({"detail": self.detail, "errors": []})
