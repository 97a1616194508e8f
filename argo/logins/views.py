"""The second step of a login, and the page where users look after their own login."""

from collections.abc import Callable
from functools import wraps

import segno
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from argo.errors import ArgoError
from argo.logins import requirement, second_factor, sessions
from argo.logins.acts import record_code
from argo.logins.forms import CodeForm
from argo.models import SecondFactor
from argo.preferences.zones import chosen
from signals.clock import utc_now

UserView = Callable[[HttpRequest, User], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]


def own_page(view: UserView) -> View:
    """Call the view with the user who is logged in; show an ArgoError as a message."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            raise TypeError("staff_member_required lets only users through")
        try:
            return view(request, request.user)
        except ArgoError as error:
            messages.error(request, str(error))
            return redirect("profile")

    return sensitive_post_parameters()(never_cache(staff_member_required(checked)))


@sensitive_post_parameters()
@never_cache
def login_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the second factor, after the password."""
    factor = second_factor.awaited(request)
    if factor is None:
        return redirect("admin:login")
    if "cancel" in request.POST:
        logout(request)
        return redirect("admin:login")
    form = CodeForm(factor, request.POST or None)
    if form.is_valid():
        second_factor.let_pass(request, factor)
        record_code(request, factor, is_right=True)
        return HttpResponseRedirect(_next(request))
    if form.has_error("code", "wrong"):
        record_code(request, factor, is_right=False)
    return _page(request, "login_code", {"title": "Log in", "form": form})


@own_page
def profile(request: HttpRequest, user: User) -> HttpResponse:
    """Show the user's two-factor login and open sessions."""
    return _profile_page(request, user, second_factor.of(user))


@own_page
def set_up(request: HttpRequest, user: User) -> HttpResponse:
    """Show the secret of a new second factor, and take the first code from the user's app."""
    factor = second_factor.begun(user)
    if factor is None:
        is_on, must = second_factor.of(user) is not None, requirement.must_have(user)
        return _set_up_page(request, {"is_on": is_on, "must": must})
    form = CodeForm(factor, request.POST or None)
    if form.is_valid():
        codes = second_factor.confirm(factor, utc_now())
        second_factor.let_pass(request, factor)
        sessions.end_sessions(user, but=request.session)
        return _codes_page(request, codes)
    picture = _picture(factor)
    return _set_up_page(request, {"form": form, "secret": factor.secret, "picture": picture})


@require_POST
@own_page
def begin(request: HttpRequest, user: User) -> HttpResponse:
    """Make a new secret."""
    second_factor.begin(user)
    return redirect("second-factor")


@require_POST
@own_page
def change(request: HttpRequest, user: User) -> HttpResponse:
    """Switch two-factor login off, or make new recovery codes, if the code is right."""
    factor = second_factor.of(user)
    if factor is None:
        return redirect("profile")
    form = CodeForm(factor, request.POST)
    if not form.is_valid():
        return _profile_page(request, user, factor, form)
    if request.POST.get("do") == "codes":
        second_factor.record(user, user, "Made new recovery codes.")
        return _codes_page(request, second_factor.new_recovery_codes(factor))
    if request.POST.get("do") == "off":
        second_factor.switch_off(user, user, "Switched off two-factor login.")
        messages.success(request, "Two-factor login is off.")
    return redirect("profile")


@require_POST
@own_page
def end_sessions(request: HttpRequest, user: User) -> HttpResponse:
    """End the user's other sessions, or all of them."""
    if request.POST.get("which") == "all":
        sessions.end_sessions(user)
        logout(request)
        return redirect("admin:login")
    ended = sessions.end_sessions(user, but=request.session)
    messages.success(request, f"{ended} other session{'s' * (ended != 1)} ended.")
    return redirect("profile")


def _profile_page(
    request: HttpRequest, user: User, factor: SecondFactor | None, form: CodeForm | None = None
) -> HttpResponse:
    context: dict[str, object] = {
        "title": "Your profile",
        "time_zone": chosen(user.pk),
        "factor": factor,
        "codes_left": factor.recovery_codes.count() if factor else 0,
        "form": form or (CodeForm(factor) if factor else None),
        "must": requirement.must_have(user),
        "sessions": sessions.open_sessions(user),
        "this": request.session.session_key,
    }
    return _page(request, "profile", context)


def _set_up_page(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    return _page(request, "second_factor", {"title": "Two-factor login", **context})


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return _page(request, "recovery_codes", {"title": "Recovery codes", "codes": codes})


def _page(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    return render(request, f"logins/{name}.html", admin.site.each_context(request) | context)


def _picture(factor: SecondFactor) -> str:
    """Return the QR code as the address of an SVG, which holds the picture itself."""
    code = segno.make(second_factor.address_of(factor), micro=False)
    return code.svg_data_uri(scale=5, light="white")


def _next(request: HttpRequest) -> str:
    """Return where the user wanted to go, if that is a page of Argo."""
    wanted = request.GET.get("next", "")
    is_own = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_own else reverse("admin:index")
