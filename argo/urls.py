"""The URLs of Argo."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from argo.api import api
from argo.dashboard import views as dashboard
from argo.logins.views import login_code
from argo.metrics.views import metrics
from argo.operations import views as operations
from argo.preferences.views import preferences
from argo.reports.daily.views import daily_report, daily_reports
from argo.reports.explain.views import explained
from argo.reports.views import compare, report
from argo.signal_page.views import signal_page
from argo.track_record import views as track_record
from signals.api import witness
from signals.api.hooks import hook
from signals.api.record import record_file

handler400 = "argo.site.refusals.bad_request"
handler403 = "argo.site.refusals.forbidden"
handler404 = "argo.site.refusals.not_found"
handler500 = "argo.site.refusals.failed"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("dashboard/panels/", dashboard.panels, name="panels"),
    path("signals/", signal_page, name="signal"),
    path("running/", operations.running, name="running"),
    path("running/retry/", operations.retry, name="retry"),
    path("problems/", operations.problems, name="problems"),
    path("history/", operations.history, name="history"),
    path("limits/", operations.limits, name="limits"),
    path("acts/", operations.acts, name="acts"),
    path("profile/", include("argo.logins.urls")),
    path("admin/login/code/", login_code, name="login-code"),
    path("preferences/", preferences, name="preferences"),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("hooks/<path:token>", hook),
    path("witness/add-checkpoint", witness.add_checkpoint, name="witness-add"),
    path("witness/<str:digest>/checkpoint", witness.checkpoint, name="witness-checkpoint"),
    path("metrics", metrics),
    path("record/", track_record.index, name="track-records"),
    path("record/bundle.zip", track_record.bundle, name="track-record-bundle"),
    path("record/policy", track_record.policy, name="track-record-policy"),
    re_path(r"^record/((?:checkpoint$|verify\.py$|(?:tile|checkpoints|stamps)/).*)$", record_file),
    path("record/<path:strategy>/badge.svg", track_record.badge_of, name="track-record-badge"),
    path("record/<path:strategy>/", track_record.track_record, name="track-record"),
    path("report/", report, name="report"),
    path("report/compare/", compare, name="report-compare"),
    path("report/daily/", daily_reports, name="report-daily"),
    path("report/daily/<str:name>", daily_report, name="report-daily-file"),
    path("report/signal/", explained, name="explain"),
    path("docs/", include("argo.manual.urls")),
    # Browsers ask for it on pages that name no icon, such as an answer of the API.
    path("favicon.ico", RedirectView.as_view(url=static("argo/icon.svg"))),
]
