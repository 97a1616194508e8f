"""Argo as a Django app: loading it connects Celery and the system checks."""

from django.apps import AppConfig


class ArgoConfig(AppConfig):
    name = "argo"

    def ready(self) -> None:
        # Imported here because both need the settings and the app registry, which are ready now.
        from argo import celery, checks  # noqa: F401
