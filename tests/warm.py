"""Runs `manage.py` without the wait for its imports: forks it from a process that has made them.

Each command is still a process of its own, with its own environment, folder, input, output and
exit. Only the libraries are there already: no module of Argo, and no setting. Most of what a
command costs is their import, and the tests run hundreds of commands.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
MODULE = "tests.warm"
LIBRARIES = (
    "celery", "celery.app.base", "celery.app.amqp", "celery.app.control", "celery.app.log",
    "celery.fixups.django", "celery.loaders.app", "celery.schedules", "celery.worker.state",
    "kombu.transport.filesystem", "django.core.management", "django.core.management.base",
    "django.db.models", "django.contrib.admin", "django.contrib.postgres", "django.forms",
    "django.test.signals", "django.urls", "django.views.debug", "django_stubs_ext", "environ",
    "annotated_types", "exchange_calendars", "numpy", "numpy.typing", "orjson", "pandas",
    "structlog.stdlib",
    "pydantic", "pydantic.dataclasses", "pydantic.json_schema", "pydantic.main", "psycopg",
    "requests", "sqlalchemy.pool", "talib", "tenacity", "tqdm", "tomllib", "cron_descriptor",
    "crontab", "multiprocessing.queues",
    "concurrent.futures.process", "whitenoise.base",
    "concurrent.futures.thread", "asyncio", "http.client", "logging.config",
    "markdown_it", "mdit_py_plugins.anchors", "whitenoise.middleware", "statistics", "getpass",
    "timeit", "pydantic.networks", "pydantic.type_adapter", "pydantic.functional_serializers",
    "django.core.management.commands.migrate", "django.db.migrations.autodetector",
    "django.db.backends.base.schema", "django.db.backends.base.introspection",
    "django.db.backends.base.creation", "django.contrib.admin.templatetags.admin_list",
    "django.contrib.auth.hashers", "django.contrib.auth.password_validation",
    "django.contrib.messages.middleware", "django.contrib.staticfiles.finders",
    "django.contrib.staticfiles.storage", "django.middleware.common",
    "django.middleware.security",
)  # fmt: skip
"""Modules that need no setting of Django's."""
FORBIDDEN = ("sqlite3", "argo", "signals", "sync", "execution")
"""Argo exchanges the SQLite library at its own start; the rest would be Argo's own state."""


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], input: str, timeout: float,
    **options: Any,  # noqa: ANN401  # those of subprocess.run
) -> "subprocess.CompletedProcess[str]":  # fmt: skip
    """Do as `subprocess.run` does for `[sys.executable, "manage.py", ...]`; text, captured.

    A second caller at the same time starts its command in the ordinary way.
    """
    server = _server()
    if not server.lock.acquire(blocking=False):
        return subprocess.run(  # noqa: PLW1510  # `check` is among the options
            command, cwd=cwd, env=env, input=input, timeout=timeout, **options
        )
    try:
        return server.run(command, cwd, env, input, timeout)
    finally:
        server.lock.release()


class _Server:
    """The process that forks, and the socket to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(theirs.fileno())],
            cwd=ROOT, env=environment, pass_fds=[theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        """End the process; it has nothing to finish."""
        self._socket.close()
        self.process.kill()
        self.process.wait()

    def run(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], text: str, timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Have the command run to its end."""
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
            files[0].write(text)
            files[0].seek(0)
            code = self._ask([*command], str(cwd), {**env}, files, timeout)
            for file in files:
                file.seek(0)
            return subprocess.CompletedProcess(command, code, files[1].read(), files[2].read())

    def _ask(
        self, command: list[str], cwd: str, env: dict[str, str], files: Sequence[IO[str]],
        timeout: float,
    ) -> int:  # fmt: skip
        asked = json.dumps([command[1:], cwd, env]).encode()
        self._socket.settimeout(timeout)
        head = len(asked).to_bytes(4, "big")
        socket.send_fds(self._socket, [head], [file.fileno() for file in files])
        self._socket.sendall(asked)
        try:
            answer = self._socket.recv(16)
        except BaseException:
            self.process.kill()  # its child is found by tests/leftovers.py
            _server.cache_clear()
            raise
        return os.waitstatus_to_exitcode(int(answer))


@cache
def _server() -> _Server:
    return _Server()


def _serve(connection: socket.socket) -> None:
    """Fork a command for each request; return in the child that is to run it."""
    while True:
        head, files, _, _ = socket.recv_fds(connection, 4, 3)
        if not head:
            raise SystemExit
        asked = _received(connection, int.from_bytes(head, "big"))
        if (pid := _fork()) == 0:
            connection.close()
            return _become(files, *json.loads(asked))
        for file in files:
            os.close(file)
        connection.sendall(str(os.waitpid(pid, 0)[1]).encode())


def _fork() -> int:
    """Fork; a library has a thread for its memory, which a child does without."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data


def _become(files: list[int], arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    folders = env.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [folder for folder in folders if folder and folder not in sys.path]
    os.chdir(cwd)
    sys.argv = arguments
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    """Be the server; and in each of its children `manage.py`."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    found = [name for name in FORBIDDEN if name in sys.modules]
    if found:
        raise SystemExit(f"{MODULE} has imported {', '.join(found)}")
    gc.freeze()  # no command looks at what the libraries have made
    _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.path[0] = str(ROOT)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
