"""Requests to Alpaca's trading service, and the meaning of their failures."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from requests import JSONDecodeError, RequestException

from execution.brokers.alpaca.parse import PARSE_ERRORS, Answer
from execution.brokers.protocol import BrokerError
from signals.market.alpaca_http import problem_with_keys, set_timeout

MAX_QUOTED = 300
"""How many characters of a refused answer an error quotes."""
PERMANENT = frozenset({400, 401, 403, 404, 422})
"""Statuses that the same request would get again."""
DUPLICATE = re.compile(r"client[ _-]?order[ _-]?id (must be unique|already exists)", re.IGNORECASE)
ADVICE = {
    400: "Alpaca does not understand the request.",
    401: "Correct ALPACA_API_KEY and ALPACA_SECRET_KEY: paper and live accounts have their own.",
    403: "Check the account's buying power, positions and permissions.",
    404: "There is nothing at this address: check ALPACA_TRADING_URL.",
    422: "The order breaks a rule of Alpaca: check its symbol, quantity and prices.",
    429: "This is Alpaca's rate limit: send fewer requests.",
}
Parameters = Mapping[str, str]


class Refusal(NamedTuple):
    """Alpaca's refusal: the HTTP status, and Alpaca's own code if the answer is its own."""

    status: int
    code: str
    message: str

    @property
    def is_missing(self) -> bool:
        """Return whether Alpaca itself says that there is no such thing.

        A 404 from anything else, such as a wrong address, says nothing about an order.
        """
        return self.status == 404 and self.code.startswith("404")


class AlpacaClient:
    """One account at Alpaca. Nothing is sent twice: the caller decides whether to ask again.

    A request fails after `timeout` seconds without a byte.
    """

    def __init__(self, key: str, secret: str, url: str, timeout: float) -> None:
        if problem := problem_with_keys(key, secret):
            raise BrokerError(problem, permanent=True)
        address = url.rstrip("/").removesuffix("/v2")  # Alpaca's own pages show the address with it
        self._http = TradingClient(key, secret, raw_data=True, url_override=address)
        self._http._retry = 0  # it would send an order again after a 504, which may have placed it
        self._secrets = (key, secret)
        set_timeout(self._http, timeout)

    def get(self, path: str, **parameters: str) -> Answer:
        """Return an answer that is one object."""
        return _object(self._http.get(path, parameters))

    def get_if_there(self, path: str, **parameters: str) -> Answer | None:
        """Return the object; None if Alpaca says that there is no such thing."""
        try:
            return self.get(path, **parameters)
        except APIError as error:
            if refusal(error).is_missing:
                return None
            raise

    def rows(self, path: str, **parameters: str) -> list[Answer]:
        """Return an answer that is a list, which may be empty."""
        answer: object = self._http.get(path, parameters)
        if not isinstance(answer, list):
            raise ValueError(f"expected a list, not {answer!r}")
        return [_object(row) for row in answer]

    def pages(
        self, path: str, cursor: str, size: int, first: Parameters, on_every_page: Parameters
    ) -> Iterator[Answer]:
        """Yield all rows of all pages: `cursor` names the parameter that takes the last row's id.

        `first` are parameters of the first page only. Exits within a row count toward the page
        size, because Alpaca does not say if they do: one page too many does no harm, one too few
        would.
        """
        seen: set[str] = set()
        parameters = {**first, **on_every_page}
        while True:
            page = self.rows(path, **parameters)
            yield from (row for row in page if row["id"] not in seen)
            if sum(1 + len(row.get("legs") or ()) for row in page) < size:
                return
            ids = [row["id"] for row in page if row["id"]]  # that of one row may be empty
            if seen.issuperset(ids):
                raise ValueError("the same page comes again and again")
            seen.update(ids)
            parameters = {**on_every_page, cursor: ids[-1]}

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        return _object(self._http.post(path, dict(body)))

    def delete(self, path: str) -> Refusal | None:
        """Delete it. Return the refusal if Alpaca answers 404 or 422; None if it is done."""
        try:
            self._http.delete(path)
        except APIError as error:
            refused = refusal(error)
            if refused.is_missing or refused.status == 422:
                return refused
            raise
        return None

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn every failure of asking for `what` into one `BrokerError` that quotes no key."""
        try:
            yield
        except APIError as error:
            raise self._refused(what, refusal(error)) from error
        except RequestException as error:
            raise self._failed(what, error) from error
        except PARSE_ERRORS as error:
            message = self._invalid(what, error)
            raise BrokerError(message, permanent=False, unreadable=True) from error

    def _refused(self, what: str, refused: Refusal) -> BrokerError:
        duplicate = bool(DUPLICATE.search(refused.message))
        advice = ADVICE.get(refused.status, "Try again later.")
        quoted = self._quoted(refused.message)
        text = f"Alpaca refuses {what} with {refused.status}: {quoted}. {advice}"
        permanent = duplicate or refused.status in PERMANENT
        return BrokerError(text, permanent=permanent, duplicate=duplicate)

    def _failed(self, what: str, error: RequestException) -> BrokerError:
        if isinstance(error, JSONDecodeError):
            return BrokerError(self._invalid(what, error), permanent=False)
        message = f"Alpaca cannot be reached for {what} ({self._quoted(str(error))})."
        return BrokerError(f"{message} Check ALPACA_TRADING_URL.", permanent=False)

    def _invalid(self, what: str, error: Exception) -> str:
        return f"Alpaca's answer for {what} is invalid: {self._quoted(repr(error))}"

    def _quoted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:MAX_QUOTED]


def refusal(error: APIError) -> Refusal:
    """Return the meaning of an error of `alpaca-py`.

    Its own `code` and `message` raise if the answer comes from a proxy.
    """
    text = str(error)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Refusal(error.status_code or 0, "", text)
    return Refusal(
        error.status_code or 0, str(found.get("code", "")), str(found.get("message", text))
    )


def _object(answer: object) -> Answer:
    if not isinstance(answer, dict):
        raise ValueError(f"expected an object, not {answer!r}")
    return answer
