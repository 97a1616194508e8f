"""An Alpine that accepts everything, as fast as Python can.

`python -m tests.receiver` prints its port; `--latency` is the delay of each answer, in seconds.
"""

import argparse
import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ANSWER = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n"
    b'{"status":"accepted"}'
)
_ID = re.compile(rb"\r\nidempotency-key: (\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Receiver(asyncio.Protocol):
    """One connection, with one request at a time. `times` counts the requests of each signal."""

    def __init__(self, latency: float, times: Counter[str]) -> None:
        self._latency = latency
        self._times = times
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # it is TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if found and length and len(body) >= int(length[1]):
            self._received = b""
            self._times.update(key.decode() for key in _ID.findall(head))
            self._answer()

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    def _answer(self) -> None:
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)


async def _serve(port: int, make: Callable[[], Receiver]) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)


@contextmanager
def counting(port: int) -> Iterator[Counter[str]]:
    """Receive on this port, on a thread; yield how often each signal came."""
    times: Counter[str] = Counter()
    connections: list[Receiver] = []

    def connect() -> Receiver:
        connections.append(Receiver(0.0, times))
        return connections[-1]

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_serve(port, connect))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield times
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for connection in connections:
            connection.close()
        loop.run_until_complete(server.wait_closed())
        loop.run_until_complete(asyncio.sleep(0))  # the sockets close in the loop's next turn
        loop.close()


async def main(latency: float) -> None:
    """Serve until the end of the process."""
    server = await _serve(0, lambda: Receiver(latency, Counter()))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    asyncio.run(main(parser.parse_args().latency))
