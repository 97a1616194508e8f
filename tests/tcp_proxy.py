"""A TCP proxy that passes bytes on, or swallows them, as a server that was stopped does."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Listens on `port`. While it swallows, connections stay open and nothing comes back."""

    def __init__(self, listener: socket.socket, host: str, port: int) -> None:
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._target = host, port
        self._passes = threading.Event()
        self._passes.set()
        self._sockets: list[socket.socket] = [listener]

    def swallow(self) -> None:
        """Hold back all bytes from now on."""
        self._passes.clear()

    def pass_on(self) -> None:
        """Pass on what was held back, and everything that follows."""
        self._passes.set()

    def run(self) -> None:
        """Accept connections until `close`."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                threading.Thread(target=self._shuttle, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        self._passes.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _shuttle(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError), selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # a socket
                    self._passes.wait()
                    if not data:
                        key.data.shutdown(socket.SHUT_RDWR)
                        return
                    key.data.sendall(data)


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """Run a proxy to this server within the block."""
    made = Proxy(socket.create_server(("127.0.0.1", 0)), host, port)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join(5)
