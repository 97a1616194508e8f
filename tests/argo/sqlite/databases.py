"""Separate databases with Argo's engine."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from argo.sqlite.base import DatabaseWrapper

T = TypeVar("T")


def wrapper_for(folder: Path, **options: Any) -> DatabaseWrapper:  # noqa: ANN401
    """Return a new wrapper, as each thread has one; all wrappers of one folder share a pool."""
    described = {**settings.DATABASES["default"], "NAME": str(folder / "own.db")}
    options = {"pool_size": 5, "pool_timeout": 30.0, **options}
    return DatabaseWrapper({**described, "OPTIONS": options}, "own")


def in_thread(work: Callable[[], T]) -> T:
    """Return the result of `work`, which runs on another thread."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    return answers[0]
