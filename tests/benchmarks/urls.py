"""Argo's URLs, and endpoints to compare with: an empty one, and two that log a signal, of which one
does not count it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI

from argo.urls import urlpatterns as argo_urls
from signals.api.auth import writer
from signals.api.bodies import read_object
from signals.api.schemas import Accepted
from signals.api.views import ORIGIN, _accepted
from signals.ledger.validation import SignalIn
from signals.tracker import SignalTracker

empty = NinjaAPI(urls_namespace="empty", docs_url=None)
counted = NinjaAPI(urls_namespace="counted", docs_url=None)
uncounted = NinjaAPI(urls_namespace="uncounted", docs_url=None)


@empty.post("/signals", response={202: Accepted})
def post_nothing(request: HttpRequest, signal: SignalIn) -> tuple[int, dict[str, str]]:
    """Return a fixed answer: the same schemas in and out, but no key, no hash, no journal."""
    return 202, {"signal_id": "0" * 16, "sha256": "0" * 64, "status": "accepted"}


class Uncounted(SignalTracker):
    """A tracker without metrics."""

    @contextmanager
    def _counted(self, count: int) -> Iterator[None]:
        yield


@counted.post("/signals", auth=writer, response={202: Accepted})
def post_counted(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return _logged(SignalTracker(ORIGIN), request, response)


@uncounted.post("/signals", auth=writer, response={202: Accepted})
def post_uncounted(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return _logged(Uncounted(ORIGIN), request, response)


def _logged(tracker: SignalTracker, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    receipt = tracker.accept([read_object(request.body)])[0]
    return _accepted(response, receipt, "accepted", 202)


urlpatterns = [
    *argo_urls,
    path("empty/", empty.urls),
    path("counted/", counted.urls),
    path("uncounted/", uncounted.urls),
]
