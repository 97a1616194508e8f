"""HTTP connections to Alpine: pooled, kept alive, and cheap to use."""

from typing import Any

import requests

from sync.deadline import DeadlineAdapter


class Connections:
    """A `requests.Session` for one endpoint; any number of threads may share it.

    What is the same for every request is worked out once: nearly half of what a plain
    `Session.post` costs is merging headers and looking for proxies in the environment. `timeouts`
    are for the connection and between two pieces of the answer, in seconds.
    """

    def __init__(self, endpoint: str, key: str, size: int, timeouts: tuple[float, float]) -> None:
        session = requests.Session()
        adapter = DeadlineAdapter(pool_maxsize=size)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.headers.update({"X-API-Key": key, "Content-Type": "application/json"})
        found = session.merge_environment_settings(endpoint, {}, True, None, None)
        session.trust_env = False  # proxies and certificates are found; ~/.netrc has no say
        self._options: dict[str, Any] = {**found, "timeout": timeouts}
        self._post = session.prepare_request(requests.Request("POST", endpoint))
        self._session = session
        # Not by Session.send: even without following a redirect, it reads all of its body.
        self._adapter = adapter

    def post(self, signal_id: str, body: bytes) -> requests.Response:
        """Send one signal. The answer's text is not read yet; close it. Raises RequestException."""
        request = self._post.copy()
        request.headers["Idempotency-Key"] = signal_id
        request.headers["Content-Length"] = str(len(body))
        request.body = body
        return self._adapter.send(request, **self._options)

    def get(self, url: str) -> requests.Response:
        """As `post`."""
        request = self._session.prepare_request(requests.Request("GET", url))
        return self._adapter.send(request, **self._options)

    def close(self) -> None:
        """Let go of those that are idle."""
        self._session.close()
