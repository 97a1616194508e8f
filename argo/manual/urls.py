"""Addresses of the manual."""

from django.urls import path

from argo.manual import views

app_name = "manual"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:name>/", views.page, name="page"),
]
