"""A small load balancer: passes connections on to the nodes whose readiness it has just seen."""

import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from tests.tcp_proxy import Proxy

LOOK_EVERY = 0.3
"""Seconds between two looks at each node."""
HOST = "127.0.0.1"


class Balancer(Proxy):
    """Listens on `port` for the nodes at these ports; `refused` counts connections that no node
    took."""

    def __init__(self, listener: socket.socket, ports: Sequence[int]) -> None:
        super().__init__(listener, HOST, ports[0])
        self._ports = ports
        self._turns = itertools.count()
        self.ready: set[int] = set()
        self.refused = 0
        self._is_closed = threading.Event()

    def run(self) -> None:
        """Accept connections until `close`."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection((HOST, self._choose()))
                except OSError:
                    self.refused += 1
                    client.close()
                    continue
                self._sockets += [client, server]
                threading.Thread(target=self._shuttle, args=(client, server), daemon=True).start()

    def look(self) -> None:
        """Ask each node if it is ready, again and again until `close`."""
        while not self._is_closed.wait(LOOK_EVERY):
            self.ready = {port for port in self._ports if is_ready(port)}

    def close(self) -> None:
        """End every connection."""
        self._is_closed.set()
        super().close()

    def _choose(self) -> int:
        ready = sorted(self.ready) or [self._ports[0]]
        return ready[next(self._turns) % len(ready)]


def is_ready(port: int) -> bool:
    """Return whether the node says that it is ready."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=2)) as client:
        try:
            client.request("GET", "/api/health/ready")
            return client.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


@contextmanager
def balancer(ports: Sequence[int]) -> Iterator[Balancer]:
    """Run a balancer within the block, which begins when every node is ready."""
    made = Balancer(socket.create_server((HOST, 0)), ports)
    for work in (made.run, made.look):
        threading.Thread(target=work, daemon=True).start()
    while made.ready != set(ports):
        time.sleep(LOOK_EVERY)
    yield made
    made.close()
