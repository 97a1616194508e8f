"""The scheduled task uses the market of the settings, and fails if a symbol failed."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from signals import config
from signals.generation.service import CycleFailed
from signals.market.hours import ALWAYS_OPEN
from signals.models import Signal
from signals.tasks import _service, generate
from tests.argo.up.processes import wait_until
from tests.installation import Installation
from tests.signals.market.builders import random_walk

SOURCE = """
from signals.generation.votes import Direction, Vote

def vote(bars):
    return Vote(Direction.BUY, 90, {"close": bars.close[-1]})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with bars of a coin up to the last midnight."""
    today = datetime.now(UTC).date()
    days = ALWAYS_OPEN.days(today - timedelta(days=250), today - timedelta(days=1))
    closes = random_walk(len(days), seed=1)
    rows = [
        f"{day},{close},{close * 1.01},{close * 0.99},{close},1000"
        for day, close in zip(days, closes, strict=True)
    ]
    bars = tmp_path / "bars"
    bars.mkdir()
    (bars / "BTC-USD.csv").write_text("\n".join(["Date,Open,High,Low,Close,Volume", *rows, ""]))
    (tmp_path / "always_buys.py").write_text(SOURCE)
    return bars


@pytest.fixture
def live(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(folder.parent)
    settings.MARKET_DATA, settings.MARKET_FOLDER = "files", folder
    settings.MARKET_PRICE_MAX_AGE = 86400
    settings.MARKET_SYMBOLS = ["BTC/USD"]
    settings.SIGNAL_SOURCES, settings.SIGNAL_MIN_SOURCES = {"always_buys": 1.0}, 1
    _service.cache_clear()
    yield
    _service.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_it_makes_the_signals_of_the_symbols_in_the_settings(live: None) -> None:
    assert generate() == 1
    assert generate() == 0
    config.flusher().flush()
    signal = Signal.objects.select_related("context").get()
    assert (signal.symbol, signal.asset_type, signal.action) == ("BTC-USD", "crypto", "BUY")
    assert signal.context.origin == "generator"


@pytest.mark.django_db(transaction=True)
def test_it_fails_if_a_symbol_failed_after_the_others_are_stored(
    live: None, settings: Settings
) -> None:
    settings.MARKET_SYMBOLS = ["ETH-USD", "BTC-USD"]
    with pytest.raises(CycleFailed, match="ETH-USD: there are no bars of 'ETH-USD'"):
        generate()
    config.flusher().flush()
    assert Signal.objects.get().symbol == "BTC-USD"


@pytest.mark.slow
def test_up_with_a_live_market_makes_signals_by_itself(
    installation: Installation, folder: Path, port: int
) -> None:
    argo = Installation(
        installation.folder,
        {
            "ARGO_WEB_PORT": str(port), "PYTHONPATH": str(folder.parent),
            "MARKET_DATA": "files", "MARKET_FOLDER": str(folder), "MARKET_SYMBOLS": "BTC-USD",
            "MARKET_INTERVAL": "1", "MARKET_PRICE_MAX_AGE": "86400",
            "SIGNAL_SOURCES": "always_buys=1", "SIGNAL_MIN_SOURCES": "1",
        },
    )  # fmt: skip
    up = argo.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: len(argo.query("SELECT 1 FROM signals")) == 1)
    finally:
        up.terminate()
        said = up.communicate(timeout=60)[0]
    assert up.returncode == 0, said
    assert argo.query("SELECT symbol, action FROM signals") == [("BTC-USD", "BUY")]
    assert "for BTC-USD: BUY at" in (argo.folder / "logs/generation.log").read_text()


def test_up_reports_a_setting_that_would_fail_every_cycle(
    installation: Installation, folder: Path, port: int
) -> None:
    wrong = {
        "ARGO_WEB_PORT": str(port), "MARKET_DATA": "files", "MARKET_FOLDER": str(folder),
        "MARKET_SYMBOLS": "AAPL", "SIGNAL_STOP": "banana",
    }  # fmt: skip
    ended = Installation(installation.folder, wrong).manage("up")
    assert ended.returncode == 2
    assert "SIGNAL_STOP: 'banana' is not a distance" in ended.stderr
