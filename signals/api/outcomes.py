"""Endpoints of outcomes: how a signal ended, and its edits."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router
from ninja.responses import Status

from argo.errors import ArgoError, Conflict, FieldError, InvalidInput
from signals.api.auth import reader, who, writer
from signals.api.bodies import read_batch, read_object, refuse_unknown
from signals.api.change_schemas import ChangePage, ChangeQuery
from signals.api.preconditions import required_tags, tags_in
from signals.api.repeats import does_nothing_twice
from signals.api.schemas import (
    MANY_OUTCOMES,
    ONE_OUTCOME,
    OutcomeChangeOut,
    OutcomeItem,
    OutcomeOut,
    OutcomeResults,
    Refused,
)
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.outcome_edits import (
    ANY_TAG,
    Edit,
    Edited,
    edit_each,
    edit_faults,
    edit_outcome,
)
from signals.ledger.outcome_history import RecordedOutcome, read_outcome
from signals.ledger.queries import changes_of, find_row
from signals.models import OutcomeChange
from signals.retrieval.lists import answer, page_of

router = Router(tags=["signals"])
MANY = "/api/signals/outcomes"
MANY_LIMIT = 200
"""Edits of one request. Each is a transaction of its own that is synced to disk, and a request must
not hold its thread for seconds."""
OF_THE_ITEM = ("signal_id", "etag")


@router.post(
    "/outcomes",
    auth=writer,
    response={200: OutcomeResults, 400: Refused, 422: OutcomeResults},
    openapi_extra=MANY_OUTCOMES,
    summary="Record or change the outcomes of many signals",
)
@does_nothing_twice
def post_outcomes(request: HttpRequest) -> Status[dict[str, Any]]:
    """Send a JSON array or NDJSON. Each edit is made or refused by itself, in order; if all are
    refused, it is 422. The outcome of an edit with an `etag` is changed only if it has this ETag;
    without one it is overwritten."""
    items = list(read_batch(request.body, limit=MANY_LIMIT, what="outcome", nan=True))
    results = edit_each(map(_edit, items), who=who(request), now=utc_now(), journal=journal())
    answers = [_answer(*each) for each in zip(items, results, strict=True)]
    counts = Counter(answer["status"] for answer in answers)
    summary = {name: counts[name] for name in ("changed", "unchanged", "refused")}
    return Status(422 if counts["refused"] == len(items) else 200, summary | {"results": answers})


@router.get(
    "/outcomes", auth=reader, response=ChangePage,
    summary="Changes of outcomes and orders, newest first",
)  # fmt: skip
def list_changes(request: HttpRequest, query: Query[ChangeQuery]) -> HttpResponse:
    """Return one page of changes, of all signals. A page by a filter without an index (all but
    `signal_id`) may be short, or empty, and still have a `next`."""
    refuse_unknown(request, ChangeQuery)
    rows = query.chosen(OutcomeChange.objects.select_related("signal"))
    if query.signal_id is None:
        return answer(page_of(rows, query), query)
    of_one = rows.filter(signal=find_row(query.signal_id) or 0)
    return answer(page_of(of_one, query, few=True), query)


@router.get(
    "/{signal_id}/outcome",
    auth=reader,
    response={200: OutcomeOut, 404: Refused},
    summary="How a signal ended",
)
def get_outcome(request: HttpRequest, response: HttpResponse, signal_id: str) -> RecordedOutcome:
    """The header `ETag` is another one after every change of the outcome."""
    return _tagged(response, read_outcome(signal_id))


@router.patch(
    "/{signal_id}/outcome",
    auth=writer,
    response={200: OutcomeOut, 404: Refused, 412: Refused, 428: Refused},
    openapi_extra=ONE_OUTCOME,
    summary="Record or change how a signal ended",
)
def patch_outcome(
    request: HttpRequest,
    response: HttpResponse,
    signal_id: str,
    if_match: str | None = Header(None, alias="If-Match"),  # type: ignore[type-arg]
) -> RecordedOutcome:
    """A field that is left out stays as it is, and null clears it; the profit or loss is computed.
    Send the `ETag` that you have read as `If-Match`: 412 if the outcome was changed since, 428
    without the header. `If-Match: *` overwrites. What a position decided is kept beside the edit.
    """
    tags = required_tags(if_match)
    fields = read_object(request.body, several_to=MANY, nan=True)
    edited = edit_outcome(
        signal_id, fields, tags, who=who(request), now=utc_now(), journal=journal()
    )
    return _tagged(response, edited.recorded)


@router.get(
    "/{signal_id}/outcome/changes",
    auth=reader,
    response={200: list[OutcomeChangeOut], 404: Refused},
    summary="Every change of a signal's outcome, oldest first",
)
def get_changes(request: HttpRequest, signal_id: str) -> list[dict[str, Any]]:
    """Return who changed what, when and why, with the values before and after. Changes of the
    signal's order are among them."""
    return changes_of(signal_id)


def _tagged(response: HttpResponse, recorded: RecordedOutcome) -> RecordedOutcome:
    response["ETag"] = recorded.etag
    return recorded


def _edit(item: object) -> Edit | InvalidInput:
    """Return the edit of an item; its other fields are checked together with its signal."""
    if isinstance(item, InvalidInput):
        return item
    if not isinstance(item, dict):
        return InvalidInput([FieldError("outcome", "must be a JSON object")])
    faults = edit_faults(OutcomeItem, item)
    if any(fault.field in OF_THE_ITEM for fault in faults):
        return InvalidInput(faults)
    try:
        tags = [ANY_TAG] if item.get("etag") is None else tags_in(item["etag"], "etag")
    except InvalidInput as error:
        return InvalidInput([*error.errors, *faults])
    fields = {name: value for name, value in item.items() if name not in OF_THE_ITEM}
    return Edit(item["signal_id"], fields, tags)


def _answer(item: object, result: Edited | ArgoError) -> dict[str, Any]:
    signal_id = item.get("signal_id") if isinstance(item, Mapping) else None
    named = {"signal_id": signal_id if isinstance(signal_id, str) else None}
    if isinstance(result, Edited):
        status = "changed" if result.changed else "unchanged"
        return named | {"status": status, "code": 200, "outcome": result.recorded}
    return named | {"status": "refused", "code": result.status, "errors": _faults(result)}


def _faults(error: ArgoError) -> tuple[FieldError, ...]:
    """Return the invalid fields; a conflict is about the tag, a missing signal about the id."""
    if isinstance(error, InvalidInput):
        return error.errors
    return (FieldError("etag" if isinstance(error, Conflict) else "signal_id", str(error)),)
