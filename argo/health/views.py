"""Endpoints under /api/health: for monitors and people, and for load balancers."""

from http import HTTPStatus
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema

from argo.health import database, intake, registry
from argo.health.report import DEGRADED, full, summary
from argo.health.schemas import Health
from argo.web.leaving import leaving
from signals.api.auth import may_read
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.clock import utc_now

router = Router(tags=["health"])
READY, NOT_READY = "ready", "not_ready"
STOPPING = "web.stopping"


class HealthQuery(Schema):
    """With `fail=degraded` the answer is 503 if there are problems, for monitors that only look
    at the status code."""

    fail: Literal["degraded"] | None = None


class Readiness(Schema):
    """`status` is ready, or not_ready with the codes of the problems that are the reason."""

    status: str
    reasons: list[str]


@router.get(
    "",
    response={200: Health, 401: Refused, 403: Refused, 503: Health},
    summary="The health of Argo",
)
def get_health(request: HttpRequest, query: Query[HealthQuery]) -> HttpResponse:
    """Return the status. A key that may read also gets each problem and the state of each part.

    A database that hangs delays the answer by two seconds at most. Without it no key can be
    checked; then everybody gets the status only.
    """
    refuse_unknown(request, HealthQuery)
    now = utc_now()
    if silent := database.problem_of_database():
        return _answer(query, summary([*intake.problems(now), silent]))
    shown = full if may_read(request) else summary
    return _answer(query, shown(registry.look(now).problems))


@router.get(
    "/ready", response={200: Readiness, 503: Readiness}, summary="Can this machine take a signal?"
)
def get_ready(request: HttpRequest) -> HttpResponse:
    """Return 503 if this machine cannot accept a signal now, for load balancers. No key is needed.

    The reasons are a journal that cannot be written, a full disk, missing migrations, and a web
    server that is about to stop (`web.stopping`), which still answers. If a worker, Alpine, the
    broker or the database is away, the machine still accepts signals.
    """
    reasons = sorted({problem.kind.code for problem in intake.problems(utc_now())})
    if leaving.is_set():
        reasons.append(STOPPING)
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    body = {"status": NOT_READY if reasons else READY, "reasons": reasons}
    return JsonResponse(body, status=status)


def _answer(query: HealthQuery, body: dict[str, Any]) -> HttpResponse:
    fails = query.fail == DEGRADED == body["status"]
    status = HTTPStatus.SERVICE_UNAVAILABLE if fails else HTTPStatus.OK
    return JsonResponse(body, status=status)
