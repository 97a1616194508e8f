"""The addresses where users look after their own login."""

from django.urls import path

from argo.logins import views

urlpatterns = [
    path("", views.profile, name="profile"),
    path("second-factor/", views.set_up, name="second-factor"),
    path("second-factor/begin/", views.begin, name="second-factor-begin"),
    path("second-factor/change/", views.change, name="second-factor-change"),
    path("sessions/end/", views.end_sessions, name="end-sessions"),
]
