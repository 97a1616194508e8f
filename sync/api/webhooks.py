"""Endpoints under /api/sync/webhooks: subscriptions to events, for keys with the scope `admin`."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, StringConstraints

from signals.api.auth import administrator, who
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.api.secrets import shown_once
from signals.clock import utc_now
from signals.keyset import Page
from signals.ledger.queries import Moment
from signals.ledger.validation import NO_NUL, Label
from signals.retrieval.lists import answer, page_of
from sync.api.filters import EventPage, EventQuery
from sync.models import DEAD_EVENTS, OPEN_EVENTS, EventDelivery
from sync.webhooks import retrying, subscriptions
from sync.webhooks.addresses import LONGEST_URL
from sync.webhooks.signing import public_key
from sync.webhooks.status import status_of, statuses

router = Router(tags=["webhooks"])
Address = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL, pattern=NO_NUL)]
TEST_TIMEOUT = 5.0
"""Seconds for a receiver's answer: a longer wait would keep a thread from taking signals."""


class SubscriptionOut(Schema):
    """A subscription and how its events stand. Secrets are never shown again."""

    name: str
    url: str
    types: list[str]
    state: str
    reason: str
    made_by: str
    made_at: datetime
    changed_at: datetime
    pending: int
    dead: int
    oldest_pending_seconds: float | None
    failing_since: datetime | None
    paused_for: str


class SubscriptionsOut(Schema):
    """All subscriptions, and the public key that verifies the `v1a` signatures."""

    public_key: str
    subscriptions: list[SubscriptionOut]


class SubscriptionIn(Schema):
    """A new subscription: `types` are types of events, or `all`."""

    model_config = ConfigDict(extra="forbid")

    name: Label
    url: Address
    types: list[Label] = Field(min_length=1, max_length=100)


class SecretOut(Schema):
    """The secret that signs the events of a subscription: keep it, it is shown once."""

    name: str
    secret: str
    public_key: str


class TestedOut(Schema):
    """What the receiver answered; `status` is null if there was no answer."""

    accepted: bool
    status: int | None
    answer: str


class ReplayIn(Schema):
    """The time from which on events are sent again."""

    model_config = ConfigDict(extra="forbid")

    since: Moment


class QueuedEvents(Schema):
    """How many events were queued again."""

    queued: int


@router.get("", auth=administrator, response=SubscriptionsOut, summary="All subscriptions")
def list_subscriptions(request: HttpRequest) -> dict[str, Any]:
    """Return each subscription with its state, what waits for it and what is dead."""
    found = [each.as_dict() for each in statuses(utc_now())]
    return {"public_key": public_key(), "subscriptions": found}


@router.post(
    "", auth=administrator, response={201: SecretOut, 409: Refused, 422: Refused},
    summary="Make a subscription",
)  # fmt: skip
def create_subscription(request: HttpRequest, body: SubscriptionIn) -> HttpResponse:
    """Make a subscription; the answer has its secret, which is not shown again."""
    made = subscriptions.create(body.name, body.url, body.types, now=utc_now(), who=who(request))
    return _secret(made.name, made.secret, 201)


@router.get(
    "/events", auth=administrator, response={200: EventPage, 404: Refused},
    summary="Events, newest first",
)  # fmt: skip
def list_events(request: HttpRequest, query: Query[EventQuery]) -> HttpResponse:
    """Return one page of what was queued for subscriptions. A page by a filter without an index
    (all but a `status` other than `delivered`) may be short, or empty, and still have a `next`."""
    refuse_unknown(request, EventQuery)
    chosen = EventDelivery.objects.select_related("subscription")
    if query.name is not None:
        chosen = chosen.filter(subscription=subscriptions.named(query.name))
    return answer(_page(chosen, query), query)


def _page(chosen: QuerySet[EventDelivery], query: EventQuery) -> Page[EventDelivery]:
    """Return one page; what waits or is dead is found by an index."""
    if query.status is not None:
        chosen = chosen.filter(status=query.status)
    if query.status in ("pending", "sending"):
        return page_of(chosen.filter(OPEN_EVENTS), query, few=True)
    if query.status == "dead":
        return page_of(chosen.filter(DEAD_EVENTS), query, few=True)
    return page_of(chosen, query)


@router.get(
    "/{name}", auth=administrator, response={200: SubscriptionOut, 404: Refused},
    summary="One subscription",
)  # fmt: skip
def get_subscription(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return one subscription."""
    return status_of(subscriptions.named(name), utc_now()).as_dict()


@router.post(
    "/{name}/revoke", auth=administrator,
    response={200: SubscriptionOut, 404: Refused, 409: Refused}, summary="End a subscription",
)  # fmt: skip
def revoke_subscription(request: HttpRequest, name: str) -> dict[str, Any]:
    """Send it nothing more; what waits is kept."""
    subscriptions.revoke(subscriptions.named(name), "", now=utc_now(), who=who(request))
    return get_subscription(request, name)


@router.post(
    "/{name}/enable", auth=administrator,
    response={200: SubscriptionOut, 404: Refused, 409: Refused},
    summary="Make a subscription active again",
)  # fmt: skip
def enable_subscription(request: HttpRequest, name: str) -> dict[str, Any]:
    """Send to it again, also what waits."""
    subscriptions.enable(subscriptions.named(name), now=utc_now(), who=who(request))
    return get_subscription(request, name)


@router.post(
    "/{name}/secret", auth=administrator, response={200: SecretOut, 404: Refused},
    summary="Make a new secret",
)  # fmt: skip
def rotate_secret(request: HttpRequest, name: str) -> HttpResponse:
    """Make a new secret. The old one signs too for a day."""
    found = subscriptions.named(name)
    secret = subscriptions.rotate_secret(found, now=utc_now(), who=who(request))
    return _secret(name, secret)


@router.post(
    "/{name}/test", auth=administrator, response={200: TestedOut, 404: Refused},
    summary="Send one event now",
)  # fmt: skip
def send_test(request: HttpRequest, name: str) -> dict[str, Any]:
    """Send an event of the type `test`, and return what the receiver answers."""
    found = subscriptions.named(name)
    return asdict(retrying.send_test(found, longest=TEST_TIMEOUT))


@router.post(
    "/{name}/replay", auth=administrator, response={200: QueuedEvents, 404: Refused},
    summary="Send past events again",
)  # fmt: skip
def replay_events(request: HttpRequest, name: str, body: ReplayIn) -> dict[str, int]:
    """Queue the events since a time again, with the same ids."""
    found = subscriptions.named(name)
    return {"queued": retrying.replay(found, body.since, utc_now(), who=who(request))}


@router.post(
    "/{name}/retry", auth=administrator, response={200: QueuedEvents, 404: Refused},
    summary="Send dead events again",
)  # fmt: skip
def retry_events(request: HttpRequest, name: str) -> dict[str, int]:
    """Queue the dead events of a subscription again."""
    found = subscriptions.named(name)
    return {"queued": retrying.retry_dead(utc_now(), subscription=found, who=who(request))}


def _secret(name: str, secret: str, code: int = 200) -> HttpResponse:
    made = {"name": name, "secret": secret, "public_key": public_key()}
    return shown_once(made, "secret", code)
