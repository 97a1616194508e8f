"""What one client may take of the web server."""

from dataclasses import dataclass

IDLE_TIMEOUT = 30
"""Seconds that a kept connection may wait for its next request."""
LINGER_TIMEOUT = 2.0
"""Seconds to go on reading after a refusal: closing at once would destroy the answer."""
WRITE_TIMEOUT = 60.0
"""Seconds in which a client must take a waiting part of an answer, at most `STREAM_BYTES`."""
HEAD_BYTES = 64 * 1024
"""The largest head of a request: its line and its headers."""
MAX_HEADERS = 200
MAX_PIPELINED = 256
"""Requests that one client may send ahead of their answers."""
HOOK_BYTES = 64 * 1024
"""The largest alert: what senders of hooks may post, whatever `body_bytes` is."""
FRAMING_BYTES = 512 * 1024
"""Bytes that a request may have beside its content: its head, and the frames of its chunks."""
FRAMING_RATIO = 3
"""Bytes of frames and content for each byte of content, beyond `FRAMING_BYTES`."""
SPARE_BYTES = 64 * 1024
"""Bytes of each body that need no share of the memory for bodies: a signal is always accepted."""
STREAM_BYTES = 512 * 1024
"""Bytes of an answer that wait for the client before its thread waits too: more than any static
file has."""
OTHER_FILES = 256
"""Files that the process opens beside its connections."""
EVICTABLE_AFTER = 1.0
"""Seconds after which a connection without a complete request may be closed to admit another."""
REFUSED_AT_ONCE = 128
"""Connections above the limit that get an answer; further ones are closed without."""
STOP_GRACE = 5.0
"""Seconds to finish a request that is being sent when the server stops."""
STOP_TIMEOUT = 12
"""Seconds for all answers when the server stops; then it ends without the last ones."""


@dataclass(frozen=True)
class Limits:
    """The limits that settings give.

    Attributes:
        threads: requests handled at the same time.
        others: requests that may take long, handled at the same time: all but single signals.
        connections: open connections.
        head_timeout: seconds for the head of a request.
        read_timeout: seconds for the body of a request.
        body_bytes: the largest body.
        bodies_bytes: memory for all bodies that are being read, without `SPARE_BYTES` of each.
    """

    threads: int
    others: int
    connections: int
    head_timeout: float
    read_timeout: float
    body_bytes: int
    bodies_bytes: int
