"""A slow broker never holds the threads of the web server that take signals."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from argo.errors import Unavailable
from execution import factory, web
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import BrokerError
from execution.brokers.timed import TimedBroker
from execution.context import TradingContext
from execution.decisions.intents import latest
from execution.models import Order
from signals.journal import Journal
from signals.keys import create_key
from signals.market import timed
from signals.market.protocol import FeedError, MarketData, Quote, UnknownSymbol
from signals.market.timed import Deadline, TimedMarket
from tests.argo.up.processes import wait_until
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.trading_fixtures import Trading, decision_of, orders_of
from tests.installation import Installation
from tests.samples import a_signal
from tests.signals.market.alpaca_server import KEY, SECRET
from tests.sync.alpine_server import Behave, answer, slow
from tests.web_server import served

THREADS = 4


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        yield alpaca


@pytest.fixture
def broker(alpaca: Alpaca) -> AlpacaBroker:
    return AlpacaBroker(KEY, SECRET, alpaca.url)


@pytest.fixture
def context(broker: AlpacaBroker, journal: Journal) -> TradingContext:
    return replace(Trading.begun(journal).context, broker=broker)


def test_a_broker_that_answers_in_time_is_used_as_it_is(broker: AlpacaBroker) -> None:
    assert TimedBroker(broker, Deadline(5.0)).account().equity == broker.account().equity


def test_all_calls_of_a_request_end_together(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    alpaca.instead("GET /account", slow(4))
    timed_broker, began = TimedBroker(broker, Deadline(0.2)), time.monotonic()
    for call in (timed_broker.account, timed_broker.positions):
        with pytest.raises(BrokerError, match=r"within 0\.2 s") as error:
            call()
        assert not error.value.permanent
    assert time.monotonic() - began < 3


def test_calls_that_hang_are_no_more_than_allowed(
    alpaca: Alpaca, broker: AlpacaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timed, "_free", threading.BoundedSemaphore(2))
    alpaca.instead("GET /account", slow(0.5))
    for _ in range(5):
        with pytest.raises(BrokerError):
            TimedBroker(broker, Deadline(0.01)).account()
    assert alpaca.lines.count("GET /account") <= 2
    alpaca.troubles.clear()
    wait_until(lambda: timed._free._value == 2)
    assert TimedBroker(broker, Deadline(5.0)).account()


def test_an_error_of_the_broker_is_its_own(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerError, match="made at Alpaca") as error:
        TimedBroker(broker, Deadline(5.0)).transfer(Decimal(5))
    assert error.value.permanent


def test_only_a_part_of_the_threads_may_wait(
    context: TradingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(web, "_slots", lambda: slots)
    with web.for_request(context) as bounded:
        assert isinstance(bounded.broker, TimedBroker)
        with pytest.raises(Unavailable, match="try again"), web.for_request(context):
            pass
    with web.for_request(context) as again:
        assert again.broker.account()


@dataclass
class Hanging:
    """A market whose quotes come after some seconds."""

    market: MarketData
    seconds: float

    def quote(self, symbol: str) -> Quote | None:
        time.sleep(self.seconds)
        return self.market.quote(symbol)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.market, name)


@pytest.mark.django_db
@pytest.mark.parametrize("is_paper", [False, True])
def test_a_slow_market_is_waited_for_no_longer_than_a_slow_broker(
    context: TradingContext, trading: Trading, monkeypatch: pytest.MonkeyPatch,
    settings: Settings, is_paper: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(web, "MAX_WAIT", 0.2)
    settings.MARKET_DATA = "alpaca"
    hanging = Hanging(trading.market, 4)
    paper = replace(trading.broker.broker, market=hanging)
    slow_one = replace(context, market=hanging, broker=paper if is_paper else context.broker)
    began = time.monotonic()
    with web.for_request(slow_one) as bounded:
        for _ in range(3):
            price, is_open = latest(bounded, bounded.instrument("AAPL"))
            assert (price, is_open) == (None, None)
        if is_paper:
            assert bounded.broker.account().equity == 100_000
    assert time.monotonic() - began < 3


def test_a_market_in_files_and_a_broker_in_the_database_have_no_limit(trading: Trading) -> None:
    local = replace(trading.context, broker=trading.broker.broker)
    with web.for_request(local) as context:
        assert context is local


def test_an_error_of_the_market_is_its_own(trading: Trading) -> None:
    with pytest.raises(UnknownSymbol):
        TimedMarket(trading.market, Deadline(5.0)).bars("NONE", trading.clock())
    with pytest.raises(FeedError, match="within 0 s"):
        TimedMarket(trading.market, Deadline(0.0)).bars("AAPL", trading.clock())


@pytest.fixture
def silence() -> Iterator[Behave]:
    """Return the answer of a broker that keeps silent until the test has ended."""
    ended = threading.Event()

    def keep_silent(handler: BaseHTTPRequestHandler) -> None:
        ended.wait(60)
        answer(503)(handler)

    yield keep_silent
    ended.set()


@pytest.fixture
def hanging(
    trading: Trading, context: TradingContext, monkeypatch: pytest.MonkeyPatch, silence: Behave
) -> TradingContext:
    """Return the context of a process whose broker does not answer, and whose requests wait for it
    only briefly."""
    monkeypatch.setattr(web, "MAX_WAIT", 0.1)
    hangs = replace(trading.context, broker=context.broker)
    monkeypatch.setattr(factory, "trading_context", lambda: hangs)
    return hangs


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "GET /positions"])
@pytest.mark.parametrize(
    "ask",
    ["limits", "limits?signal_id=", "limits?symbol=AAPL&side=BUY&entry=100&stop=95", "execute"],
)
def test_no_request_waits_longer_for_a_slow_broker(
    trading: Trading, hanging: TradingContext, alpaca: Alpaca, silence: Behave, path: str, ask: str
) -> None:
    signal = trading.log()
    alpaca.instead(path, silence)
    client = Client(headers={"X-API-Key": create_key("trader", ["read", "trade"])})
    began = time.monotonic()
    if ask == "execute":
        address = f"/api/execution/signals/{signal.signal_id}/execute"
        found = client.post(address, content_type="application/json")
    else:
        name = signal.signal_id if ask.endswith("signal_id=") else ""
        found = client.get(f"/api/execution/{ask}{name}")
    assert time.monotonic() - began < 30
    assert found.status_code == 503
    assert "try again" in str(found.json())
    assert decision_of(signal).asked_by == ""


@pytest.mark.django_db
def test_the_admin_site_waits_no_longer_for_a_slow_broker(
    trading: Trading, hanging: TradingContext, alpaca: Alpaca, silence: Behave, admin_client: Client
) -> None:
    signal = trading.log()
    trading.decide()
    entry = orders_of(signal)["entry"]
    Order.objects.filter(pk=entry.pk).update(broker_id=str(uuid4()))
    alpaca.instead("", silence)
    chosen = {"action": "cancel", "_selected_action": [str(entry.pk)], "confirmed": "yes",
              "why": "I say so"}  # fmt: skip
    began = time.monotonic()
    found = admin_client.post("/admin/execution/order/", chosen, follow=True)
    assert time.monotonic() - began < 30
    assert "has not answered within" in found.content.decode()
    assert orders_of(signal)["entry"].state == "accepted"


PAGES = (
    "api/execution/orders", "api/execution/fills", "api/execution/positions", "api/execution/halts",
    "api/execution/decisions", "api/execution/status", "api/health", "api/signals",
    "", "admin/execution/order/", "admin/execution/position/", "admin/execution/decision/",
    "admin/execution/halt/", "admin/execution/tradingaccount/", "docs/",
)  # fmt: skip


@pytest.mark.django_db
def test_no_other_page_asks_the_broker_or_the_market(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    def asked() -> TradingContext:
        raise AssertionError("the page asks")

    trading.trade()
    monkeypatch.setattr(factory, "trading_context", asked)
    headers = {"X-API-Key": create_key("reader", ["read"])}
    found = {page: admin_client.get(f"/{page}", headers=headers).status_code for page in PAGES}
    assert found == dict.fromkeys(PAGES, 200)


@pytest.mark.slow
def test_fault_96_signals_are_taken_while_the_broker_is_slow(
    installation: Installation, alpaca: Alpaca, port: int, tmp_path: Path
) -> None:
    alpaca.instead("GET /account", slow(3.0))
    settings = {"BROKER": "alpaca", "ALPACA_API_KEY": KEY, "ALPACA_SECRET_KEY": SECRET,
                "ALPACA_TRADING_URL": alpaca.url, "ARGO_WEB_THREADS": str(THREADS),
                "ARGO_WEB_PORT": str(port)}  # fmt: skip
    argo = Installation(installation.folder, settings)
    key = argo.manage("api_key", "--create", "me", "--scopes", "read,write").stdout.split()[0]
    headers = {"X-API-Key": key}
    with served(argo, port) as address, ThreadPoolExecutor(20) as pool:
        ask = partial(requests.get, f"{address}/api/execution/limits", headers=headers, timeout=30)
        limits = [pool.submit(ask) for _ in range(12)]
        wait_until(lambda: "GET /account" in alpaca.lines)
        answers = [
            requests.post(f"{address}/api/signals", json=a_signal(), headers=headers, timeout=30)
            for _ in range(5)
        ]
        asked = [each.result().status_code for each in limits]
    assert all(each.ok for each in answers)
    assert max(each.elapsed.total_seconds() for each in answers) < 1.5
    assert asked.count(503) >= 11
