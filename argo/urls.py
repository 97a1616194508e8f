"""The URLs of Argo."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from argo.api import api
from argo.logins.forms import LoginForm
from argo.metrics.views import metrics
from argo.reports.explain.views import explained
from argo.reports.views import report

admin.site.login_form = LoginForm
urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("metrics", metrics),
    path("report/", report),
    path("report/signal/", explained, name="explain"),
    path("docs/", include("argo.manual.urls")),
]
