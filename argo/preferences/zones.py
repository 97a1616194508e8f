"""The time zone of a user's pages.

Without a choice the server writes times in UTC, and a script shows them in the browser's zone.
"""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from argo.models import Preference

WITHOUT_PAGES = ("/api/", "/metrics", f"/{settings.STATIC_URL.lstrip('/')}")
"""Addresses below which nothing is shown to a person."""


class TimeZone:
    """Shows the pages of a user who has chosen a time zone in it.

    It changes how times are written and how a form's times are read, nothing that is stored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(_zone(request)):
            return self.get_response(request)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all time zones, as `Europe/London`, in order."""
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))


def chosen(user_key: int | None) -> str:
    """Return the name of the zone that the user has chosen; empty for the browser's."""
    found = Preference.objects.filter(pk=user_key).values_list("time_zone", flat=True).first()
    return found if found in names() else ""


def choose(user_key: int | None, name: str) -> None:
    """Store the user's choice; an empty name means the browser's zone."""
    Preference.objects.update_or_create(pk=user_key, defaults={"time_zone": name})


def _zone(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone that the user of a page has chosen, or None."""
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    if not has_session or request.path.startswith(WITHOUT_PAGES) or request.user.pk is None:
        return None
    name = chosen(request.user.pk)
    return ZoneInfo(name) if name else None
