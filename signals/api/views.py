"""Endpoints under /api/signals: they call the tracker and the queries."""

import logging
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from argo.errors import InvalidInput
from signals.api.auth import reader, writer
from signals.api.bodies import read_batch, read_object, refuse_unknown
from signals.api.repeats import does_nothing_twice
from signals.api.schemas import (
    MANY_SIGNALS,
    ONE_SIGNAL,
    Accepted,
    BatchAnswer,
    Refused,
    SignalDetail,
    SignalPage,
    StatsAnswer,
    Verified,
    VotesOut,
)
from signals.api.versions import rendered, versioned
from signals.config import journal
from signals.ledger.pages import LatestQuery, PageQuery, page
from signals.ledger.queries import one
from signals.ledger.records import Receipt
from signals.ledger.sums.answer import stats
from signals.ledger.sums.query import StatsQuery
from signals.ledger.version import ledger_version, signal_version
from signals.tracker import SignalTracker, signal_or_error
from signals.verification import verify_one

logger = logging.getLogger(__name__)
router = Router(tags=["signals"])
ORIGIN = "api"
MOST_LOGGED = 40
"""Refused signals of one batch that the log names."""
LONGEST_WAIT = 30.0
RECHECK_INTERVAL = 0.02
"""Seconds."""
_waiters = threading.BoundedSemaphore(4)
"""Limits the requests that wait at once: the others get 202, which RFC 7240 allows."""


