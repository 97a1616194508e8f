"""Witnesses on loopback that do what a test tells them: cosign, answer anything, lie, be gone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.notes import parse_note
from signals.record.formats.tree import roots_by_consistency
from signals.record.signing import WitnessSigner
from signals.record.submission import SIZE_TYPE, parse_submission

Reply = tuple[int, str, bytes]
"""A status, a content type and a body."""


@dataclass
class Witness:
    """A witness that remembers one log. `answer` replaces its answer to the next submissions."""

    signer: WitnessSigner
    url: str = ""
    size: int = 0
    root: bytes = b""
    note: bytes = b""
    bodies: list[bytes] = field(default_factory=list)
    answer: Callable[[bytes], Reply] | None = None
    clock: Callable[[], float] = time.time

    @property
    def named(self) -> str:
        """Return it as RECORD_WITNESSES names it."""
        return f"{self.signer.key} {self.url}"

    def add_checkpoint(self, body: bytes) -> Reply:
        self.bodies.append(body)
        return self.answer(body) if self.answer else self.honest(body)

    def honest(self, body: bytes) -> Reply:
        """Answer as C2SP tlog-witness says."""
        asked = parse_submission(body)
        note = parse_note(asked.checkpoint)
        found = parse_checkpoint(note.text)
        if asked.old != self.size:
            return 409, SIZE_TYPE, f"{self.size}\n".encode()
        if self.size:
            roots = roots_by_consistency(self.size, found.size, self.root, asked.proof)
            if roots != (self.root, found.root):
                return 422, "text/plain", b"not consistent\n"
        self.size, self.root, self.note = found.size, found.root, asked.checkpoint
        line = self.signer.cosign(note.text, int(self.clock()))
        return 200, "text/plain", f"{line}\n".encode()


def fixed(status: int, body: bytes = b"no\n", kind: str = "text/plain") -> Reply:
    return status, kind, body


@contextmanager
def serving(witness: Witness, port: int = 0) -> Iterator[Witness]:
    """Serve a witness on a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(witness.add_checkpoint(body))

        def do_GET(self) -> None:
            found = (200, "text/plain", witness.note) if witness.note else (404, "text/plain", b"")
            self._send(found)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply[0])
            self.send_header("Content-Type", reply[1])
            self.send_header("Content-Length", str(len(reply[2])))
            self.end_headers()
            with suppress(ConnectionError):  # who asked may have been killed
                self.wfile.write(reply[2])

        def log_message(self, *_: Any) -> None:  # noqa: ANN401  # a test prints nothing
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        witness.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield witness
        finally:
            server.shutdown()
            thread.join()
