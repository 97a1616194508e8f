"""Argo's admin site: Django's, with the navigation, the login form and the dashboard of Argo."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from argo.logins import second_factor
from argo.logins.acts import record_login, record_logout, record_password
from argo.logins.forms import LoginForm
from argo.site.acts import KINDS, RecordsActs
from argo.site.navigation import grouped, place_of
from argo.site.viewed import urls_for
from signals.api.auth import VIEW


class ArgoSite(AdminSite):
    """Shows the dashboard as its first page to users who may see it; to others their pages.

    It records who logs in and out, and who changes users and schedules.
    """

    site_title = site_header = "Argo"
    site_url = None
    index_title = "Pages"
    login_form = LoginForm
    enable_nav_sidebar = False  # the frame has its own navigation, which needs no script

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add which page of the navigation is shown."""
        context = super().each_context(request)
        return context | place_of(request.path, context["available_apps"])

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  # Django's stubs allow no redirect
        if request.user.has_perm(VIEW):
            return HttpResponseRedirect(reverse("dashboard"))
        return super().index(request, extra_context)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Go on with the code of the second factor if the password was right."""
        if request.method == "GET" and second_factor.awaited(request):
            return HttpResponseRedirect(f"{reverse('login-code')}?{request.GET.urlencode()}")
        answer = super().login(request, extra_context)
        record_login(request, answer)
        return answer

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models by what people do with them; those of one app as Django lists them."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label is not None else grouped(apps, urls_for(request.user))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:  # noqa: ANN401  # as Django has it
        """Register a page of models; those of other packages record what is changed there."""
        models = model_or_iterable if isinstance(model_or_iterable, tuple) else [model_or_iterable]
        for model in models:
            page = admin_class or ModelAdmin
            if model._meta.app_label in KINDS:
                page = type(page.__name__, (RecordsActs, page), {})
            super().register(model, page, **options)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        record_logout(request)
        return super().logout(request, extra_context)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        answer = super().password_change(request, extra_context)
        record_password(request, answer)
        return answer
