"""The web server of an installation alone, without its workers."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.argo.up.processes import wait_until
from tests.installation import Installation


@contextmanager
def served(installation: Installation, port: int, threads: int = 4) -> Iterator[str]:
    """Run the web server as `up` does; yield its address when it answers."""
    command = ("-m", "granian", "argo.wsgi:application", "--interface", "wsgi", "--workers", "1",
               "--port", str(port), "--blocking-threads", str(threads),
               "--log-level", "error")  # fmt: skip
    with installation.start(*command) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(address))
            yield address
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        requests.get(f"{address}/api/health", timeout=5)
    except requests.ConnectionError:
        return False
    return True
