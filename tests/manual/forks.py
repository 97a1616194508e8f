"""Runs Argo's commands in forks of a warm process, each as if it had been started alone.

Run as `python -m tests.manual.forks SOCKET`; it ends with its standard input. It loads the
libraries once. For each new environment it forks a process that loads the settings and Argo's
modules once; that one forks for each request of `tests/manual/client.py`, takes over the client's
folder and standard streams, and runs the command. The request `forget` ends these processes.

`tests/warm.py` does a part of this, for commands whose output is collected; here they are parts of
a shell's pipes, and there are many in one environment.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.core.exceptions import ImproperlyConfigured

import argo  # noqa: F401  # swaps the SQLite library, as every start of Argo does
from tests.manual.client import FORGET, SERVE
from tests.warm import LIBRARIES

MORE = ("django_celery_beat", "pyarrow.csv", "pyarrow.parquet", "whitenoise.middleware")
OF_THE_SHELL = ("_", "OLDPWD", "PWD", "SHLVL")
"""What differs from command to command and changes no setting."""
LONGEST_REQUEST = 2**20


def main(address: str) -> None:
    """Serve until standard input ends."""
    for name in (*LIBRARIES, *MORE):
        import_module(name)
    sys.pycache_prefix = os.path.dirname(address)  # what a fork compiles, the next ones need not
    sys.dont_write_bytecode = False
    gc.freeze()  # no command looks at what the libraries have made
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    prepared: dict[str, socket.socket] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        while not any(key.fileobj is sys.stdin for key, _ in ready.select()):
            connection, _ = listener.accept()
            _pass_on(connection, prepared)


def _pass_on(connection: socket.socket, prepared: dict[str, socket.socket]) -> None:
    """Give the request to the process of its environment, which is made for the first one."""
    request, streams, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 3)
    asked = json.loads(request)
    if asked["arguments"] == FORGET:
        for made in prepared.values():
            made.close()
        prepared.clear()
    else:
        _give(request, _environment(asked), [connection.fileno(), *streams], prepared)
    for stream in streams:
        os.close(stream)
    connection.close()


def _give(
    request: bytes,
    environment: dict[str, str],
    descriptors: list[int],
    prepared: dict[str, socket.socket],
) -> None:
    key = json.dumps(environment, sort_keys=True)
    if key not in prepared:
        others = [made.fileno() for made in prepared.values()]
        prepared[key] = _prepare(environment, not_for_it=[*descriptors, *others])
    socket.send_fds(prepared[key], [request], descriptors)


def _environment(asked: dict[str, Any]) -> dict[str, str]:
    """Return what the settings follow from; relative paths are of the client's folder, not ours."""
    given: dict[str, str] = asked["environment"]
    found = {name: value for name, value in given.items() if name not in OF_THE_SHELL}
    found["ARGO_DATA_DIR"] = os.path.join(asked["folder"], given["ARGO_DATA_DIR"])
    return found


def _prepare(environment: dict[str, str], not_for_it: Sequence[int]) -> socket.socket:
    """Fork a process that loads Argo in this environment and then forks for each request."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork():
        theirs.close()
        return ours
    ours.close()
    for descriptor in not_for_it:
        os.close(descriptor)  # or whoever reads what the command writes would wait for its end
    os.environ.clear()
    os.environ.update(environment)
    is_loaded = True
    try:
        _load()
    except ImproperlyConfigured:  # each command shall say so
        is_loaded = False
    while True:
        request, descriptors, _, _ = socket.recv_fds(theirs, LONGEST_REQUEST, 4)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(json.loads(request), descriptors, is_loaded)
        for descriptor in descriptors:
            os.close(descriptor)


def _load() -> None:
    """Load the settings, and what every command or its checks load."""
    import django
    from django.conf import settings
    from django.core.management import get_commands, load_command_class

    django.setup()
    import_module(settings.ROOT_URLCONF)
    for name, app in get_commands().items():
        if app in ("argo", "signals", "sync", "execution"):
            load_command_class(app, name)


def _become(asked: dict[str, Any], descriptors: list[int], is_loaded: bool) -> NoReturn:
    """Do what the client asks, tell it the exit code, and end."""
    connection = socket.socket(fileno=descriptors[0])
    os.chdir(asked["folder"])
    sys.path.insert(0, asked["folder"])
    for number, stream in enumerate(descriptors[1:]):
        os.dup2(stream, number)
        os.close(stream)
    code = 1
    try:
        if asked["arguments"] == SERVE:
            _serve(connection)
        _run(asked["arguments"], is_loaded)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001  # a command's, which Python itself would show
        traceback.print_exc()
    for output in (sys.stdout, sys.stderr):
        output.flush()
    connection.sendall(bytes([code]))
    os._exit(code)


def _run(arguments: list[str], is_loaded: bool) -> None:
    """Run the command; of `up`, which would serve for ever, only the arguments are read."""
    from django.core.management import load_command_class

    from manage import main as manage

    sys.argv = ["manage.py", *arguments]
    if arguments[0] == "up" and is_loaded:
        command = load_command_class("argo", "up")
        command.create_parser("manage.py", "up").parse_args(arguments[1:])
    else:
        manage()


def _serve(connection: socket.socket) -> NoReturn:
    """Serve HTTP and flush, as `up` does, until the client is gone."""
    from django.core.management import call_command

    from argo.wsgi import application

    def flush() -> None:
        while True:
            call_command("flush_signals", stdout=StringIO())
            time.sleep(0.1)

    server = make_server("127.0.0.1", int(os.environ["PORT"]), application, handler_class=_Quiet)
    for work in (flush, server.serve_forever):
        threading.Thread(target=work, daemon=True).start()
    connection.sendall(b"\0")
    connection.recv(1)
    os._exit(0)


class _Quiet(WSGIRequestHandler):
    """Does not write a line for each request."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    main(sys.argv[1])
