"""Decides what a session may do before its user has passed, or set up, the second factor."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from argo.logins import requirement, second_factor
from argo.logins.sessions import touch
from signals.clock import utc_now

PROGRAMS = "/api/"


class CheckedLogins:
    """Makes a request anonymous if its login lacks the code of the second factor, however the
    session began; sends those who must set one up to the page for it. API keys are not concerned.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        user = request.user
        return (
            self._checked(request, user) if isinstance(user, User) else self.get_response(request)
        )

    def _checked(self, request: HttpRequest, user: User) -> HttpResponseBase:
        factor = second_factor.of(user)
        if factor is not None and not second_factor.has_passed(request, factor):
            request.user = AnonymousUser()
            return self.get_response(request)
        touch(request, utc_now())
        if factor is None and requirement.must_have(user) and not _is_open(request.path):
            return self._to_set_up(request)
        return self.get_response(request)

    def _to_set_up(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(PROGRAMS) or "HX-Request" in request.headers:
            request.user = AnonymousUser()
            return self.get_response(request)
        return HttpResponseRedirect(reverse("second-factor"))


def _is_open(path: str) -> bool:
    """Return whether a user who must set up a second factor may open the page before."""
    own = ("profile", "manual:index", "admin:logout", "admin:password_change")
    return path.startswith(tuple(map(reverse, own)))
