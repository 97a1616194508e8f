"""The two forms in which readers get events: a page of JSON, and Server-Sent Events."""

from signals.feed.batch import Batch

COMMENT = b":\n\n"
"""What a stream sends when nothing happens, so that nobody takes the connection for dead."""
RETRY = b"retry: 2000\n\n"
"""Tells a browser after how many milliseconds to connect again."""


def as_page(batch: Batch) -> bytes:
    """Return the events as one JSON object, with the cursor behind them as `next`."""
    items = b",".join(event.body for event in batch.events)
    return b'{"items":[%b],"next":"%b"}' % (items, batch.after.text().encode())


def as_stream(batch: Batch) -> bytes:
    """Return the events as Server-Sent Events; the id of each is the cursor behind it."""
    return b"".join(
        b"id: %b\nevent: %b\ndata: %b\n\n"
        % (event.cursor.encode(), event.type.encode(), event.body)
        for event in batch.events
    )
