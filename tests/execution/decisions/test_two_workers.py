"""Two real processes decide on one account at the same time: no limit is exceeded."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.databases import Spares
from tests.installation import Installation
from tests.samples import a_signal

pytestmark = [pytest.mark.services("postgresql"), pytest.mark.slow]
SIGNALS, MOST = 80, 7
SYMBOL, PRICE = "BTC-USD", 50_000.0


@pytest.fixture
def argo(
    spares: Spares, migrated_postgresql: str, tmp_path: Path
) -> Iterator[tuple[Installation, str]]:
    bars = tmp_path / "bars"
    _write_bars(bars)
    with spares.copy_of(migrated_postgresql) as url:
        settings = {
            "DATABASE_URL": url, "AUTO_EXECUTE": "yes", "MARKET_DATA": "files",
            "MARKET_SYMBOLS": SYMBOL, "MARKET_FOLDER": str(bars), "MARKET_INTERVAL": "3600",
            "MARKET_PRICE_MAX_AGE": "200000", "SIZING": "fixed_fraction", "SIZING_PERCENT": "10",
            "RISK_MAX_POSITIONS": str(MOST), "RISK_MAX_PER_SYMBOL": "999",
            "RISK_MAX_PER_GROUP": "999", "RISK_ORDERS_A_MINUTE": "999",
            "RISK_MAX_POSITION": "100",
        }  # fmt: skip
        yield Installation(tmp_path / "argo", settings), url


def _write_bars(folder: Path) -> None:
    folder.mkdir()
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in range(300, 0, -1)]
    lines = "".join(f"{day},{PRICE},{PRICE * 1.01},{PRICE * 0.99},{PRICE},1000\n" for day in days)
    (folder / f"{SYMBOL}.csv").write_text(f"Date,Open,High,Low,Close,Volume\n{lines}")


def test_two_workers_exceed_no_limit(argo: tuple[Installation, str]) -> None:
    installation, url = argo
    now = datetime.now(UTC).isoformat()
    lines = [
        json.dumps(a_signal(
            symbol=SYMBOL, asset_type="crypto", entry_price=PRICE, target_price=PRICE * 1.2,
            stop_price=PRICE * 0.9, confidence=80 + number / 100, timestamp=now,
        ))
        for number in range(SIGNALS)
    ]  # fmt: skip
    installation.manage("log_signal", stdin="\n".join(lines)).check_returncode()
    command = ("manage.py", "execute_signals", "--json")
    workers = [
        installation.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], answers
    counts = [json.loads(output) for output, _ in answers]
    assert sum(each["executed"] for each in counts) == MOST
    assert sum(each["skipped"] for each in counts) == SIGNALS - MOST
    with psycopg.connect(url.replace("postgres:", "postgresql:")) as own:
        entries = own.execute("SELECT state, quantity * level FROM orders WHERE leg = 'entry'")
        orders = entries.fetchall()
    assert sum(value for _, value in orders) <= 100_000
    assert {state for state, _ in orders} == {"accepted"}
