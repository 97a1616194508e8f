"""Refuses bodies that are too large before anything reads them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse


class BodyLimit:
    """Answers 413 by the declared length; without a length the WSGI server passes no body on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.limit: int = settings.API_MAX_BODY_BYTES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdigit() and int(declared) > self.limit:
            return self._refuse(int(declared))
        return self.get_response(request)

    def _refuse(self, size: int) -> HttpResponse:
        detail = (
            f"The body has {size} bytes; the limit is {self.limit} (API_MAX_BODY_BYTES). "
            "Send fewer signals at a time."
        )
        return JsonResponse({"detail": detail}, status=413)
