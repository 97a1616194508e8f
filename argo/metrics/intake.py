"""Counts what the API refuses before it is a signal."""

from django.http import HttpRequest

from signals import metrics
from signals.api.views import ORIGIN

PATHS = ("/api/signals", "/api/signals/batch")
REASONS = {
    400: "body", 401: "key", 403: "scope", 408: "too_slow", 413: "too_large",
}  # fmt: skip


def count_refusal(request: HttpRequest, status: int) -> None:
    """Count a refused request to log signals, once whatever number of signals it held."""
    if request.method == "POST" and request.path in PATHS:
        metrics.refused(ORIGIN, REASONS.get(status, "other"))
