"""The public pages of track records, the bundle they are made from, and the badge.

They need no login; without RECORD_PUBLIC they are not there.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from argo.errors import NotFound
from argo.track_record.badge import badge
from argo.track_record.page import record_context
from argo.track_record.published import POLICY, bundle_path, folder, published, record_of
from signals.record.log.disk import Disk
from signals.record.log.status import status_of

View = Callable[..., HttpResponseBase]
KEPT = "public, max-age=300"
"""What others may keep: it changes once a day."""


def public(view: View) -> View:
    """Return a view that is there only if the operator has made the record public."""

    @wraps(view)
    def shown(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not settings.RECORD_PUBLIC:
            raise Http404("The record of this Argo is not public.")
        try:
            response = view(request, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        response.headers.setdefault("Cache-Control", KEPT)
        return response

    return require_safe(shown)


@public
def index(request: HttpRequest) -> HttpResponse:
    """Say in plain words what the record proves, and list the published track records."""
    found = published()
    records = found.records.values() if found else ()
    context = _about() | {
        "status": status_of(None, Disk(settings.DATA_DIR)),
        "published": found,
        "rows": [record_context(each) for each in records],
    }
    return render(request, "track_record/index.html", context)


@public
def track_record(request: HttpRequest, strategy: str) -> HttpResponse:
    """Show the track record of a strategy."""
    found, record = record_of(strategy)
    context = _about() | record_context(record) | {"published": found}
    return render(request, "track_record/record.html", context)


@public
def badge_of(_: HttpRequest, strategy: str) -> HttpResponse:
    """Return the badge of a strategy as SVG."""
    found = published()
    record = found.records.get(strategy) if found else None
    return HttpResponse(badge(record, strategy), content_type="image/svg+xml")


@public
def bundle(_: HttpRequest) -> FileResponse:
    """Return the bundle that the pages are made from."""
    path = bundle_path()
    return FileResponse(
        path.open("rb"), as_attachment=True, filename="bundle.zip", content_type="application/zip"
    )


@public
def policy(_: HttpRequest) -> HttpResponse:
    """Return the keys that the operator names."""
    try:
        data = (folder() / POLICY).read_bytes()
    except FileNotFoundError:
        raise NotFound("No bundle is published.") from None
    return HttpResponse(data, content_type="text/plain; charset=utf-8")


def _about() -> dict[str, Any]:
    return {"origin": settings.RECORD_ORIGIN, "base": f"https://{settings.RECORD_ORIGIN}"}
