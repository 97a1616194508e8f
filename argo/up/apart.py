"""Runs a function in a process of its own, so that this one keeps nothing of what it loads."""

import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from argo.errors import ArgoError
from argo.up.stop_with_parent import follow


class EndedEarly(ArgoError):
    """The process ended without a result."""


def apart(function: Callable[[], None], finish: Callable[[], object] = lambda: None) -> None:
    """Call the function in a forked process, and wait; raise here what it raises there.

    `finish` is called in that process at the end, for output that is not written yet. Call it while
    this process has no thread and no connection.
    """
    if sys.platform != "linux":
        function()
        return
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        follow(parent, 0, "The preparation")
        _call(function, finish, writing)
    os.close(writing)
    _raise(_result(pid, reading), pid)


def _result(pid: int, reading: int) -> bytes:
    try:
        with os.fdopen(reading, "rb") as file:
            return file.read()
    except BaseException:  # Ctrl-C: the other one must end, too
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        raise


def _raise(result: bytes, pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    if not result:
        code = os.waitstatus_to_exitcode(status)
        raise EndedEarly(
            f"The preparation ended early, with exit code {code}: see the lines above."
        )
    error = pickle.loads(result)  # noqa: S301  # from a process of our own
    if error is not None:
        raise error


def _call(function: Callable[[], None], finish: Callable[[], object], writing: int) -> NoReturn:
    error: BaseException | None = None
    try:
        function()
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException as raised:  # noqa: BLE001  # its caller raises it
        error = raised
    finish()
    with os.fdopen(writing, "wb") as file:
        file.write(_pickled(error))
    os._exit(0)


def _pickled(error: BaseException | None) -> bytes:
    """Return the error as bytes; one of Argo's that cannot be copied becomes its sentence."""
    try:
        data = pickle.dumps(error)
        pickle.loads(data)  # noqa: S301  # some cannot be read
    except Exception:  # noqa: BLE001  # whatever its class does not support
        return pickle.dumps(EndedEarly(str(error)))
    return data
