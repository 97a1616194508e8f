"""The ASGI application: reads each request completely, then lets a thread run Django.

Pages may be made by another process, to which their requests are passed on.
"""

import asyncio
import threading
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from argo.web.answer import Answer
from argo.web.body import Body, ClientGone
from argo.web.budget import Budget
from argo.web.connection import CONNECTION, Connection
from argo.web.ended import Ended
from argo.web.environ import environ
from argo.web.limits import LINGER_TIMEOUT, Limits
from argo.web.readers import Readers
from argo.web.relay import PagesAway, Relay, asked_by
from argo.web.threads import Threads
from argo.web.turns import Turns
from signals.feed.waiting import HANDOVER

FEED = "/api/feed"
"""The beginning of the paths whose readers may wait."""
Turn = AbstractAsyncContextManager[object]
END_TIMEOUT = 1.0
"""Seconds for the threads to end, after the answers were sent."""


class Application:
    """Runs a WSGI application on `limits.threads` threads.

    `relay` passes requests for pages on; `is_behind_relay` says that it is the one that gets them.
    `readers` lets readers of the feed wait.
    """

    def __init__(
        self,
        wsgi: WSGIApplication,
        limits: Limits,
        ended: Ended,
        relay: Relay | None = None,
        readers: Readers | None = None,
        *,
        is_behind_relay: bool = False,
    ) -> None:
        self.readers = readers
        self._relay, self._is_behind_relay = relay, is_behind_relay
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
        if self._is_behind_relay:
            scope = asked_by(scope)
        try:
            await body.read(scope, receive, is_here=connection.has_received_all)
            if not await self._is_passed_on(scope, connection, send, body):
                await self._answer(scope, receive, connection, send, body)
        except ClientGone:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            body.close()

    async def begin(self) -> None:
        """Prepare what belongs to the event loop."""
        if self._relay is not None:
            await self._relay.open()

    def stop(self) -> None:
        """End the readers, who would wait on."""
        if self.readers is not None:
            self.readers.stop()

    async def end(self) -> None:
        """Close what belongs to the event loop."""
        if self._relay is not None:
            await self._relay.close()

    def close(self) -> bool:
        """Let the idle threads end; return whether one still works."""
        if self.readers is not None:
            self.readers.close()
        return self._threads.close(END_TIMEOUT)

    async def _is_passed_on(
        self, scope: HTTPScope, connection: Connection, send: ASGISendCallable, body: Body
    ) -> bool:
        """Let the other process answer; return False if this one must."""
        if self._relay is None or body.refusal or not self._relay.takes(scope["path"]):
            return False
        try:
            await self._relay.answer(scope, bytes(body.data), connection, send)
        except PagesAway:
            return False
        return True

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
        if self.readers is not None and scope["path"].startswith(FEED):
            await self._answer_reader(self.readers, variables, turn, answer, connection)
            return
        rest = await self._made(variables, turn, answer, connection)
        await answer.begin()
        if body.refusal:
            await answer.send(rest, more=True)
            rest = b""
            await _read_on(receive)
        await answer.send(rest, more=False)

    async def _answer_reader(
        self,
        readers: Readers,
        variables: dict[str, Any],
        turn: Turn,
        answer: Answer,
        connection: Connection,
    ) -> None:
        """Answer a request for the feed; the view may have handed it over."""
        slot = variables[HANDOVER] = readers.slot()
        try:
            rest = await self._made(variables, turn, answer, connection)
            if slot.asked is not None and answer.is_success:
                await readers.serve(slot.asked, answer, connection)
                return
        finally:
            slot.release()
        await answer.begin()
        await answer.send(rest, more=False)

    async def _made(
        self, variables: dict[str, Any], turn: Turn, answer: Answer, connection: Connection
    ) -> bytes:
        """Let a thread make the answer; return the rest of its body. Raises ClientGone."""
        async with turn:
            if connection.is_lost:
                raise ClientGone
            return await self._threads.run(partial(answer.make, self.wsgi, variables))


async def _read_on(receive: ASGIReceiveCallable) -> None:
    """Ignore the rest of a refused body: closing at once would destroy the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_TIMEOUT):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass
