"""Secrets that are made once and kept in a file."""

import os
from collections.abc import Callable
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def load_or_make_secret(path: Path, make: Callable[[], str] = get_random_secret_key) -> str:
    """The key in `path`; made there, readable by its owner alone, the first time.

    Two processes that start together agree on one key: the file appears whole, by a link that
    fails for the second.
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
        pass  # the other process was first: its key counts
    finally:
        draft.unlink()
