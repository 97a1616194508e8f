"""The API: the routers of all apps, and the HTTP answer for each kind of error."""

import logging
from datetime import timedelta
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Query
from ninja.errors import HttpError, ValidationError

from argo.errors import ArgoError
from argo.health.views import router as health
from argo.idempotency.posts import Replayed, once
from argo.lifecycle import Event, lifecycle
from argo.metrics.intake import count_refusal
from argo.metrics.summary import Summary, SummaryQuery, summary
from argo.middleware import fault_list, log_refusal
from argo.openapi.description import DescribedAPI
from argo.rates.throttle import KeyRates
from argo.reports.api import router as reports
from argo.reports.explain.schemas import Story
from argo.reports.explain.story import explain
from argo.signal_list.views import exports
from execution.api.accounts import router as accounts
from execution.api.analysis import router as analysis
from execution.api.views import router as execution
from signals.api.acts import router as acts
from signals.api.alerts import router as alerts
from signals.api.auth import reader
from signals.api.bodies import StrictParser, refuse_unknown
from signals.api.feed import router as feed
from signals.api.instruments import router as instruments
from signals.api.nodes import router as nodes
from signals.api.outcomes import router as outcomes
from signals.api.record_place import router as record_place
from signals.api.schemas import Refused
from signals.api.senders import router as senders
from signals.api.views import router as signals
from signals.clock import utc_now
from signals.intake import BadBody, BodyTooLarge
from signals.keys import MissingScope
from sync.api.deliveries import router as sync
from sync.api.webhooks import router as webhooks

logger = logging.getLogger(__name__)
ADVICE: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "send a JSON object",
    HTTPStatus.TOO_MANY_REQUESTS: "wait for as many seconds as Retry-After says",
    HTTPStatus.UNAUTHORIZED: "send a valid key, as X-API-Key or as Authorization: Bearer KEY",
}
api = DescribedAPI(
    title="Argo",
    version="1",
    description="Keeps trading signals and puts them to use. Send your key as `X-API-Key`, or as "
    "`Authorization: Bearer KEY`.",
    urls_namespace="api",
    parser=StrictParser(),
    throttle=KeyRates(),
)
api.add_decorator(once)
api.add_router("/signals", exports)  # these first: else `export` is read as a signal id
api.add_router("/signals", outcomes)
api.add_router("/signals", record_place)
api.add_router("/signals", signals)
api.add_router("/instruments", instruments)
api.add_router("/nodes", nodes)
api.add_router("/senders", senders)
api.add_router("/alerts", alerts)
api.add_router("/sync", sync)
api.add_router("/sync/webhooks", webhooks)
api.add_router("/execution", execution)
api.add_router("/execution", accounts)
api.add_router("/analysis", analysis)
api.add_router("/analysis", reports)
api.add_router("/health", health)
api.add_router("/acts", acts)
api.add_router("/feed", feed)


@api.get(
    "/metrics/summary", auth=reader, response=Summary, tags=["metrics"], summary="The main metrics"
)
def get_summary(request: HttpRequest, query: Query[SummaryQuery]) -> Summary:
    """Return generation rate, storage latency, sync success rate, execution rate and outcomes."""
    refuse_unknown(request, SummaryQuery)
    return summary(timedelta(seconds=query.window), utc_now())


@api.get(
    "/signals/{signal_id}/lifecycle",
    auth=reader,
    response={200: list[Event], 404: Refused},
    tags=["signals"],
    summary="Everything that happened to a signal, in order",
)
def get_lifecycle(request: HttpRequest, signal_id: str) -> list[Event]:
    """Return how the signal was generated, stored, synced, decided, ordered, filled and closed, its
    outcome and every edit, each with its time."""
    return lifecycle(signal_id)


@api.get(
    "/signals/{signal_id}/explain",
    auth=reader,
    response={200: Story, 404: Refused},
    tags=["signals"],
    summary="A signal's whole story, with the numbers on both sides of each rule",
)
def get_story(request: HttpRequest, signal_id: str) -> Story:
    """Return how the signal was made, with the bars and votes seen and each gate; how it was stored
    and sent; the decision with each rule; orders, fills, position, outcome, changes, and a chart.

    A part that cannot be known says why."""
    return explain(signal_id)


@api.exception_handler(ArgoError)
def answer_argo_error(request: HttpRequest, error: ArgoError) -> HttpResponse:
    """Return the error's own status, its message, and each invalid field."""
    if isinstance(error, BadBody | BodyTooLarge | MissingScope):  # the tracker counts the others
        count_refusal(request, error.status)
    body = {"detail": str(error), "errors": fault_list(error)}
    answer = api.create_response(request, body, status=error.status)
    if error.retry_after is not None:
        answer["Retry-After"] = str(error.retry_after)
    return log_refusal(request, answer, str(error))


@api.exception_handler(Replayed)
def answer_again(request: HttpRequest, found: Replayed) -> HttpResponse:
    """Return the answer that the same POST got before."""
    return found.response


@api.exception_handler(OperationalError)
def answer_database_error(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Return 503: the database is down or busy."""
    logger.error("The database did not answer a request: %s", error)
    detail = f"The database does not answer ({error}). Try again: sending a signal twice is safe."
    return api.create_response(request, {"detail": detail, "errors": []}, status=503)


@api.exception_handler(SuspiciousOperation)
def answer_suspicious_request(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    """Return 422 for what Django itself refuses: thousands of parameters."""
    body = {"detail": str(error), "errors": []}
    answer = api.create_response(request, body, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return log_refusal(request, answer, str(error))


@api.exception_handler(Exception)
def answer_unexpected_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return 500 as JSON for a bug in Argo; the log gets the traceback."""
    logger.error("A request failed: %s %s", request.method, request.path, exc_info=error)
    detail = "Argo failed to answer; its log has the reason. Sending a signal again is safe."
    return api.create_response(request, {"detail": detail, "errors": []}, status=500)


@api.exception_handler(HttpError)
def answer_refusal(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Add advice to what ninja itself refuses: a missing or wrong key, a body that is not JSON."""
    if isinstance(error.__cause__, BadBody):
        return answer_argo_error(request, error.__cause__)
    count_refusal(request, error.status_code)
    advice = ADVICE.get(error.status_code)
    said = str(error).rstrip(".")
    body = {"detail": f"{said}: {advice}" if advice else str(error), "errors": []}
    answer = api.create_response(request, body, status=error.status_code)
    return log_refusal(request, answer, str(error))


@api.exception_handler(ValidationError)
def answer_invalid_parameters(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Return 422 and each invalid parameter or field."""
    faults = [
        {"field": str(item["loc"][-1]), "message": item["msg"].removeprefix("Value error, ")}
        for item in error.errors
    ]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
    answer = api.create_response(request, {"detail": detail, "errors": faults}, status=422)
    return log_refusal(request, answer, detail)
