"""Answers a POST that is sent again as it was answered the first time.

The key is looked up after the call's API key was checked, so that a revoked key gets no answer of
the past. Without the header a POST takes none of this.
"""

import logging
import re
from collections.abc import Callable
from functools import partial, wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import orjson
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from argo.errors import FieldError, InvalidInput
from argo.idempotency.answers import HEADER, Claim, Kept, claim, confirm, give_up, keep
from signals import acts
from signals.acts import ClaimedRequest
from signals.api.auth import Caller
from signals.api.repeats import is_safe_to_repeat
from signals.clock import utc_now
from signals.timestamps import utc_text

logger = logging.getLogger(__name__)
REPLAYED = "Idempotent-Replayed"
"""The header of an answer that was given before."""
KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#-\[\]-~]{1,255})')
"""A string of RFC 9651, or the same without quotes."""
_META = "HTTP_IDEMPOTENCY_KEY"


class BadKey(InvalidInput):
    """The header is no key."""

    status = 400


class Replayed(Exception):  # it is no error
    """The POST was answered before, with `response`."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__(f"answered before with {response.status_code}")


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a call of the API act once for each key. It is called after all checks of the request."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **values: Any) -> Any:  # noqa: ANN401
        claimed = None
        if _META in request.META and request.method == "POST":
            claimed = _claim(request)
        if claimed is None:
            return view(request, *args, **values)
        named = ClaimedRequest(claimed.name, claimed.began_at, partial(confirm, claimed))
        if claimed.is_repeat and not is_safe_to_repeat(view) and named.has_acted():
            raise Replayed(_acted_before(claimed))
        request.claim = claimed  # type: ignore[attr-defined]
        with acts.of_request(named):
            return view(request, *args, **values)

    return answered


class KeptAnswers:
    """Keeps the answer to a claimed POST. One that was refused, or failed, did nothing: its key is
    free again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        claimed: Claim | None = getattr(request, "claim", None)
        if claimed is not None:
            _settle(claimed, response)
        return response


def _claim(request: HttpRequest) -> Claim | None:
    """Claim the POST. Raises Replayed if it was answered before."""
    caller: Caller | None = getattr(request, "caller", None)
    if caller is None:
        return None
    key, digest = _key(request.META[_META]), _digest(request)
    found = claim(caller.digest.hex(), key, digest, utc_now())
    if isinstance(found, Kept):
        response = HttpResponse(found.body, status=found.code, content_type="application/json")
        response[REPLAYED] = "true"
        raise Replayed(response)
    return found


def _acted_before(claimed: Claim) -> HttpResponse:
    """Return, and keep, the answer to a POST that was done by a process that was killed then."""
    detail = (
        f"{HEADER}: the request was done at {utc_text(claimed.began_at)}, but its answer was lost. "
        "It is not done again; GET /api/acts has what it did. For another one use a new key."
    )
    body = orjson.dumps({"detail": detail, "errors": []})
    keep(claimed, HTTPStatus.CONFLICT, body)
    response = HttpResponse(body, status=HTTPStatus.CONFLICT, content_type="application/json")
    response[REPLAYED] = "true"
    return response


def _settle(claimed: Claim, response: HttpResponseBase) -> None:
    """Store the answer; if the database is away, the claim ends with its lease."""
    is_done = response.status_code < HTTPStatus.BAD_REQUEST
    try:
        if is_done and isinstance(response, HttpResponse):
            content = getattr(response, "kept_content", response.content)  # without secrets
            keep(claimed, response.status_code, content)
        else:
            give_up(claimed)
    except DatabaseError as error:
        logger.error("The answer to a POST with an %s was not kept: %s", HEADER, error)


def _key(text: str) -> str:
    found = KEY.fullmatch(text.strip())
    if not found:
        message = 'must be 1 to 255 visible ASCII characters, as in "8e03978e-40d5-43dd-bc93"'
        raise BadKey([FieldError(HEADER, message)])
    return found[1] or found[2]


def _digest(request: HttpRequest) -> str:
    """Return what tells two requests apart: the address with its parameters, and the body."""
    address = request.get_full_path().encode("utf-8", "surrogateescape")
    return sha256(b"%d %b %b" % (len(address), address, request.body)).hexdigest()
