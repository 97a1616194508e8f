"""Records who logs in and out, who fails to, and who changes the own password."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from argo.logins import second_factor
from argo.logins.address import client_of
from argo.logins.backend import WAIT
from argo.models import SecondFactor
from signals import acts
from signals.clock import utc_now

UNKNOWN = "unknown user"
"""Who failed to log in under a name that nobody has: it may be a mistyped password."""
AWAITED = "the password was right; the code is awaited"


def record_login(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Record a login or a wrong one, as the answer to the login form shows it.

    One that had to wait is not recorded, so that nobody can fill the table.
    """
    if request.method != "POST" or hasattr(request, WAIT):
        return
    if answer.status_code == HTTPStatus.FOUND:
        after = AWAITED if second_factor.awaited(request) else ""
        _record(acts.Kind.LOGIN, acts.user_of(request), request, after)
    elif answer.status_code == HTTPStatus.OK:
        name = request.POST.get("username", "")
        is_known = "\0" not in name and User.objects.filter(username=name).exists()
        _record(acts.Kind.LOGIN_FAILED, f"admin:{name}" if is_known else UNKNOWN, request)


def record_code(request: HttpRequest, factor: SecondFactor, *, is_right: bool) -> None:
    """Record the second step of a login."""
    kind = acts.Kind.LOGIN if is_right else acts.Kind.LOGIN_FAILED
    name = f"admin:{factor.user.get_username()}"
    _record(kind, name, request, "the code was right" if is_right else "the code was wrong")


def record_logout(request: HttpRequest) -> None:
    """Record that the user logs out."""
    if request.user.is_authenticated:
        _record(acts.Kind.LOGOUT, acts.user_of(request), request)


def record_password(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Record that the user changed the own password, if the answer shows it."""
    if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
        who = acts.user_of(request)
        acts.record(acts.Kind.USER, "own password", who=who, at=utc_now(), after="changed")


def _record(kind: acts.Kind, name: str, request: HttpRequest, after: str = "") -> None:
    address = client_of(request, settings.TRUSTED_PROXIES)
    acts.record(kind, f"from {address}", who=name, at=utc_now(), after=after)
