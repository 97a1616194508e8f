"""Sets up the web server: uvicorn with Argo's connections and application."""

import math
import os
import socket
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, cast
from wsgiref.types import WSGIApplication

import uvicorn

from argo.web.application import Application
from argo.web.connection import Connection
from argo.web.ended import Ended
from argo.web.leaving import leaving
from argo.web.limits import IDLE_TIMEOUT, STOP_TIMEOUT, Limits
from argo.web.readers import Readers
from argo.web.relay import Relay

REPORT_EVERY = 10
"""Seconds between two lines of the log about clients that were cut off."""


class Server(uvicorn.Server):
    """Serves a WSGI application within `limits`, on a socket that `listen` returns."""

    def __init__(
        self,
        wsgi: WSGIApplication,
        limits: Limits,
        relay: Relay | None = None,
        readers: Readers | None = None,
        *,
        is_behind_relay: bool = False,
        drain: float = 0.0,
    ) -> None:
        ended = Ended()
        self.application = Application(
            wsgi, limits, ended, relay, readers, is_behind_relay=is_behind_relay
        )
        super().__init__(_config(self.application, limits, ended))
        self._drain, self._stop_at = drain, math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await self.application.begin()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Answer for `drain` seconds more and say that this server is not ready; stop then.

        A second signal stops it at once.
        """
        if self._drain <= 0 or leaving.is_set():
            super().handle_exit(sig, frame)
            return
        leaving.set()
        self._stop_at = time.monotonic() + self._drain

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; called ten times a second."""
        if time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let all answers end."""
        self.application.stop()
        await super().shutdown(sockets)
        await self.application.end()

    def close(self) -> bool:
        """Let the threads end; return whether one is still busy."""
        return self.application.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address. Raises `OSError` if it cannot be used.

    It names its protocol: otherwise asyncio leaves out TCP_NODELAY, and each answer waits 40 ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def listen_on(path: str) -> socket.socket:
    """Return a Unix socket at this path, for this user alone. Raises `OSError`."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # of a process that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen()  # so that nobody is refused until the event loop begins
    except OSError:
        listener.close()
        raise
    return listener


def _config(application: Application, limits: Limits, ended: Ended) -> uvicorn.Config:
    connection = partial(Connection, limits, ended)
    return uvicorn.Config(
        cast(Any, application),
        interface="asgi3",
        http=cast(Any, connection),
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,  # Argo's own
        access_log=False,
        proxy_headers=False,  # ARGO_TRUSTED_PROXIES and ARGO_HTTPS say what is believed
        server_header=False,
        timeout_keep_alive=IDLE_TIMEOUT,
        timeout_graceful_shutdown=STOP_TIMEOUT,
        callback_notify=ended.report,
        timeout_notify=REPORT_EVERY,
    )
