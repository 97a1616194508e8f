"""The endpoints /api/feed and /api/feed/stream."""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, Query, Router, Schema
from pydantic import ConfigDict, Field

from signals.api.auth import reader, still_may_read
from signals.api.bodies import refuse_unknown
from signals.api.schemas import OutcomeChangeOut, Refused, SignalFields
from signals.feed.batch import Batch
from signals.feed.formats import as_page
from signals.feed.reading import begin, read
from signals.feed.waiting import HANDOVER, RETRY_AFTER, Asked, TooManyReaders

router = Router(tags=["feed"])
STREAM_LIMIT = 100
"""Events that a stream sends at once."""
LOOK_EVERY = 0.25
_threads = threading.BoundedSemaphore(2)
"""Limits the readers that wait under another web server, where each takes a thread."""
_STREAM = {
    "responses": {
        200: {
            "description": "OK",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
}


After = Annotated[
    str | None, Field(description="The `next` of an earlier answer; `now` begins at the end")
]


class FeedQuery(Schema):
    """Where to begin, how many events to return, and how long to wait for the first."""

    model_config = ConfigDict(extra="forbid")

    after: After = None
    wait: float = Field(0, ge=0, le=60, description="Seconds")
    limit: int = Field(100, ge=1, le=1000)


class StreamQuery(Schema):
    """Where to begin: a reader that connects again sends the header `Last-Event-ID`."""

    model_config = ConfigDict(extra="forbid")

    after: After = None


class FeedChange(OutcomeChangeOut):
    """A change of a signal's outcome or order, with what tells the signal."""

    change_id: str
    signal_id: str
    sha256: str
    symbol: str
    strategy: str


class FeedEvent(Schema):
    """A stored signal, as it was stored, or a change of its outcome.

    `index` is its place in the sequence of all journal lines; not every index is an event."""

    index: int
    type: Literal["signal.stored", "signal.outcome"]
    timestamp: str
    data: SignalFields | FeedChange


class FeedPage(Schema):
    """Events in order. Keep `next` together with what you made of them, and send it as `after`;
    it never expires. There may be fewer than `limit`, or none, although the feed has more."""

    items: list[FeedEvent]
    next: str


@router.get(
    "",
    auth=reader,
    response={200: FeedPage, 422: Refused},
    summary="Stored signals and their outcome changes, in one order",
)
def get_feed(request: HttpRequest, query: Query[FeedQuery]) -> HttpResponse:
    """Return the events behind `after`, each once. If there are none yet, wait up to `wait` seconds
    for the first, and return at once when it comes.

    Without `after` it begins with the first signal that was ever stored."""
    refuse_unknown(request, FeedQuery)
    batch = read(begin(query.after), query.limit)
    if batch.events or not batch.is_last or not query.wait:
        return _page(batch)
    return _waiting(request, batch, query)


@router.get(
    "/stream",
    auth=reader,
    response={200: None, 422: Refused, 501: Refused},
    openapi_extra=_STREAM,
    summary="The same events as a stream",
)
def stream_feed(
    request: HttpRequest,
    query: Query[StreamQuery],
    last_event_id: Header[str | None] = None,
) -> HttpResponse:
    """Send Server-Sent Events as they happen, and a comment every 15 seconds.

    The `id` of an event is the cursor behind it; `data` is the event as /api/feed returns it. A
    browser that connects again sends it as `Last-Event-ID`, which counts more than `after`."""
    refuse_unknown(request, StreamQuery)
    cursor = begin(last_event_id or query.after)
    answer = HttpResponse(content_type="text/event-stream")
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"  # nginx would keep events back
    if HANDOVER not in request.META:
        return _refused(
            HTTPStatus.NOT_IMPLEMENTED,
            "This web server cannot stream. Start Argo with argo up, or read /api/feed.",
        )
    asked = Asked(cursor, STREAM_LIMIT, None, _who(request), still_may_read(request))
    return _handed_over(request, asked, answer)


def _waiting(request: HttpRequest, batch: Batch, query: FeedQuery) -> HttpResponse:
    """Hand the reader to the web server; under one that takes none, wait on this thread."""
    asked = Asked(batch.after, query.limit, query.wait, _who(request), still_may_read(request))
    if HANDOVER in request.META:
        return _handed_over(request, asked, _page(batch))
    if not _threads.acquire(blocking=False):
        return _busy(TooManyReaders("Too many readers wait: send wait=0, or start Argo with up."))
    try:
        return _page(_awaited(asked))
    finally:
        _threads.release()


def _awaited(asked: Asked, sleep: Callable[[float], object] = time.sleep) -> Batch:
    deadline = time.monotonic() + (asked.seconds or 0)
    while True:
        batch = read(asked.cursor, asked.limit)
        if batch.events or time.monotonic() >= deadline:
            return batch
        close_old_connections()  # other requests need it while this one sleeps
        sleep(LOOK_EVERY)


def _handed_over(request: HttpRequest, asked: Asked, answer: HttpResponse) -> HttpResponse:
    try:
        request.META[HANDOVER].take(asked)
    except TooManyReaders as error:
        return _busy(error)
    return answer


def _page(batch: Batch) -> HttpResponse:
    answer = HttpResponse(as_page(batch), content_type="application/json")
    answer["Cache-Control"] = "no-store"
    return answer


def _busy(error: TooManyReaders) -> HttpResponse:
    answer = _refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def _refused(status: HTTPStatus, detail: str) -> HttpResponse:
    answer = JsonResponse({"detail": detail, "errors": []}, status=status)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # a full house is no error of Argo
    return answer


def _who(request: HttpRequest) -> str:
    """Return by whose name readers are counted: a key's, or a user's."""
    found = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    return f"key {found}" if isinstance(found, str) else f"user {found}"
