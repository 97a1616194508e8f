"""Runs the web server: `python -m argo.web [MODULE:APPLICATION]`.

With `--pages-at SOCKET` another one makes the pages, and gets their requests by this Unix socket;
that one is `python -m argo.web --make-pages-at SOCKET`.
"""

import argparse
import gc
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

from argo.site.warming import warm_up
from argo.web.limits import OTHER_FILES, Limits
from argo.web.readers import Readers
from argo.web.relay import Relay
from argo.web.server import Server, listen, listen_on

logger = logging.getLogger("argo.web")

APPLICATION = "argo.wsgi:application"
SWITCH_INTERVAL = 0.0005
"""Seconds that a thread may compute while the event loop waits for its turn; Python's own is ten
times as long."""
BODIES = 16
"""Bodies of the largest size that may be read at the same time."""


def main(options: argparse.Namespace) -> None:
    """Serve the application until SIGTERM or SIGINT."""
    application: WSGIApplication = import_string(options.application.replace(":", "."))
    sys.setswitchinterval(SWITCH_INTERVAL)
    if options.make_pages_at:
        warm_up()
        server = Server(application, limits(), is_behind_relay=True)
        listener = listen_on(options.make_pages_at)
    else:
        relay = Relay(options.pages_at) if options.pages_at else None
        server = Server(application, limits(), relay, readers(), drain=settings.WEB_DRAIN)
        listener = _listen()
    _keep_what_is_loaded()
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again after it has stopped
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run([listener])
    if server.close():
        logger.warning("The web server stopped before all requests were answered.")
        logging.shutdown()
        os._exit(1)  # a usual exit would wait for the threads


def _keep_what_is_loaded() -> None:
    """Let the garbage collector pass over what is loaded now: all of it stays, and looking through
    it would stop every thread for more than 100 ms, again and again."""
    gc.collect()
    gc.freeze()


def limits() -> Limits:
    """Return the limits from the settings; fewer connections if the system allows fewer files."""
    return Limits(
        threads=settings.WEB_THREADS,
        others=_others(settings.WEB_THREADS),
        connections=_raise_file_limit(settings.WEB_CONNECTIONS + settings.FEED_READERS),
        head_timeout=min(settings.WEB_HEAD_TIMEOUT, settings.WEB_READ_TIMEOUT),
        read_timeout=settings.WEB_READ_TIMEOUT,
        body_bytes=settings.API_MAX_BODY_BYTES,
        bodies_bytes=BODIES * settings.API_MAX_BODY_BYTES,
    )


def readers() -> Readers:
    """Return the readers of the feed, within the limits of the settings."""
    source = import_string("signals.feed.source.FeedSource")()  # its models need Django's set-up
    return Readers(source, settings.FEED_READERS, settings.FEED_READERS_PER_KEY)


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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m argo.web")
    parser.add_argument("application", nargs="?", default=APPLICATION)
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument("--pages-at", metavar="SOCKET")
    pages.add_argument("--make-pages-at", metavar="SOCKET")
    return parser.parse_args()


if __name__ == "__main__":
    main(_options())
