"""Answers 304 if the caller has the present version already, before anything is read or rendered
(RFC 9110, 13)."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

DIGEST = 12
"""Bytes of a digest in an entity tag."""


def weak_tag(request: HttpRequest, version: str) -> str:
    """Return the entity tag of this version of what the request asks for.

    It is weak: the answer means the same, and need not be the same byte for byte.
    """
    text = f"{request.get_full_path()} {version}".encode("utf-8", "surrogateescape")
    return f'W/"{blake2b(text, digest_size=DIGEST).hexdigest()}"'


def versioned(
    request: HttpRequest, version: str | None, render: Callable[[], Any]
) -> HttpResponseBase:
    """Return what `render` makes, with its entity tag; 304 if the caller has this version.

    Without a version it has no entity tag yet.
    """
    if version is None:
        return rendered(render())
    tag = weak_tag(request, version)
    found = get_conditional_response(request, etag=tag) or rendered(render())
    found["ETag"] = tag
    return found


def rendered(answer: Any, code: int = 200) -> HttpResponse:  # noqa: ANN401  # JSON
    """Return an answer as JSON."""
    return HttpResponse(orjson.dumps(answer), content_type="application/json", status=code)
