"""Names the signal that log lines are about."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, reset_contextvars


@contextmanager
def about_signal(signal_id: str) -> Iterator[None]:
    """Add `signal_id` to every log line of this thread or task inside the block."""
    tokens = bind_contextvars(signal_id=signal_id)
    try:
        yield
    finally:
        reset_contextvars(**tokens)
