"""Pages for requests that are refused or fail: what happened, and what to do, in one sentence.

Programs below /api/ get JSON instead, from `argo.middleware.RefusalForm`.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from structlog.contextvars import get_contextvars

from argo.errors import ArgoError
from argo.middleware import WITH_FORM, log_refusal

TITLES = {
    HTTPStatus.BAD_REQUEST: "Argo cannot read this request",
    HTTPStatus.FORBIDDEN: "You may not see this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address takes a form",
    HTTPStatus.SERVICE_UNAVAILABLE: "Argo cannot do this now",
}
OTHER = "Argo could not do this"
BAD = (
    "Check the address. If you open Argo under another name than before, add that name to "
    "ARGO_ALLOWED_HOSTS."
)
FORBIDDEN = (
    "It needs a permission that you do not have. Ask an administrator to add you to the group "
    "that has it, or log in as another user."
)
MISSING = "There is no page at this address. Check it, or begin at the dashboard."
FORM_ONLY = "It shows nothing by itself. Open the page with the button, and press the button again."
FORGED = (
    "Nothing was changed. Go back, load the page again and repeat what you did. If this comes "
    "again, allow cookies for Argo."
)
FAILED = "Try again. If it fails again, run argo doctor, and look for this request in Argo's log."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django cannot read, such as one to another host's name."""
    return _plain(HTTPStatus.BAD_REQUEST, BAD)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a user who lacks a permission."""
    return _framed(request, HTTPStatus.FORBIDDEN, FORBIDDEN)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer a request for what does not exist, with the sentence of who found it missing."""
    given = exception.args[0] if exception.args else ""
    is_sentence = isinstance(given, str) and given.endswith(".")
    return _framed(request, HTTPStatus.NOT_FOUND, given if is_sentence else MISSING)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed, without a query: the database may be the cause."""
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED, "Argo failed")


@requires_csrf_token
def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without the token of its page: it is old, or another server's."""
    return _framed(request, HTTPStatus.FORBIDDEN, FORGED, "This form is no longer valid")


class RefusalPages:
    """Makes pages of Argo's own errors, and of empty refusals of a method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not _is_for_programs(request):
            page = _framed(request, HTTPStatus.METHOD_NOT_ALLOWED, FORM_ONLY)
            response.content = page.content  # its own answer is logged and has its header `Allow`
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an error of Argo with its own sentence."""
        if not isinstance(error, ArgoError) or _is_for_programs(request):
            return None
        status = HTTPStatus(error.status)
        page = _plain(status, str(error)) if status >= 500 else _framed(request, status, str(error))
        return log_refusal(request, page, str(error))


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith(WITH_FORM)


def _framed(
    request: HttpRequest, status: HTTPStatus, sentence: str, title: str = ""
) -> HttpResponse:
    """Return the page in the frame of the site, with the navigation of who is logged in."""
    frame = admin.site.each_context(request) if hasattr(request, "user") else {}
    context = frame | {"title": title or TITLES.get(status, OTHER), "sentence": sentence}
    return render(request, "refusals/framed.html", context, status=status)


def _plain(status: HTTPStatus, sentence: str, title: str = "") -> HttpResponse:
    """Return the page without the frame, which needs the database."""
    context = {
        "title": title or TITLES.get(status, OTHER),
        "sentence": sentence,
        "request_id": get_contextvars().get("request_id", ""),
    }
    return HttpResponse(render_to_string("refusals/plain.html", context), status=status)
