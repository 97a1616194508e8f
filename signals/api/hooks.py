"""The hook `/hooks/{token}`: takes the alerts of one sender. The token is its only secret."""

import logging
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

import orjson
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from structlog.contextvars import bind_contextvars

from argo.errors import ArgoError, InvalidInput, Unavailable
from signals import metrics
from signals.alerts.certificate import SUBJECT, is_of_tradingview
from signals.alerts.content import MAX_BYTES, TooLarge, body_of
from signals.alerts.senders import find_terms
from signals.alerts.taking import Taken, take
from signals.alerts.terms import Terms
from signals.clock import utc_now
from signals.intake import BodyTooLarge
from signals.ledger.records import NAMED_BY_ALERT

logger = logging.getLogger(__name__)
LONGEST_TYPE = 200
AGAIN = "5"
"""Seconds after which a sender should try again after trouble of ours."""
UNKNOWN = "There is no hook at this address: make a sender with argo sender --create NAME."


class NoHook(ArgoError):
    """The token is unknown or revoked."""

    status = 404


class NoCertificate(ArgoError):
    """The sender's client certificate is missing."""

    status = 403


@csrf_exempt
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Take one alert. Durable before the answer: 202 with the ids of its signals, 200 if it came
    before, 422 with every fault, 503 if Argo is in trouble and the sender should try again."""
    if request.method != "POST":
        return _refused(request, 405, "Send the alert with POST.", headers={"Allow": "POST"})
    try:
        taken = _taken(request, token.rstrip("/"))
    except (TooLarge, BodyTooLarge) as error:
        return _refused(request, 413, str(error), error.errors)
    except (NoHook, NoCertificate) as error:
        return _refused(request, error.status, str(error))
    except (Unavailable, DatabaseError) as error:
        return _trouble(request, error)
    except Exception as error:
        logger.exception("An alert could not be taken")
        return _trouble(request, error)
    if taken.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        text = "; ".join(f"{each.field}: {each.message}" for each in taken.faults)
        return _refused(request, taken.status, f"Kept, and not read: {text}", taken.faults)
    return _json(_answer(taken), taken.status)


def _answer(taken: Taken) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": taken.text, "signals": taken.signals, "exits": taken.exits}
    if taken.signals:
        answer["signal_id"] = taken.signals[0]
    if taken.durability:
        answer["durability"] = taken.durability
    return answer


def _taken(request: HttpRequest, token: str) -> Taken:
    terms = _terms(request, token)
    raw = request.body
    if len(raw) > MAX_BYTES:
        raise TooLarge.now()
    content_type = request.META.get("CONTENT_TYPE", "")[:LONGEST_TYPE]
    return take(terms, body_of(raw, token), content_type, utc_now())


def _terms(request: HttpRequest, token: str) -> Terms:
    """Return the sender's terms. Raises NoHook, NoCertificate, and what the database raises."""
    try:
        terms = find_terms(token)
    except InvalidInput as error:
        raise Unavailable(f"The mapping of the sender is invalid: {error}") from error
    if terms is None:
        raise NoHook(UNKNOWN)
    bind_contextvars(key_name=terms.name)
    if terms.needs_certificate and not _has_certificate(request):
        raise NoCertificate(
            "This sender must show TradingView's client certificate, and a trusted proxy must "
            f"report its subject as {SUBJECT}."
        )
    return terms


def _has_certificate(request: HttpRequest) -> bool:
    subject = request.META.get(f"HTTP_{SUBJECT.upper().replace('-', '_')}", "")
    return _is_trusted(request.META.get("REMOTE_ADDR", "")) and is_of_tradingview(subject)


def _is_trusted(address: str) -> bool:
    try:
        client = ip_address(address)
    except ValueError:
        return False
    return any(client in network for network in settings.TRUSTED_PROXIES)


def _trouble(request: HttpRequest, error: Exception) -> HttpResponse:
    detail = f"The alert could not be taken ({error}). Send it again."
    return _refused(request, 503, detail, headers={"Retry-After": AGAIN})


def _refused(
    request: HttpRequest,
    status: int,
    detail: str,
    faults: Any = (),  # noqa: ANN401
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Return a refusal in the API's form, and log it without the token."""
    if status != HTTPStatus.UNPROCESSABLE_ENTITY:
        metrics.refused(NAMED_BY_ALERT, REASONS.get(status, "other"))
    level = logging.DEBUG if status == HTTPStatus.NOT_FOUND else logging.WARNING
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else level
    logger.log(level, "Refused an alert with %d: %s", status, detail, extra={"status_code": status})
    errors = [{"field": each.field, "message": each.message} for each in faults]
    response = _json({"detail": detail, "errors": errors}, status)
    for name, value in (headers or {}).items():
        response[name] = value
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the address
    return response


REASONS = {403: "scope", 404: "key", 405: "method", 413: "too_large", 503: "journal"}


def _json(answer: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(answer), content_type="application/json", status=status)
