"""Runs Argo's commands in forks of a warm process, each as if it had been started alone.

Run as `python -m tests.manual.forks SOCKET`. It loads the libraries once, which takes seconds, and
then forks for each request of `tests/manual/client.py`. The fork takes over the client's folder,
environment and standard streams, loads the settings anew and runs the command. It ends with its
standard input.
"""

import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from importlib import import_module
from io import StringIO
from wsgiref.simple_server import WSGIRequestHandler, make_server

import argo  # noqa: F401  # swaps the SQLite library, as every start of Argo does

LIBRARIES = (
    "celery.app", "django.contrib.admin", "django.core.management", "django_celery_beat",
    "kombu.transport.filesystem", "ninja", "pandas", "pyarrow.csv", "pyarrow.parquet", "pydantic",
    "requests", "sqlalchemy.pool", "talib", "tenacity", "tqdm", "whitenoise.middleware",
)  # fmt: skip
LONGEST_REQUEST = 2**20


def main(address: str) -> None:
    """Serve until standard input ends."""
    for name in LIBRARIES:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        while True:
            if any(key.fileobj is sys.stdin for key, _ in ready.select()):
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _become(connection)
            connection.close()


def _become(connection: socket.socket) -> None:
    """Do what the client asks, tell it the exit code, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 3)
    asked = json.loads(request)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.path[:0] = [asked["folder"]]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    code = 1
    try:
        _serve(connection) if asked["arguments"] == ["serve"] else _run(asked["arguments"])
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    connection.sendall(bytes([code]))
    os._exit(code)


def _run(arguments: list[str]) -> None:
    """Run the command; of `up`, which would serve for ever, only the arguments are read."""
    from manage import main as manage

    sys.argv = ["manage.py", *arguments]
    if arguments[0] != "up":
        manage()
        return
    import django
    from argo.management.commands.up import Command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
    django.setup()
    Command().create_parser("manage.py", "up").parse_args(arguments[1:])


def _serve(connection: socket.socket) -> None:
    """Serve HTTP and flush, as `up` does, until the client is gone."""
    from argo.wsgi import application
    from django.core.management import call_command

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
