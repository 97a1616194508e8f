"""Gives each request an id, and refuses bodies that are too large before anything reads them."""

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from argo.errors import ArgoError, InvalidInput
from argo.metrics.intake import count_refusal
from argo.web.refusal import REFUSAL, RETRY_AFTER, Refusal
from signals.alerts.content import TooLarge
from signals.intake import BodyTooLarge, CountedStream

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = "X-Request-ID"
API, HOOKS = "/api/", "/hooks/"
WITH_FORM = (API, HOOKS)
"""The beginnings of the paths whose refusals have the API's form."""
_ADVICE = {
    HTTPStatus.BAD_REQUEST: "check its address and its headers",
    HTTPStatus.NOT_FOUND: "there is no such call; /api/docs lists all",
    HTTPStatus.METHOD_NOT_ALLOWED: "the header Allow names the methods of this address",
}
VALID_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestId:
    """Names each request in its log lines and in the answer's header `X-Request-ID`.

    The sender's own id is kept if it is short and plain, so that both logs can be compared.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if VALID_ID.fullmatch(given) else secrets.token_hex(8)
        clear_contextvars()  # the thread has served another request before
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            clear_contextvars()
        response[REQUEST_ID] = request_id
        return response


class BodyLimit:
    """Answers what the web server found: a body that is too large (413), too slow (408), or for
    which there is no memory now (503). Under another web server it counts the body itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.limit: int = settings.API_MAX_BODY_BYTES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if refusal := request.META.get(REFUSAL):
            return self._answer(request, refusal)
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared.isdigit() and int(declared) > self.limit:
            error = BodyTooLarge.over(self.limit, int(declared))
            return _refuse(request, error.status, error)
        if not declared and "HTTP_TRANSFER_ENCODING" in request.META:
            # Django reads nothing of a body without a length.
            request._stream = CountedStream(request.META["wsgi.input"], self.limit)  # type: ignore[assignment]
        return self.get_response(request)

    def _answer(self, request: HttpRequest, refusal: Refusal) -> HttpResponse:
        if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return _refuse(request, refusal.status, self._too_large(request))
        response = _refuse(request, refusal.status, ArgoError(refusal.detail))
        if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = RETRY_AFTER
        return response

    def _too_large(self, request: HttpRequest) -> InvalidInput:
        is_hook = request.path_info.startswith(HOOKS)
        return TooLarge.now() if is_hook else BodyTooLarge.over(self.limit)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a body that turned out too large, outside the API, which does it by itself."""
        return _refuse(request, error.status, error) if isinstance(error, BodyTooLarge) else None


class RefusalForm:
    """Gives every refusal under /api/ and /hooks/ the API's form, also those that Django and ninja
    make before a call is found: an unknown address, a method that it does not take, a wrong host.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_refusal = response.status_code >= HTTPStatus.BAD_REQUEST
        if is_refusal and request.path_info.startswith(WITH_FORM) and not _is_json(response):
            return self._formed(request, response)
        return response

    def _formed(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
        status = HTTPStatus(response.status_code)
        advice = _ADVICE.get(status, "see /api/docs")
        answer = JsonResponse({"detail": f"{status.phrase}: {advice}", "errors": []}, status=status)
        if allowed := response.get("Allow"):
            answer["Allow"] = allowed
        return log_refusal(request, answer, status.phrase)


def _is_json(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


def _refuse(request: HttpRequest, status: int, error: ArgoError) -> HttpResponse:
    count_refusal(request, status)
    answer = JsonResponse({"detail": str(error), "errors": fault_list(error)}, status=status)
    return log_refusal(request, answer, str(error))


def fault_list(error: Exception) -> list[dict[str, str]]:
    """Return each invalid field of an error, as answers have them."""
    return [asdict(fault) for fault in error.errors] if isinstance(error, InvalidInput) else []


def log_refusal(request: HttpRequest, answer: HttpResponse, detail: str) -> HttpResponse:
    """Log why a request is refused, and return the answer: a person should look at it, except if
    it only asked for what does not exist.

    It is the request's only line: Django would add one that names no reason.
    """
    status = answer.status_code
    answer._has_been_logged = True  # type: ignore[attr-defined]
    level = logging.DEBUG if status == 404 else logging.WARNING
    if status >= 500:
        level = logging.ERROR
    logger.log(
        level, "Refused %s %s with %d: %s", request.method, request.path, status, detail,
        extra={"status_code": status},
    )  # fmt: skip
    return answer
