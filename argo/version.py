"""Argo's version, from pyproject.toml."""

import tomllib
from functools import cache
from pathlib import Path

from django.conf import settings


@cache
def version() -> str:
    """Return the version, such as "0.2.0"."""
    with Path(settings.BASE_DIR, "pyproject.toml").open("rb") as file:
        number: str = tomllib.load(file)["project"]["version"]
    return number