@router.post(
    "",
    auth=writer,
    response={200: Accepted, 201: Accepted, 202: Accepted, 400: Refused, 422: Refused},
    openapi_extra=ONE_SIGNAL,
    summary="Log one signal",
)
@does_nothing_twice
def post_signal(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The signal is durable before the answer, which is 202 `accepted`.

    With `Prefer: wait=SECONDS` it is 201 `stored` if the row is committed within that time, and
    200 `duplicate` if the signal was stored before.
    """
    signal = read_object(request.body)
    tracker = SignalTracker(ORIGIN)
    seconds = _wait_seconds(request)
    if seconds is None:
        return _accepted(response, tracker.accept([signal])[0], "accepted", 202)
    return _stored_within(response, seconds, signal, tracker)


@router.post(
    "/batch",
    auth=writer,
    response={202: BatchAnswer, 400: Refused, 422: BatchAnswer | Refused},
    openapi_extra=MANY_SIGNALS,
    summary="Log many signals",
)
@does_nothing_twice
def post_batch(request: HttpRequest) -> HttpResponse:
    """Send a JSON array or NDJSON. Bad signals are refused alone; if all are bad, it is 422."""
    items = map(signal_or_error, read_batch(request.body))
    receipts = SignalTracker(ORIGIN).accept_each(items)
    results = [_result(item) for item in receipts]
    accepted = sum(result["status"] == "accepted" for result in results)
    answer = {"accepted": accepted, "refused": len(results) - accepted, "results": results}
    _log_refused(receipts)
    response = rendered(answer, 202 if accepted else 422)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's line names no reason
    return response


@router.get(
    "/latest",
    auth=reader,
    response={200: SignalPage, 422: Refused},
    summary="The newest signals",
)
def latest(request: HttpRequest, query: Query[LatestQuery]) -> HttpResponseBase:
    """Return the newest signals by their own time, of all symbols or of one instrument."""
    refuse_unknown(request, LatestQuery)
    asked = PageQuery.model_validate(query.model_dump(by_alias=True))
    return versioned(request, ledger_version(), lambda: {"items": page(asked)[0], "next": None})


@router.get(
    "/stats",
    auth=reader,
    response={200: StatsAnswer, 422: Refused},
    summary="Counts, win rate and average profit or loss",
)
def get_stats(request: HttpRequest, query: Query[StatsQuery]) -> HttpResponseBase:
    """Count the signals that the filters select, in all and by one or two values.

    `exact` is false if the answer does not count all of them; `counted` says which it counts.
    """
    refuse_unknown(request, StatsQuery)
    return versioned(request, ledger_version(), lambda: stats(query).as_dict())


@router.get(
    "/{signal_id}",
    auth=reader,
    response={200: SignalDetail, 404: Refused},
    summary="One signal, with its context and every change of its outcome",
)
def get_signal(request: HttpRequest, signal_id: str) -> HttpResponseBase:
    """Return one signal with its context and every change of its outcome."""
    return versioned(request, signal_version(signal_id), lambda: one(signal_id))


@router.get(
    "/{signal_id}/votes",
    auth=reader,
    response={200: VotesOut, 404: Refused},
    summary="The votes that made a signal",
)
def get_votes(request: HttpRequest, signal_id: str) -> HttpResponseBase:
    """Return each source's vote, with the regime and the agreement."""

    def votes() -> dict[str, Any]:
        signal = one(signal_id)
        return {name: signal[name] for name in VotesOut.model_fields}

    return versioned(request, signal_version(signal_id), votes)


@router.get(
    "/{signal_id}/verify",
    auth=reader,
    response={200: Verified, 404: Refused},
    summary="Whether hash, journal line and row of a signal agree",
)
def verify_signal(request: HttpRequest, signal_id: str) -> HttpResponse:
    """Compare the stored signal with its hash, and with its line in the journal.

    Each finding has its kind, and a sentence that names the fields that differ. A signal of another
    machine's journal can only be compared with its hash here."""
    signal = one(signal_id)
    findings = verify_one(journal(), signal_id)
    return rendered(
        {
            "signal_id": signal_id,
            "valid": not findings,
            "sha256": signal["sha256"],
            "findings": [finding.detail for finding in findings],
            "found": [
                {"kind": each.kind, "part": each.part, "detail": each.detail} for each in findings
            ],
        }
    )


def _stored_within(
    response: HttpResponse, seconds: float, signal: dict[str, object], tracker: SignalTracker
) -> HttpResponse:
    receipt = tracker.receipt(signal)
    if tracker.is_stored(receipt):
        return _accepted(response, receipt, "duplicate", 200)
    receipt = tracker.accept([signal])[0]
    if _waiters.acquire(blocking=False):
        try:
            if _is_stored_within(seconds, receipt, tracker):
                return _accepted(response, receipt, "stored", 201)
        finally:
            _waiters.release()
    return _accepted(response, receipt, "accepted", 202)


def _is_stored_within(seconds: float, receipt: Receipt, tracker: SignalTracker) -> bool:
    deadline = time.monotonic() + seconds
    while not tracker.is_stored(receipt):
        if time.monotonic() >= deadline:
            return False
        connection.close()  # other requests need it while this one sleeps
        time.sleep(RECHECK_INTERVAL)
    return True


def _log_refused(items: Sequence[Receipt | InvalidInput]) -> None:
    """Log in one line why signals were refused; the line has room for the first of many."""
    refused = [
        (place, item) for place, item in enumerate(items, 1) if isinstance(item, InvalidInput)
    ]
    if refused:
        (_, first), *others = refused[:MOST_LOGGED]
        rest = "".join(f"; number {place}: {item}" for place, item in others)
        logger.warning("Refused %d of %d signals; the first: %s%s",
                       len(refused), len(items), first, rest)  # fmt: skip


def _wait_seconds(request: HttpRequest) -> float | None:
    """Return the seconds of `Prefer: wait=SECONDS` (RFC 7240), or None."""
    prefer = request.META.get("HTTP_PREFER")
    found = prefer and re.search(r"\bwait=(\d+)", prefer)
    return min(float(found[1]), LONGEST_WAIT) if found else None


def _result(item: Receipt | InvalidInput) -> dict[str, Any]:
    if isinstance(item, InvalidInput):
        return {"status": "refused", "errors": item.errors}
    return {"status": "accepted", **_shown(item)}


def _accepted(response: HttpResponse, receipt: Receipt, status: str, code: int) -> HttpResponse:
    """Fill in the response that ninja has made already: another one would cost each signal more."""
    response.status_code = code
    response.headers["Content-Type"] = "application/json"
    response.content = orjson.dumps({**_shown(receipt), "status": status})
    return response


def _shown(receipt: Receipt) -> dict[str, str]:
    """Return the receipt for an answer: its durability only if SIGNAL_DURABILITY asks for it."""
    return {name: value for name, value in receipt._asdict().items() if value is not None}
