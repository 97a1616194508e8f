"""Endpoints under /api/sync: how deliveries stand, and sending dead ones again."""

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
from sync.dead import revive
from sync.models import OPEN, Delivery
from sync.status import status

router = Router(tags=["sync"])


class DeliveryQuery(Schema):
    """Which deliveries; `after` is the `next` of the page before."""

    status: Literal["pending", "sending", "delivered", "dead"] | None = None
    signal_id: str | None = None
    after: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class DeliveryOut(Schema):
    """How one delivery stands. `id` is the signal's row."""

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
    """`next` begins the next page, as its `after`; null at the end."""

    items: list[DeliveryOut]
    next: int | None


class RetryIn(Schema):
    """Which dead deliveries: of these signals, or dead since then; all where both are left out."""

    model_config = ConfigDict(extra="forbid")  # misspelt, `signal_ids` would mean all of them

    signal_ids: list[str] | None = None
    since: Moment | None = None


class Queued(Schema):
    queued: int


@router.get("/status", auth=reader, summary="How sending stands")
def get_status(request: HttpRequest) -> dict[str, Any]:
    return status(utc_now())


@router.get("/deliveries", auth=reader, response=DeliveryPage, summary="Deliveries, newest first")
def list_deliveries(request: HttpRequest, query: Query[DeliveryQuery]) -> dict[str, Any]:
    refuse_unknown(request, DeliveryQuery)
    chosen = Delivery.objects.select_related("signal").order_by("-pk")
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.status in ("pending", "sending"):  # "+ 0", lest the order make it walk the table
        chosen = chosen.filter(OPEN).order_by((F("pk") + 0).desc())
    if query.signal_id:
        chosen = chosen.filter(signal__signal_id=query.signal_id)
    if query.after is not None:
        chosen = chosen.filter(pk__lt=query.after)
    items = [_out(delivery) for delivery in chosen[: query.limit]]
    return {"items": items, "next": items[-1]["id"] if len(items) == query.limit else None}


@router.post("/deliveries/retry", auth=writer, response=Queued, summary="Send dead ones again")
def retry_deliveries(request: HttpRequest, choice: RetryIn) -> dict[str, int]:
    return {"queued": revive(utc_now(), signal_ids=choice.signal_ids, since=choice.since)}


def _out(delivery: Delivery) -> dict[str, Any]:
    own = DeliveryOut.model_fields.keys() - {"id", "signal_id"}
    return {
        "id": delivery.pk,
        "signal_id": delivery.signal.signal_id,
        **{name: getattr(delivery, name) for name in own},
    }
