"""Reads the body of a request, under a deadline and limits."""

import asyncio
from http import HTTPStatus

from asgiref.typing import ASGIReceiveCallable, HTTPScope

from argo.web.budget import Budget
from argo.web.ended import Ended
from argo.web.limits import HOOK_BYTES, SPARE_BYTES, Limits
from argo.web.refusal import Refusal
from argo.web.turns import HOOKS


class ClientGone(Exception):
    """Nobody reads the answer."""


class Body:
    """A body while it is read; `close` frees its share of the memory for bodies.

    Attributes:
        data: what was read.
        refusal: why the request is not handled, if it is not; then `data` is empty.
    """

    def __init__(self, limits: Limits, budget: Budget, ended: Ended) -> None:
        self._limits, self._budget, self._ended = limits, budget, ended
        self._taken, self._most = 0, limits.body_bytes
        self.data = bytearray()
        self.refusal: Refusal | None = None

    async def read(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, *, is_here: bool = False
    ) -> None:
        """Read to the end, or to the first limit. Raises ClientGone.

        A body that is here, because it came with its head, needs no deadline.
        """
        if scope["path"].startswith(HOOKS):
            self._most = min(HOOK_BYTES, self._most)
        declared = _declared(scope)
        if declared > self._most:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has {declared} bytes")
            return
        if is_here:
            await self._read(receive)
            return
        try:
            async with asyncio.timeout(self._limits.read_timeout):
                await self._read(receive)
        except TimeoutError:
            self._ended.count("did not send a body in time")
            seconds = f"{self._limits.read_timeout:g} seconds"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {seconds}.")

    def take(self) -> bytes:
        """Return what was read, and keep no copy."""
        data, self.data = bytes(self.data), bytearray()
        return data

    def close(self) -> None:
        """Free the memory."""
        self._budget.give_back(self._taken)
        self._taken = 0
        self.data = bytearray()

    async def _read(self, receive: ASGIReceiveCallable) -> None:
        has_more = True
        while has_more and self.refusal is None:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            has_more = message["more_body"]
            self._add(message["body"])

    def _add(self, part: bytes) -> None:
        size = len(self.data) + len(part)
        excess = max(0, size - SPARE_BYTES) - self._taken
        if size > self._most:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {size - 1} bytes"
            )
        elif excess > 0 and not self._budget.take(excess):
            self._ended.count("bodies did not fit into the memory for them")
            detail = "Too many large bodies are being read: try again in a moment."
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        else:
            self._taken += max(0, excess)
            self.data += part

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        self.close()
        self.refusal = Refusal(status, detail)


def _declared(scope: HTTPScope) -> int:
    """Return the length that the headers declare; 0 if none."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
