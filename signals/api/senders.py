"""Endpoints under /api/senders: who may send alerts, and what Argo makes of a text."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from ninja import Router

from signals.alerts.preview import preview
from signals.alerts.senders import (
    change_sender,
    create_sender,
    paste_of,
    revoke_sender,
    sender_named,
)
from signals.alerts.terms import terms_of
from signals.alerts.unread import with_unread
from signals.api.auth import administrator, reader, who
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.api.secrets import shown_once
from signals.api.sender_schemas import (
    SenderChange,
    SenderIn,
    SenderMade,
    SenderOut,
    SendersOut,
    TestedAlert,
    TestIn,
)
from signals.clock import utc_now
from signals.models import Sender

router = Router(tags=["alerts"])


@router.get("", auth=reader, response=SendersOut, summary="All senders of alerts")
def list_senders(request: HttpRequest) -> dict[str, Any]:
    """Return each sender with its settings, when it was last heard, and how many of its alerts are
    unread. Revoked ones come last."""
    refuse_unknown(request)
    rows = Sender.objects.order_by(F("revoked_at").asc(nulls_first=True), "name")
    return {"senders": with_unread(rows)}


@router.post(
    "", auth=administrator, response={201: SenderMade, 409: Refused, 422: Refused},
    summary="Make a sender",
)  # fmt: skip
def make_sender(request: HttpRequest, body: SenderIn) -> HttpResponse:
    """Make a sender; the answer has its address, which is its secret and is not shown again."""
    settings = body.model_dump(exclude_unset=True)
    sender, token = create_sender(
        settings.pop("name"), settings.pop("preset"), who=who(request), **settings
    )
    url = request.build_absolute_uri(f"/hooks/{token}")
    return shown_once({"name": sender.name, "url": url, "text": paste_of(sender)}, "url", 201)


@router.get(
    "/{name}", auth=reader, response={200: SenderOut, 404: Refused}, summary="One sender"
)  # fmt: skip
def get_sender(request: HttpRequest, name: str) -> Sender:
    """Return one sender. Its alerts are in `GET /api/alerts?sender=NAME`."""
    (found,) = with_unread([sender_named(name)])
    return found


@router.patch(
    "/{name}", auth=administrator, response={200: SenderOut, 404: Refused, 422: Refused},
    summary="Change a sender's settings",
)  # fmt: skip
def patch_sender(request: HttpRequest, name: str, body: SenderChange) -> Sender:
    """Change the settings that are given. Unread alerts are read by the new ones with `POST
    /api/alerts/read`."""
    changes: Mapping[str, Any] = body.model_dump(exclude_unset=True)
    change_sender(name, changes, who=who(request), now=utc_now())
    return get_sender(request, name)


@router.post(
    "/{name}/revoke", auth=administrator, response={200: SenderOut, 404: Refused},
    summary="End a sender's address",
)  # fmt: skip
def end_sender(request: HttpRequest, name: str) -> Sender:
    """End the address within a second, in every process. 404 if it has none that is valid."""
    revoke_sender(name, who=who(request))
    return get_sender(request, name)


@router.post(
    "/{name}/test", auth=reader, response={200: TestedAlert, 404: Refused},
    summary="Show what Argo makes of an alert",
)  # fmt: skip
def test_alert(request: HttpRequest, name: str, body: TestIn) -> dict[str, Any]:
    """Read a text as an alert of this sender, and store nothing. It is also 200 if the text cannot
    be read: then `faults` says why."""
    raw = body.alert.encode("utf-8", "replace")
    return preview(terms_of(sender_named(name)), raw, utc_now())
