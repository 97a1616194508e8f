"""Secrets that are created once and kept in a file."""

import os
from collections.abc import Callable
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def load_or_make_secret(path: Path, make: Callable[[], str] = get_random_secret_key) -> str:
    """Return the secret in `path`; create it the first time, readable only by its owner.

    Two processes that start at the same time agree on one secret: the file appears whole, by a
    link that fails for the second process.
    """
    if not path.exists():
        _keep(make(), path)
    return path.read_text().strip()


def _keep(secret: str, path: Path) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other process was first: its secret is used
    finally:
        draft.unlink()
