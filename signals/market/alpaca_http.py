"""What every adapter to Alpaca needs of its HTTP: patience with an end, no redirects, sane keys."""

from typing import Any

from alpaca.common.rest import RESTClient
from requests import RequestException
from requests.adapters import HTTPAdapter
from typing_extensions import override


class Patient(HTTPAdapter):
    """Waits no longer than so many seconds, where `alpaca-py` would wait for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    @override
    def send(self, *args: Any, **options: Any) -> Any:  # as requests calls it
        answer = super().send(*args, **(options | {"timeout": self._seconds}))
        if answer.is_redirect:  # which alpaca-py does not follow, but takes for an empty answer
            answer.close()
            raise RequestException("it redirects to another address")
        return answer


def make_patient(client: RESTClient, timeout: float) -> None:
    """Let each request of `client` be without a byte for so many seconds at most."""
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, Patient(timeout))


def fault_of_keys(*keys: str) -> str | None:
    """What is wrong with the keys, without quoting them; None where they may do.

    What no header can hold is told before it is sent, because later errors would quote it.
    """
    if not all(keys):
        return "Alpaca needs ALPACA_API_KEY and ALPACA_SECRET_KEY"
    if not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        return (
            "ALPACA_API_KEY or ALPACA_SECRET_KEY has a character that no key has: look for spaces"
        )
    return None
