"""The web server of an installation alone, without its workers."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.argo.up.processes import wait_until
from tests.installation import Installation


@contextmanager
def served(installation: Installation, port: int) -> Iterator[str]:
    """Run the web server as `up` does; yield its address when it answers."""
    with installation.start("-m", "argo.web") as process:
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
