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
        body = orjson.dumps({"detail": self.detail, "errors": []})
        status = HTTPStatus(self.status)
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            lines.append(f"retry-after: {RETRY_AFTER}")
        return "\r\n".join([*lines, "", ""]).encode() + body
