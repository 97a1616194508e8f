"""A slow broker never holds the threads of the web server that take signals."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
import requests

from argo.errors import Unavailable
from execution import web
from execution.brokers import timed
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import BrokerError
from execution.brokers.timed import TimedBroker
from execution.context import TradingContext
from signals.journal import Journal
from tests.argo.up.processes import wait_until
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.trading_fixtures import Trading
from tests.installation import Installation
from tests.samples import a_signal
from tests.signals.market.alpaca_server import KEY, SECRET
from tests.sync.alpine_server import slow
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
    assert TimedBroker(broker, 5.0).account().equity == broker.account().equity


def test_all_calls_of_a_request_end_together(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    alpaca.instead("GET /account", slow(1.5))
    timed_broker, began = TimedBroker(broker, 0.2), time.monotonic()
    for call in (timed_broker.account, timed_broker.positions):
        with pytest.raises(BrokerError, match=r"within 0\.2 s") as error:
            call()
        assert not error.value.permanent
    assert time.monotonic() - began < 1.0


def test_calls_that_hang_are_no_more_than_allowed(
    alpaca: Alpaca, broker: AlpacaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timed, "_free", threading.BoundedSemaphore(2))
    alpaca.instead("GET /account", slow(0.5))
    for _ in range(5):
        with pytest.raises(BrokerError):
            TimedBroker(broker, 0.01).account()
    assert alpaca.lines.count("GET /account") <= 2
    alpaca.troubles.clear()
    wait_until(lambda: timed._free._value == 2)
    assert TimedBroker(broker, 5.0).account()


def test_an_error_of_the_broker_is_its_own(alpaca: Alpaca, broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerError, match="made at Alpaca") as error:
        TimedBroker(broker, 5.0).transfer(Decimal(5))
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


@pytest.mark.slow
def test_fault_96_signals_are_taken_while_the_broker_is_slow(
    installation: Installation, alpaca: Alpaca, port: int, tmp_path: Path
) -> None:
    alpaca.instead("GET /account", slow(3.0))
    settings = {"BROKER": "alpaca", "ALPACA_API_KEY": KEY, "ALPACA_SECRET_KEY": SECRET,
                "ALPACA_TRADING_URL": alpaca.url, "ARGO_WEB_THREADS": str(THREADS)}  # fmt: skip
    argo = Installation(installation.folder, settings)
    key = argo.manage("api_key", "--create", "me", "--scopes", "read,write").stdout.split()[0]
    headers = {"X-API-Key": key}
    with served(argo, port, THREADS) as address, ThreadPoolExecutor(20) as pool:
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
