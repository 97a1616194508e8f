"""Gives each request an id, and refuses bodies that are too large before anything reads them."""

import logging
import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from argo.metrics.intake import count_refusal

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = "X-Request-ID"
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
    """Answers 413 if the declared length is too large, and 411 if a body has no length."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.limit: int = settings.API_MAX_BODY_BYTES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            detail = "Send the body with a Content-Length: chunked bodies are not accepted."
            return _refuse(request, 411, detail)
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdigit() and int(declared) > self.limit:
            detail = (
                f"The body has {int(declared)} bytes; the limit is {self.limit} "
                "(API_MAX_BODY_BYTES). Send fewer signals at a time."
            )
            return _refuse(request, 413, detail)
        return self.get_response(request)


def _refuse(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    count_refusal(request, status)
    log_refusal(request, status, detail)
    return JsonResponse({"detail": detail, "errors": []}, status=status)


def log_refusal(request: HttpRequest, status: int, detail: str) -> None:
    """Log why a request is refused: a person should look at it, except if it only asked for what
    does not exist."""
    level = logging.DEBUG if status == 404 else logging.WARNING
    if status >= 500:
        level = logging.ERROR
    logger.log(
        level, "Refused %s %s with %d: %s", request.method, request.path, status, detail,
        extra={"status_code": status},
    )  # fmt: skip
