"""Alpaca's trading service as it is spoken to: requests, and what their failures mean."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from requests import JSONDecodeError, RequestException

from execution.brokers.alpaca.parse import Told
from execution.brokers.protocol import BrokerError
from signals.market.alpaca_http import fault_of_keys, make_patient

QUOTED = 300
"""Of an answer that is refused, so many characters are told."""
PERMANENT = frozenset({400, 401, 403, 404, 422})
"""Statuses that the same request would meet again."""
DUPLICATE = re.compile(r"client[ _-]?order[ _-]?id (must be unique|already exists)", re.IGNORECASE)
ADVICE = {
    400: "Alpaca does not understand the request.",
    401: "Correct ALPACA_API_KEY and ALPACA_SECRET_KEY: paper and live accounts have their own.",
    403: "Look at the account's buying power, what it holds, and what it may do.",
    404: "There is no such thing there: is ALPACA_TRADING_URL right?",
    422: "The order breaks a rule of Alpaca's: look at its symbol, quantity and prices.",
    429: "That is Alpaca's rate limit: ask less often.",
}
Parameters = Mapping[str, str]
NONSENSE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)


class Refusal(NamedTuple):
    """What Alpaca says: the HTTP status, and its own code where the answer is its own."""

    status: int
    code: str
    message: str

    @property
    def is_missing(self) -> bool:
        """Alpaca itself has no such thing. A 404 of anybody else, as a wrong address answers,
        says nothing about an order."""
        return self.status == 404 and self.code.startswith("404")


class Wire:
    """One account at Alpaca. Nothing is sent twice: whoever asks decides on asking again.

    `timeout` is how many seconds each request may be without a byte.
    """

    def __init__(self, key: str, secret: str, url: str, timeout: float) -> None:
        if fault := fault_of_keys(key, secret):
            raise BrokerError(fault, permanent=True)
        address = url.rstrip("/").removesuffix("/v2")  # which Alpaca's own pages show with it
        self._client = TradingClient(key, secret, raw_data=True, url_override=address)
        self._client._retry = 0  # it would send an order again after 504, where it may be placed
        self._secrets = (key, secret)
        make_patient(self._client, timeout)

    def get(self, path: str, **parameters: str) -> Told:
        """An answer that is one thing."""
        return _told(self._client.get(path, parameters))

    def get_if_there(self, path: str, **parameters: str) -> Told | None:
        """None where Alpaca says that there is no such thing."""
        try:
            return self.get(path, **parameters)
        except APIError as error:
            if refusal(error).is_missing:
                return None
            raise

    def rows(self, path: str, **parameters: str) -> list[Told]:
        """An answer that is a list, which an empty one must be too."""
        answer: object = self._client.get(path, parameters)
        if not isinstance(answer, list):
            raise ValueError(f"a list was expected, not {answer!r}")
        return [_told(row) for row in answer]

    def pages(
        self, path: str, cursor: str, size: int, first: Parameters, always: Parameters
    ) -> Iterator[Told]:
        """All rows of all pages: `cursor` names the parameter that takes the last row's id.

        `first` are parameters of the first page alone. Exits in a row count for the page's size,
        because Alpaca does not say whether they do: a page too many is no harm, one too few is.
        """
        seen: set[str] = set()
        parameters = {**first, **always}
        while True:
            page = self.rows(path, **parameters)
            new = [row for row in page if row["id"] not in seen]
            yield from new
            if sum(1 + len(row.get("legs") or ()) for row in page) < size:
                return
            if not new:
                raise ValueError("the same page comes again and again")
            seen.update(row["id"] for row in new)
            parameters = {**always, cursor: page[-1]["id"]}

    def post(self, path: str, body: Mapping[str, object]) -> Told:
        return _told(self._client.post(path, dict(body)))

    def delete(self, path: str) -> Refusal | None:
        """What Alpaca says against it where it is 404 or 422; None where it does it."""
        try:
            self._client.delete(path)
        except APIError as error:
            said = refusal(error)
            if said.is_missing or said.status == 422:
                return said
            raise
        return None

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Every way in which asking for `what` can fail, as one error that quotes no key."""
        try:
            yield
        except APIError as error:
            raise self._refused(what, refusal(error)) from error
        except RequestException as error:
            raise self._failed(what, error) from error
        except NONSENSE as error:
            raise BrokerError(self._nonsense(what, error), permanent=False) from error

    def _refused(self, what: str, said: Refusal) -> BrokerError:
        duplicate = bool(DUPLICATE.search(said.message))
        advice = ADVICE.get(said.status, "It may pass.")
        text = f"Alpaca refuses {what} with {said.status}: {self._quoted(said.message)}. {advice}"
        permanent = duplicate or said.status in PERMANENT
        return BrokerError(text, permanent=permanent, duplicate=duplicate)

    def _failed(self, what: str, error: RequestException) -> BrokerError:
        if isinstance(error, JSONDecodeError):
            return BrokerError(self._nonsense(what, error), permanent=False)
        told = f"Alpaca cannot be reached for {what} ({self._quoted(str(error))})."
        return BrokerError(f"{told} ALPACA_TRADING_URL names it.", permanent=False)

    def _nonsense(self, what: str, error: Exception) -> str:
        return f"Alpaca's answer for {what} makes no sense: {self._quoted(repr(error))}"

    def _quoted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:QUOTED]


def refusal(error: APIError) -> Refusal:
    """What an error of `alpaca-py` says: its own `code` and `message` fail where a proxy speaks."""
    text = str(error)
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Refusal(error.status_code or 0, "", text)
    return Refusal(
        error.status_code or 0, str(told.get("code", "")), str(told.get("message", text))
    )


def _told(answer: object) -> Told:
    if not isinstance(answer, dict):
        raise ValueError(f"an object was expected, not {answer!r}")
    return answer
