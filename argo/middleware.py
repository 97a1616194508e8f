"""Refuses request bodies that are too large before anything reads them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from argo.metrics.intake import count_refusal


class BodyLimit:
    """Answers 413 if the declared length is too large, and 411 if a body has no length."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.limit: int = settings.API_MAX_BODY_BYTES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            detail = "Send the body with a Content-Length: chunked bodies are not accepted."
            count_refusal(request, 411)
            return JsonResponse({"detail": detail, "errors": []}, status=411)
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdigit() and int(declared) > self.limit:
            count_refusal(request, 413)
            return self._refuse(int(declared))
        return self.get_response(request)

    def _refuse(self, size: int) -> HttpResponse:
        detail = (
            f"The body has {size} bytes; the limit is {self.limit} (API_MAX_BODY_BYTES). "
            "Send fewer signals at a time."
        )
        return JsonResponse({"detail": detail, "errors": []}, status=413)
