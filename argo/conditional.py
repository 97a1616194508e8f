"""Conditional reads of the API: each answer has an entity tag, and `If-None-Match` gets 304."""

from collections.abc import Callable
from hashlib import blake2b
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from argo.middleware import API
from signals.api.versions import DIGEST

READS = ("GET", "HEAD")


class ConditionalReads:
    """Gives an answer that has no entity tag one of its bytes, and answers conditional requests.

    A HEAD is answered as a GET without its body, because ninja's calls know no HEAD.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in READS or not request.path_info.startswith(API):
            return self.get_response(request)
        method, request.method = request.method, "GET"
        response = self._conditional(request, self.get_response(request))
        request.method = method
        return _without_body(response) if method == "HEAD" else response

    def _conditional(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != HTTPStatus.OK or not isinstance(response, HttpResponse):
            return response
        if not response.has_header("ETag"):
            digest = blake2b(response.content, digest_size=DIGEST)
            response["ETag"] = f'"{digest.hexdigest()}"'
        found = get_conditional_response(request, etag=response["ETag"], response=response)
        return response if found is None else found


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    """Take the body away; its length stays, as RFC 9110, 9.3.2 asks for."""
    if isinstance(response, StreamingHttpResponse):
        response.close()
        response.streaming_content = ()
    elif isinstance(response, HttpResponse):
        length = response.get("Content-Length", str(len(response.content)))
        response.content = b""
        if response.status_code != HTTPStatus.NOT_MODIFIED:
            response["Content-Length"] = length
    return response
