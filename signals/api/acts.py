"""The endpoint /api/acts: who changed what."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from signals import acts
from signals.api.auth import administrator
from signals.api.bodies import refuse_unknown
from signals.ledger.queries import Moment
from signals.ledger.validation import Label, SignalName

router = Router(tags=["acts"])


class ActsQuery(Schema):
    """Select acts; `after` is the `next` of the previous page."""

    model_config = ConfigDict(extra="forbid")

    kind: acts.Kind | None = None
    who: Label | None = Field(None, description="The whole name: `admin:anna`, `api:bot`")
    signal_id: SignalName | None = None
    about: Label | None = Field(None, description="A text that `about` contains")
    why: Label | None = Field(None, description="A text that the reason contains")
    since: Moment | None = Field(None, description="A time with an offset; this moment and later")
    until: Moment | None = Field(None, description="A time with an offset; before this moment")
    after: int | None = Field(None, ge=1, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class ActOut(Schema):
    """One act of a person or a key; a text that does not apply is empty."""

    id: int
    at: datetime
    kind: str
    who: str
    about: str
    signal_id: str
    before: str
    after: str
    why: str


class ActPage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page. A page
    with filters looks at a bounded number of acts: it may be short, and still have a next one."""

    items: list[ActOut]
    next: int | None


@router.get("", auth=administrator, response=ActPage, summary="Who changed what, newest first")
def list_acts(request: HttpRequest, query: Query[ActsQuery]) -> dict[str, object]:
    """Return what people and keys changed, and who logged in."""
    refuse_unknown(request, ActsQuery)
    found = acts.page(
        query.limit, after=query.after, kind=query.kind or "", who=query.who or "",
        signal_id=query.signal_id or "", about=query.about or "", why=query.why or "",
        since=query.since, until=query.until,
    )  # fmt: skip
    return {"items": found.rows, "next": found.following}
