"""`/metrics`, in Prometheus's text form or in OpenMetrics, as the request asks for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja.errors import HttpError
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from argo.metrics.counters import NodeCounters
from argo.metrics.figures import Figures
from argo.middleware import log_refusal
from signals.api.auth import may_read
from signals.keys import MissingScope

ADVICE = (
    "Send a key that may read, as X-API-Key or as `Authorization: Bearer KEY`; or set "
    "METRICS_PUBLIC=yes.\n"
)


@csrf_exempt  # else a POST is answered with a page about cookies
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics; without a key that may read 401 or 403, unless METRICS_PUBLIC is on."""
    try:
        is_allowed = settings.METRICS_PUBLIC or may_read(request)
    except MissingScope as error:
        return _refused(request, f"{error}\n", error.status)
    except HttpError:
        is_allowed = False
    if not is_allowed:
        return _refused(request, ADVICE, 401, {"WWW-Authenticate": "Bearer"})
    encode, content_type = _encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """Return the encoder that a scraper asks for; the plain one if the header makes no sense."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # it compares a version that is no number
        return choose_encoder("")


def _refused(
    request: HttpRequest, text: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    plain = "text/plain; charset=utf-8"
    answer = HttpResponse(text, status=status, content_type=plain, headers=headers)
    return log_refusal(request, answer, text.strip())


def registry() -> CollectorRegistry:
    """Return everything that is measured, as it is now."""
    found = CollectorRegistry()
    found.register(NodeCounters(settings.METRICS_DIR))
    found.register(Figures())
    return found
