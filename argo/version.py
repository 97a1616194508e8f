"""Argo's version, from pyproject.toml."""

from django.conf import settings


def version() -> str:
    """Return the version, such as "0.2.0"."""
    number: str = settings.VERSION
    return number
