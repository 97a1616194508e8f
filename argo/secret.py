"""Secrets that are created once and kept in a file."""

from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from signals.files import kept_text


def load_or_make_secret(path: Path, make: Callable[[], str] = get_random_secret_key) -> str:
    """Return the secret in `path`; create it the first time, readable only by its owner.

    Two processes that start at the same time agree on one secret. It is on disk before anything
    uses it. Raises `ImproperlyConfigured` if the file is empty.
    """
    if secret := kept_text(path, make):
        return secret
    raise ImproperlyConfigured(
        f"{path} is empty, probably after a power cut. Restore it from a backup, or delete it: "
        "then Argo makes a new one, and everybody logs in again."
    )
