"""Runs the web server: `python -m argo.web [MODULE:APPLICATION]`."""

import logging
import os
import resource
import signal
import socket
import sys
from wsgiref.types import WSGIApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")

from django.conf import settings
from django.utils.module_loading import import_string

from argo.web.limits import OTHER_FILES, Limits
from argo.web.server import Server, listen

logger = logging.getLogger("argo.web")

APPLICATION = "argo.wsgi:application"
SWITCH_INTERVAL = 0.0005
"""Seconds that a thread may compute while the event loop waits for its turn; Python's own is ten
times as long."""
BODIES = 16
"""Bodies of the largest size that may be read at the same time."""


def main(path: str) -> None:
    """Serve the application until SIGTERM or SIGINT."""
    application: WSGIApplication = import_string(path.replace(":", "."))
    sys.setswitchinterval(SWITCH_INTERVAL)
    server, listener = Server(application, limits()), _listen()
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again after it has stopped
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run([listener])
    if server.close():
        logger.warning("The web server stopped before all requests were answered.")
        logging.shutdown()
        os._exit(1)  # a usual exit would wait for the threads


def limits() -> Limits:
    """Return the limits from the settings; fewer connections if the system allows fewer files."""
    return Limits(
        threads=settings.WEB_THREADS,
        others=_others(settings.WEB_THREADS),
        connections=_raise_file_limit(settings.WEB_CONNECTIONS),
        head_timeout=min(settings.WEB_HEAD_TIMEOUT, settings.WEB_READ_TIMEOUT),
        read_timeout=settings.WEB_READ_TIMEOUT,
        body_bytes=settings.API_MAX_BODY_BYTES,
        bodies_bytes=BODIES * settings.API_MAX_BODY_BYTES,
    )


def _others(threads: int) -> int:
    """Return how many threads may do what takes long: the rest are kept for signals, and on SQLite
    one of the few connections too, for their keys."""
    is_pooled = "pool_size" in settings.DATABASES["default"].get("OPTIONS", {})
    most = settings.SIGNAL_POOL_SIZE - 1 if is_pooled else threads
    return max(1, min(threads - threads // 4, most))


def _raise_file_limit(connections: int) -> int:
    """Let the process open files enough; return how many connections they are enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(16, soft - OTHER_FILES)
    return connections


def _listen() -> socket.socket:
    try:
        return listen(settings.WEB_HOST, settings.WEB_PORT)
    except OSError as error:
        raise SystemExit(
            f"The web server cannot listen on {settings.WEB_HOST}:{settings.WEB_PORT} ({error}). "
            "Correct ARGO_WEB_HOST or ARGO_WEB_PORT."
        ) from error


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else APPLICATION)
