"""Passes requests for pages on to the process that makes them, so that no page delays a signal."""

import logging
from collections.abc import Iterable
from typing import Any, cast

import httpcore
from asgiref.typing import ASGISendCallable, HTTPScope

from argo.web.connection import Connection
from argo.web.refusal import Refusal

logger = logging.getLogger(__name__)

OF_SIGNALS = ("/api/", "/hooks/", "/metrics")
"""The beginnings of the paths that this process answers itself."""
OF_PAGES = ("/api/analysis/", "/api/signals/export")
"""Those among them that take as long as pages."""
HOP = b"x-argo-hop"
"""The header that tells the other process who asks, and where."""
OF_THE_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"upgrade", b"expect", b"content-length", b"date", b"server", HOP)
)  # fmt: skip
"""Headers that are about one connection, or that the web server sets by itself."""
CONNECTIONS = 32
CONNECT_TIMEOUT = 2.0
KEPT = 10.0
"""Seconds that a connection without a request is kept; the other process keeps it longer."""
AWAY = Refusal(503, "The process that makes pages has just ended: try again in a moment.")
Headers = Iterable[tuple[bytes, bytes]]


class PagesAway(Exception):
    """Nobody listens on the socket: nothing was sent."""


class Relay:
    """Passes requests on to a web server that listens on the Unix socket `path`."""

    def __init__(self, path: str) -> None:
        self._backend = httpcore.AnyIOBackend()
        self._pool = httpcore.AsyncConnectionPool(
            uds=path,
            max_connections=CONNECTIONS,
            keepalive_expiry=KEPT,
            network_backend=self._backend,
        )

    async def open(self) -> None:
        """Load what the first request would load, while no signal waits for the event loop."""
        await self._backend.sleep(0)

    def takes(self, path: str) -> bool:
        """Return whether the other process answers requests for this path."""
        return path.startswith(OF_PAGES) or not path.startswith(OF_SIGNALS)

    async def answer(
        self, scope: HTTPScope, body: bytes, connection: Connection, send: ASGISendCallable
    ) -> None:
        """Pass the request on, and the answer back as it comes.

        Raises PagesAway if the other process cannot be reached. If it ends before it answers, the
        answer is 503; if it ends within its answer, the connection is closed.
        """
        try:
            answer = await self._pool.handle_async_request(_request(scope, body))
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise PagesAway from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            logger.warning("The process that makes pages gave no answer: %r", error)
            await _refuse(AWAY, send)
            return
        try:
            await _pass_back(answer, connection, send)
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            logger.warning("The process that makes pages gave no whole answer: %r", error)
            connection.abort()
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def asked_by(scope: HTTPScope) -> HTTPScope:
    """Return the scope of a request that was passed on, as it was before."""
    found = dict(scope["headers"]).get(HOP, b"").decode("latin-1").split(" ")
    headers = [each for each in scope["headers"] if each[0] != HOP]
    client, server = ((host, int(port)) for host, port in (found[:2], found[2:]))
    return {**scope, "headers": headers, "client": client, "server": server}


def _request(scope: HTTPScope, body: bytes) -> httpcore.Request:
    target = scope["raw_path"] or b"/"
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    length = (b"content-length", str(len(body)).encode())
    return httpcore.Request(
        scope["method"],
        httpcore.URL(scheme=b"http", host=b"argo", port=None, target=target),
        headers=[*_end_to_end(scope["headers"]), (HOP, _hop(scope)), length],
        content=body,
        extensions={"timeout": {"connect": CONNECT_TIMEOUT}},
    )


def _hop(scope: HTTPScope) -> bytes:
    ends = scope["client"] or ("", 0), scope["server"] or ("", 0)
    return " ".join(f"{host} {port or 0}" for host, port in ends).encode("latin-1")


def _end_to_end(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [each for each in headers if each[0].lower() not in OF_THE_CONNECTION]


async def _pass_back(
    answer: httpcore.Response, connection: Connection, send: ASGISendCallable
) -> None:
    headers = _end_to_end(answer.headers)
    headers += [each for each in answer.headers if each[0].lower() == b"content-length"]
    await _begin(send, answer.status, headers)
    async for part in answer.aiter_stream():
        if connection.is_lost:
            return
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(refusal: Refusal, send: ASGISendCallable) -> None:
    await _begin(send, refusal.status, refusal.headers())
    await send({"type": "http.response.body", "body": refusal.body(), "more_body": False})


async def _begin(send: ASGISendCallable, status: int, headers: Headers) -> None:
    start = {"type": "http.response.start", "status": status, "headers": headers}
    await send(cast(Any, start | {"trailers": False}))
