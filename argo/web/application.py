"""The ASGI application: reads each request completely, then lets a thread run Django."""

import asyncio
import threading
from contextlib import suppress
from functools import partial
from wsgiref.types import WSGIApplication

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from argo.web.answer import Answer
from argo.web.body import Body, ClientGone
from argo.web.budget import Budget
from argo.web.connection import CONNECTION, Connection
from argo.web.ended import Ended
from argo.web.environ import environ
from argo.web.limits import LINGER_TIMEOUT, Limits
from argo.web.threads import Threads
from argo.web.turns import Turns

END_TIMEOUT = 1.0
"""Seconds for the threads to end, after the answers were sent."""


class Application:
    """Runs a WSGI application on `limits.threads` threads."""

    def __init__(self, wsgi: WSGIApplication, limits: Limits, ended: Ended) -> None:
        self.wsgi, self.limits, self._ended = wsgi, limits, ended
        self.budget = Budget(limits.bodies_bytes)
        self._threads = Threads(limits.threads)
        self._turns = Turns(limits.others)
        self._slow_clients = threading.BoundedSemaphore(max(1, limits.others // 2))

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        connection: Connection = scope[CONNECTION]  # type: ignore[literal-required]
        body = Body(self.limits, self.budget, self._ended)
        try:
            await body.read(scope, receive, is_here=connection.has_received_all)
            await self._answer(scope, receive, connection, send, body)
        except ClientGone:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            body.close()

    def close(self) -> bool:
        """Let the idle threads end; return whether one still works."""
        return self._threads.close(END_TIMEOUT)

    async def _answer(
        self,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        connection: Connection,
        send: ASGISendCallable,
        body: Body,
    ) -> None:
        turn = self._turns.of(scope, len(body.data))
        variables = environ(scope, body.take(), body.refusal)
        answer = Answer(connection, send, self._slow_clients, closes=body.refusal is not None)
        async with turn:
            if connection.is_lost:
                raise ClientGone
            rest = await self._threads.run(partial(answer.make, self.wsgi, variables))
        await answer.begin()
        if body.refusal:
            await answer.send(rest, more=True)
            rest = b""
            await _read_on(receive)
        await answer.send(rest, more=False)


async def _read_on(receive: ASGIReceiveCallable) -> None:
    """Ignore the rest of a refused body: closing at once would destroy the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_TIMEOUT):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass
