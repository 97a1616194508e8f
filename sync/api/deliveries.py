"""Endpoints under /api/sync: the state of deliveries, and sending dead ones again."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from signals.api.auth import reader, who, writer
from signals.api.bodies import refuse_unknown
from signals.clock import utc_now
from signals.keyset import Page
from signals.ledger.queries import Moment, find_row
from signals.ledger.validation import SignalName
from signals.retrieval.lists import answer, page_of
from sync.api.filters import DeliveryPage, DeliveryQuery
from sync.api.status_schemas import SyncStatus
from sync.models import DEAD, OPEN, Delivery
from sync.recovery import retry_dead
from sync.status import status

router = Router(tags=["sync"])
MOST_IDS = 10_000
"""Signals that one call may name."""


class RetryIn(Schema):
    """Select dead deliveries by their signals or by the time since they died; without either,
    select all."""

    model_config = ConfigDict(extra="forbid")  # a misspelt `signal_ids` would select all

    signal_ids: list[SignalName] | None = Field(None, max_length=MOST_IDS, fail_fast=True)
    since: Moment | None = None


class Queued(Schema):
    """How many deliveries were queued again."""

    queued: int


@router.get("/status", auth=reader, response=SyncStatus, summary="The state of sync")
def get_status(request: HttpRequest) -> dict[str, Any]:
    """Return the state, the counts, the success rates and the breaker."""
    return status(utc_now())


@router.get("/deliveries", auth=reader, response=DeliveryPage, summary="Deliveries, newest first")
def list_deliveries(request: HttpRequest, query: Query[DeliveryQuery]) -> HttpResponse:
    """Return one page of deliveries. A page by a filter without an index (all but `signal_id` and a
    `status` other than `delivered`) may be short, or empty, and still have a `next`."""
    refuse_unknown(request, DeliveryQuery)
    return answer(_page(Delivery.objects.select_related("signal"), query), query)


def _page(chosen: QuerySet[Delivery], query: DeliveryQuery) -> Page[Delivery]:
    """Return one page; what waits, is dead or belongs to one signal is found by an index."""
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.signal_id:
        chosen = chosen.filter(signal=find_row(query.signal_id) or 0)
    if query.status in ("pending", "sending"):
        return page_of(chosen.filter(OPEN), query, few=True)
    if query.signal_id:
        return page_of(chosen, query, few=True)
    if query.status == "dead":
        return page_of(chosen.filter(DEAD), query, among=Delivery.objects.filter(DEAD))
    return page_of(chosen, query)


@router.post(
    "/deliveries/retry", auth=writer, response=Queued, summary="Send dead deliveries again"
)
def retry_deliveries(request: HttpRequest, choice: RetryIn) -> dict[str, int]:
    """Queue dead deliveries again, due at once."""
    return {
        "queued": retry_dead(
            utc_now(), signal_ids=choice.signal_ids, since=choice.since, who=who(request)
        )
    }
