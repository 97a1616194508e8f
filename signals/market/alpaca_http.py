"""HTTP for every adapter to Alpaca: a timeout, no redirects, and a check of the keys."""

from typing import Any

from alpaca.common.rest import RESTClient
from requests import RequestException
from requests.adapters import HTTPAdapter
from typing_extensions import override


class TimeoutAdapter(HTTPAdapter):
    """Gives up after some seconds without a byte; `alpaca-py` would wait for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    @override
    def send(self, *args: Any, **options: Any) -> Any:  # as requests calls it
        answer = super().send(*args, **(options | {"timeout": self._seconds}))
        if answer.is_redirect:  # alpaca-py does not follow it, and reads it as an empty answer
            answer.close()
            raise RequestException("it redirects to another address")
        return answer


def set_timeout(client: RESTClient, timeout: float) -> None:
    """Let each request of `client` wait at most `timeout` seconds for the next byte."""
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, TimeoutAdapter(timeout))


def problem_with_keys(*keys: str) -> str | None:
    """Return what is wrong with the keys, without quoting them; None if nothing is.

    A character that no HTTP header can hold is reported here, before the key is sent: a later
    error would quote the key.
    """
    if not all(keys):
        return "Alpaca needs ALPACA_API_KEY and ALPACA_SECRET_KEY"
    if not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        return "ALPACA_API_KEY or ALPACA_SECRET_KEY has an invalid character: look for spaces"
    return None
