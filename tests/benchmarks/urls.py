"""Argo's URLs, and an endpoint that takes the same body and does nothing with it."""

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI

from argo.urls import urlpatterns as argo_urls
from signals.api.schemas import Accepted
from signals.ledger.validation import SignalIn

empty = NinjaAPI(urls_namespace="empty", docs_url=None)


@empty.post("/signals", response={202: Accepted})
def post_signal(request: HttpRequest, signal: SignalIn) -> tuple[int, dict[str, str]]:
    """Return a fixed answer: the same schemas in and out, but no key, no hash, no journal."""
    return 202, {"signal_id": "0" * 16, "sha256": "0" * 64, "status": "accepted"}


urlpatterns = [*argo_urls, path("empty/", empty.urls)]
