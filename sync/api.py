"""Endpoints under /api/sync: the state of deliveries, and sending dead ones again."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import F
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from signals.api.auth import reader, writer
from signals.api.bodies import refuse_unknown
from signals.clock import utc_now
from signals.ledger.queries import Moment
from signals.ledger.validation import SignalName
from sync.models import OPEN, Delivery
from sync.recovery import retry_dead
from sync.status import status

router = Router(tags=["sync"])
MOST_IDS = 10_000
"""Signals that one call may name."""


class DeliveryQuery(Schema):
    """Select deliveries; `after` is the `next` of the previous page."""

    status: Literal["pending", "sending", "delivered", "dead"] | None = None
    signal_id: SignalName | None = None
    after: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class DeliveryOut(Schema):
    """One delivery and its state. `id` is the signal's row."""

    id: int
    signal_id: str
    status: str
    attempts: int
    due_at: datetime
    attempted_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_answer: str


class DeliveryPage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page."""

    items: list[DeliveryOut]
    next: int | None


class RetryIn(Schema):
    """Select dead deliveries by their signals or by the time since they died; without either,
    select all."""

    model_config = ConfigDict(extra="forbid")  # a misspelt `signal_ids` would select all

    signal_ids: list[SignalName] | None = Field(None, max_length=MOST_IDS, fail_fast=True)
    since: Moment | None = None


class Queued(Schema):
    """How many deliveries were queued again."""

    queued: int


@router.get("/status", auth=reader, summary="The state of sync")
def get_status(request: HttpRequest) -> dict[str, Any]:
    """Return the state, the counts, the success rates and the breaker."""
    return status(utc_now())


@router.get("/deliveries", auth=reader, response=DeliveryPage, summary="Deliveries, newest first")
def list_deliveries(request: HttpRequest, query: Query[DeliveryQuery]) -> dict[str, Any]:
    """Return one page of deliveries."""
    refuse_unknown(request, DeliveryQuery)
    chosen = Delivery.objects.select_related("signal").order_by("-pk")
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.status in ("pending", "sending"):  # with "+ 0" the order does not walk the table
        chosen = chosen.filter(OPEN).order_by((F("pk") + 0).desc())
    if query.signal_id:
        chosen = chosen.filter(signal__signal_id=query.signal_id)
    if query.after is not None:
        chosen = chosen.filter(pk__lt=query.after)
    items = [_out(delivery) for delivery in chosen[: query.limit]]
    return {"items": items, "next": items[-1]["id"] if len(items) == query.limit else None}


@router.post(
    "/deliveries/retry", auth=writer, response=Queued, summary="Send dead deliveries again"
)
def retry_deliveries(request: HttpRequest, choice: RetryIn) -> dict[str, int]:
    """Queue dead deliveries again, due at once."""
    return {"queued": retry_dead(utc_now(), signal_ids=choice.signal_ids, since=choice.since)}


def _out(delivery: Delivery) -> dict[str, Any]:
    own = DeliveryOut.model_fields.keys() - {"id", "signal_id"}
    return {
        "id": delivery.pk,
        "signal_id": delivery.signal.signal_id,
        **{name: getattr(delivery, name) for name in own},
    }
