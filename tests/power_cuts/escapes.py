"""Refuses changes of files that the model does not know."""

import _pyio  # type: ignore[import-not-found]  # typeshed lacks it
import builtins
import io
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from tests.power_cuts.nodes import Nodes

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
UNKNOWN_CALLS = (
    "writev", "pwritev", "truncate", "sendfile", "copy_file_range", "splice", "symlink", "mknod",
    "mkfifo",
)  # fmt: skip
BY_PATH = frozenset((
    "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.truncate",
    "sqlite3.connect",
))  # fmt: skip
AUDITED = BY_PATH | {"open", "mmap.__new__"}


class NotModelled(BaseException):
    """A file was changed in a way that the model does not know."""


class Escapes:
    """Sees to it that files below the folder are changed through the wrapped calls alone."""

    def __init__(self, nodes: Nodes) -> None:
        self.found: list[str] = []
        self._nodes = nodes
        self._local = threading.local()

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Refuse them from now on; let Python open files in a way that can be seen."""
        opened = self._opening(io.open)
        with ExitStack() as stack:
            for name in UNKNOWN_CALLS:
                stack.enter_context(patch.object(os, name, self._refusing(name)))
            stack.enter_context(patch.object(io, "open", opened))
            stack.enter_context(patch.object(builtins, "open", opened))
            stack.enter_context(_audited(self))
            yield

    @contextmanager
    def known(self) -> Iterator[None]:
        """Let this thread make a call that is wrapped."""
        before, self._local.known = self._is_known(), True
        try:
            yield
        finally:
            self._local.known = before

    def refuse(self, call: str) -> None:
        """Note the call. Raises NotModelled."""
        self.found.append(call)
        raise NotModelled(call)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse a change that is made without a wrapped call."""
        if not self._is_known() and self._changes(event, arguments):
            self.refuse(f"{event}{arguments}")

    def _is_known(self) -> bool:
        return getattr(self._local, "known", False)

    def _changes(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            return bool(arguments[2] & WRITING) and self._nodes.has(arguments[0])
        if event == "mmap.__new__":
            return arguments[2] != mmap.ACCESS_READ and self._nodes.has(arguments[0])
        return any(map(self._nodes.has, arguments[:2]))

    def _refusing(self, name: str) -> Callable[..., object]:
        real = getattr(os, name)

        def refusing(*arguments: object, **others: object) -> object:
            if any(map(self._nodes.has, arguments[:2])):
                self.refuse(f"{name}{arguments}")
            return real(*arguments, **others)

        return refusing

    def _opening(self, real: Callable[..., object]) -> Callable[..., object]:
        def opening(file: object, *arguments: Any, **others: Any) -> object:  # noqa: ANN401
            chosen: Callable[..., object] = _pyio.open if self._nodes.has(file) else real
            return chosen(file, *arguments, **others)

        return opening


_active: Escapes | None = None


@contextmanager
def _audited(escapes: Escapes) -> Iterator[None]:
    global _active  # noqa: PLW0603  # a hook cannot be removed, so it asks who is recording
    _install_hook()
    assert _active is None, "something else is being recorded"
    _active = escapes
    try:
        yield
    finally:
        _active = None


@cache
def _install_hook() -> None:
    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if _active is not None and event in AUDITED:
            _active.audit(event, arguments)

    sys.addaudithook(audit)
