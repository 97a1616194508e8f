"""Calls that may be made twice: they find out by themselves what the first time has done."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "does_nothing_twice"


def does_nothing_twice(view: View) -> View:
    """Mark a call that changes nothing more if a killed process has done it already."""
    setattr(view, _MARK, True)
    return view


def is_safe_to_repeat(view: Callable[..., Any]) -> bool:
    """Return whether the call is marked."""
    return getattr(view, _MARK, False)
