"""Alpaca's trading service on loopback: a real HTTP server that can also misbehave."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from tests.execution.brokers.alpaca.alpaca_exchange import DONE, Exchange, Refused, Row
from tests.loopback import serving
from tests.signals.market.alpaca_server import in_json
from tests.sync.alpine_server import Behave, answer

OUT_OF_OPEN = (*DONE, "held")
"""Alpaca's open orders leave out an exit that is held."""


class Asked(NamedTuple):
    """One request; `path` is the part after `/v2`."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: Row

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Trouble(NamedTuple):
    """The answer to requests that begin like this; with `after`, the exchange acts first."""

    beginning: str
    behave: Behave
    after: bool


@dataclass
class Alpaca:
    """The exchange, the requests it received, and how it misbehaves."""

    port: int
    exchange: Exchange = field(default_factory=Exchange)
    requests: list[Asked] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.requests]

    def instead(self, beginning: str, behave: Behave) -> None:
        """From now on, answer such requests (`POST /orders`) without the exchange."""
        self.troubles.append(Trouble(beginning, behave, after=False))

    def after(self, beginning: str, behave: Behave) -> None:
        """From now on, let the exchange act on such requests, but answer differently."""
        self.troubles.append(Trouble(beginning, behave, after=True))

    def answered(self, asked: Asked) -> Behave:
        for trouble in self.troubles:
            if asked.line.startswith(trouble.beginning):
                if trouble.after:
                    route(self.exchange, asked)
                return trouble.behave
        return route(self.exchange, asked)


def route(exchange: Exchange, asked: Asked) -> Behave:
    """Return the exchange's own answer."""
    for beginning, call in ROUTES.items():
        if asked.line.startswith(beginning):
            try:
                found = call(exchange, asked)
            except Refused as refused:
                return in_json(refused.body, refused.status)
            return answer(204, b"") if found is None else in_json(found)
    return answer(404, b"404 page not found")


def _list_orders(exchange: Exchange, asked: Asked) -> list[Row]:
    wanted = asked.parameters
    nested = wanted.get("nested") == "true"
    if {"after", "after_order_id"} <= set(wanted):
        raise Refused(422, 40010001, "after_order_id cannot be combined with after")
    found = [
        order
        for order in exchange.orders
        if order["submitted_at"] > wanted.get("after", "")
        and not (nested and order["parent"])
        and (wanted["status"] == "all" or order["status"] not in OUT_OF_OPEN)
    ]
    size = int(wanted["limit"]) // (3 if nested and exchange.counts_legs else 1)
    page = _after(found, wanted.get("after_order_id"), size)
    return [exchange.shown(order, nested) for order in page]


def _after(rows: list[Row], last: str | None, size: int) -> list[Row]:
    ids = [row["id"] for row in rows]
    begin = ids.index(last) + 1 if last else 0
    return rows[begin : begin + size]


def _by_client_id(exchange: Exchange, asked: Asked) -> Row:
    return exchange.shown(exchange.order(asked.parameters["client_order_id"]), nested=False)


def _by_id(exchange: Exchange, asked: Asked) -> Row:
    nested = asked.parameters.get("nested") == "true"
    return exchange.shown(exchange.order(_last(asked)), nested)


def _list_fills(exchange: Exchange, asked: Asked) -> list[Row]:
    wanted = asked.parameters
    fills = [row for row in exchange.activities if row["activity_type"] == "FILL"]
    rows = [row for row in fills if row["transaction_time"] > wanted["after"]]
    return _after(rows, wanted.get("page_token"), int(wanted["page_size"]))


def _list_activities(exchange: Exchange, asked: Asked) -> list[Row]:
    """Return activities of the wanted types; those with a date only count as that midnight."""
    wanted = asked.parameters
    kinds = wanted["activity_types"].split(",")
    rows = [
        row
        for row in exchange.activities
        if row["activity_type"] in kinds
        and row.get("transaction_time", f"{row.get('date')}T00:00:00Z") > wanted["after"]
    ]
    return _after(rows, wanted.get("page_token"), int(wanted["page_size"]))


def _last(asked: Asked) -> str:
    return asked.path.rpartition("/")[2]


ROUTES: dict[str, Callable[[Exchange, Asked], Any]] = {
    "GET /account/activities/FILL": _list_fills,
    "GET /account/activities": _list_activities,
    "GET /account": lambda exchange, asked: exchange.account(),
    "GET /positions": lambda exchange, asked: [
        exchange.position(symbol) for symbol in exchange.positions
    ],
    "GET /orders:by_client_order_id": _by_client_id,
    "GET /orders/": _by_id,
    "GET /orders": _list_orders,
    "POST /orders": lambda exchange, asked: exchange.shown(exchange.place(asked.body), nested=True),
    "DELETE /orders/": lambda exchange, asked: exchange.cancel(_last(asked)),
}


@contextmanager
def running() -> Iterator[Alpaca]:
    """Run Alpaca until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60  # a test fails instead of hanging
        disable_nagle_algorithm = True  # head and body are two writes

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def _serve(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(
                self.command,
                url.path.removeprefix("/v2"),
                dict(parse_qsl(url.query)),
                dict(self.headers),
                json.loads(body or b"{}"),
            )
            alpaca.requests.append(asked)
            alpaca.answered(asked)(self)

        do_GET = do_POST = do_DELETE = _serve

    with serving(Handler) as port:
        alpaca = Alpaca(port)
        yield alpaca
