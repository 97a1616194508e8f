"""Alpaca's data service on loopback: a real HTTP server that answers in the documented format."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from tests.loopback import serving
from tests.sync.alpine_server import Behave, answer

Row = dict[str, object]

KEY, SECRET = "PKTHEKEY", "the/Secret+0"
NOW = datetime(2024, 1, 5, 22, tzinfo=UTC)
"""A Friday, an hour after the close."""


class Asked(NamedTuple):
    """One request."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


@dataclass
class Alpaca:
    """The requests received, and how to answer them."""

    port: int
    behave: Callable[[Asked], Behave] = lambda asked: answer(404)
    requests: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> Asked:
        """Return the only request received."""
        (only,) = self.requests
        return only

    def always(self, behave: Behave) -> None:
        self.behave = lambda asked: behave

    def in_turn(self, *behaves: Behave) -> None:
        """Answer the first request with the first behaviour, the second with the second, ..."""
        self.behave = lambda asked: behaves[len(self.requests) - 1]


def row(time: str, close: float = 10.0, /, **changes: object) -> Row:
    """Return a daily bar that began at `time`; a date alone means midnight in New York."""
    began = time if "T" in time else f"{time}T05:00:00Z"
    prices = {"o": close, "h": close + 1, "l": close - 1, "c": close}
    return {"t": began, **prices, "v": 1000, "n": 10, "vw": close, **changes}


def bars(*rows: Row, symbol: str = "AAPL", token: str | None = None) -> Behave:
    """Return a page of bars; `token` is the token of the next page."""
    return in_json({"bars": {symbol: rows} if rows else {}, "next_page_token": token})


def quote(symbol: str = "AAPL", /, **changes: object) -> Behave:
    """Return the latest quote, at a moment in New York's session."""
    good: Row = {"t": "2024-01-05T15:30:00.123456789Z", "ax": "V", "ap": 10.3, "as": 1,
                 "bx": "V", "bp": 10.2, "bs": 2, "c": ["R"], "z": "C"}  # fmt: skip
    return in_json({"quotes": {symbol: good | changes}})


def in_json(content: object, status: int = 200) -> Behave:
    """Return `content` as JSON, NaN and infinity as Python writes them."""
    return answer(status, json.dumps(content).encode(), Content_Type="application/json")


@contextmanager
def running() -> Iterator[Alpaca]:
    """Run Alpaca until the end of the block."""

    class Get(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60  # a test that would hang fails

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            target = self.requestline.split()[1]  # `self.path` has lost a second slash
            url = urlsplit(f"{alpaca.url}{target}")
            asked = Asked(url.path, dict(parse_qsl(url.query)), dict(self.headers))
            alpaca.requests.append(asked)
            alpaca.behave(asked)(self)

    with serving(Get) as port:
        alpaca = Alpaca(port)
        yield alpaca
