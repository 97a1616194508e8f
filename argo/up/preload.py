"""Forks the processes of `up` from one that has loaded Argo already.

Each process alone would take 100 MiB and two seconds of a processor to load the same code. Forked,
they share the memory that nobody changes. The processes are children of `up` all the same: it
adopts them, so that the end of the one that forked them ends nothing else.

Linux alone can do that. Elsewhere, and for a program with settings of its own, `execute` is used.
"""

import ctypes
import gc
import importlib
import importlib.util
import json
import logging
import logging.config
import os
import runpy
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

os.environ.setdefault("SPT_NOENV", "1")  # the title leaves the environment in /proc as it is

from setproctitle import setproctitle

from argo.celery import app
from argo.up import stop_with_parent
from argo.up.child import Launched, Spec, execute

logger = logging.getLogger(__name__)

PR_SET_CHILD_SUBREAPER = 36
"""From <linux/prctl.h>: become the parent of descendants whose own parent has ended."""
M_ARENA_MAX = -8
"""From <malloc.h>: the number of areas that threads allocate memory in."""
ARENAS = 2
PATIENCE = 30.0
"""Seconds that a process may take to be forked."""
ADOPTED_EVERY = 0.001
REQUEST_BYTES = 64 * 1024
MODULES = (
    "argo.beat", "argo.wsgi", "argo.web.readers", "argo.web.relay",
    "argo.web.server", "argo.site.warming", "signals.feed.source", "celery.apps.worker",
    "celery.apps.beat", "celery.concurrency.thread", "celery.worker.consumer",
    "celery.worker.components", "celery.worker.autoscale", "celery.events.dispatcher",
    "celery.app.control", "celery.app.events", "celery.app.amqp", "celery.app.log",
    "celery.app.routes", "celery.worker.strategy", "argo.consumer", "kombu.mixins",
    "kombu.transport.virtual", "argo.broker", "argo.groups",
    "django.db.models.sql.compiler", "signals.transfer.adoption",
)  # fmt: skip
"""What the processes of `up` load; each has to be safe before a fork: it starts no thread."""


class Preloaded:
    """A process that has loaded Argo and waits to fork others. Use it on the main thread."""

    def __init__(self) -> None:
        """Load Argo and fork this process; do it before it has threads or a connection."""
        _adopt_orphans()
        parent = os.getpid()
        _load()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            _serve(parent, theirs)
        theirs.close()
        self._socket.settimeout(PATIENCE)
        self._is_away = False

    def launch(self, spec: Spec, folder: Path) -> Launched:
        """Fork the process of `spec`, or execute it if it must load something else.

        Raises OSError if it cannot be started.
        """
        module = _module(spec)
        if module is None or spec.environment or self._is_away:
            return execute(spec, folder)
        reading, writing = os.pipe()
        try:
            pid = self._ask(spec, folder, writing)
        except (OSError, ValueError) as error:
            os.close(reading)
            self._socket.close()  # ends the process that forks
            logger.warning("Processes load Argo anew from now on: none can be forked (%s)", error)
            self._is_away = True
            return execute(spec, folder)
        finally:
            os.close(writing)
        return Launched(pid, os.fdopen(reading, "rb"), lambda: _end_of(pid))

    def close(self) -> None:
        """End the process that forks; those that it forked go on."""
        self._socket.close()
        _end_of(self.pid)

    def _ask(self, spec: Spec, folder: Path, output: int) -> int:
        asked = [spec.name, spec.command[2:], spec.niceness, str(folder)]
        socket.send_fds(self._socket, [json.dumps(asked).encode()], [output])
        answer = self._socket.recv(REQUEST_BYTES)
        if not answer:
            raise OSError("the process that forks has ended")
        return int(answer)


def _module(spec: Spec) -> str | None:
    """Return the module that the command runs, or None if it runs something else."""
    program, option, *rest = spec.command
    return rest[0] if program == sys.executable and option == "-m" else None


def _end_of(pid: int) -> int:
    """Wait for the end of a child; return its exit code, or the negated number of its signal."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _adopt_orphans() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def _load() -> None:
    """Load what the processes share, and start no thread."""
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # `up` runs them: they load every page
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
    for module in MODULES:
        importlib.import_module(module)
    MigrationLoader(None)  # health counts the missing ones: this loads their modules
    app.finalize()
    app.loader.import_default_modules()
    _keep_shared()


def _keep_shared() -> None:
    """Let the garbage collector pass over what is loaded: it would write to the memory of each
    object, which could not be shared any more."""
    gc.collect()
    gc.freeze()


# --- In the process that forks ---------------------------------------------------------------
def _serve(parent: int, requests: socket.socket) -> None:
    """Fork a process for each request, until `up` ends. Only its forked processes return from
    here, by SystemExit."""
    try:
        os.setsid()  # a Ctrl-C is for `up` to handle
        stop_with_parent.follow(parent, 0, "Argo")
        setproctitle("argo preloaded")
        while asked := _next(requests):
            pid = _fork_twice(parent, requests, *asked)
            _tell(requests, pid)
    except (OSError, KeyboardInterrupt):
        pass  # `up` has ended
    os._exit(0)


def _tell(requests: socket.socket, pid: int) -> None:
    """Answer with the new process; end it if nobody waits for it any more: `up` made another."""
    try:
        requests.send(str(pid).encode())
    except OSError:
        os.kill(pid, signal.SIGKILL)
        raise


def _next(requests: socket.socket) -> tuple[list[Any], int] | None:
    data, descriptors, _, _ = socket.recv_fds(requests, REQUEST_BYTES, 1)
    return (json.loads(data), descriptors[0]) if data else None


def _fork_twice(parent: int, requests: socket.socket, asked: list[Any], output: int) -> int:
    """Fork a process whose parent ends at once, so that `up` becomes its parent."""
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:
        between = os.getpid()
        pid = os.fork()
        if pid == 0:
            requests.close()
            os.close(reading)
            os.close(writing)
            _become(parent, between, asked, output)
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.close(output)
    os.close(writing)
    os.waitpid(middle, 0)
    with os.fdopen(reading, "rb") as file:
        return int(file.read())


def _become(parent: int, between: int, asked: list[Any], output: int) -> None:
    """Run the module of the request as `python -m` does, and end as a program does."""
    name, command, niceness, folder = asked
    try:
        while os.getppid() == between:
            time.sleep(ADOPTED_EVERY)
        os.setsid()
        _connect(output)
        os.chdir(folder)
        stop_with_parent.follow(parent, niceness, name)
        setproctitle(f"argo {name}")
        sys.argv = _arguments(command)
        logging.config.dictConfig(settings.LOGGING)  # its lines name this process
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001  # its caller is another program
        traceback.print_exc()
        raise SystemExit(1) from None
    raise SystemExit(0)


def _connect(output: int) -> None:
    """Print to `output`, and read nothing."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(empty)
    os.close(output)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) not in (signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(number, signal.SIG_DFL)


def _arguments(command: list[str]) -> list[str]:
    """Return the arguments as the module sees them: the first is its file."""
    spec = importlib.util.find_spec(command[0])
    origin = spec.origin if spec is not None and spec.origin else command[0]
    if origin.endswith("__init__.py"):
        origin = origin.replace("__init__.py", "__main__.py")
    return [origin, *command[1:]]
