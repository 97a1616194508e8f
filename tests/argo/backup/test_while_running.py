"""Backups that are made while processes write, and while Argo trades."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.argo.backup.backups import back_up, restore, stored
from tests.argo.up.processes import wait_until
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.crash.test_killed_traders import LOOSE
from tests.installation import Installation
from tests.samples import a_signal
from tests.signals.crash.pool_client import ProcessPool
from tests.signals.market.alpaca_server import KEY, SECRET

pytestmark = pytest.mark.slow
SMALL = {"SIGNAL_SEGMENT_BYTES": "20000", "ARGO_LOG_LEVEL": "ERROR"}
"""Segments are sealed many times a second."""
ENOUGH = 300


def acknowledged(argo: Installation) -> set[str]:
    path = argo.folder / "acknowledged"
    return set(path.read_text().split()) if path.exists() else set()


def test_a_backup_made_while_signals_come_in_loses_and_doubles_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    """Whatever was acknowledged before the backup began is in it, flushed or not."""
    argo = Installation(installation.folder, SMALL)
    pool = ProcessPool(argo)
    pids = [pool.start(role) for role in ("writer", "async-writer", "logger", "flusher")]
    wait_until(lambda: len(acknowledged(argo)) > ENOUGH)
    before = acknowledged(argo)
    back_up(argo, tmp_path / "backup")
    written = len(acknowledged(argo)) - len(before)
    for pid in pids:
        pool.end(pid)
    pool.close()
    assert written > 0, "nothing was written during the backup"
    other = Installation(tmp_path / "other", SMALL)
    said = restore(other, tmp_path / "backup")
    found = stored(other)
    assert len(found) == len(set(found)) == said["rows"]
    assert before <= set(found)
    assert (said["findings"], said["pending"], said["dead_letters"]) == ([], 0, 0)
    assert other.query("SELECT count(*) FROM deliveries") == [(len(found),)]
    assert other.query("SELECT count(*) FROM decisions") == [(len(found),)]
    assert other.query("PRAGMA integrity_check") == [("ok",)]


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        alpaca.exchange.now = datetime.now(UTC)
        yield alpaca


def test_an_order_sent_after_the_backup_is_found_and_not_sent_twice(
    installation: Installation, tmp_path: Path, alpaca: Alpaca
) -> None:
    """The signals wait when the backup is made. Then Argo trades them, and its machine is lost."""
    argo = Installation(installation.folder, trading_at(alpaca))
    log(argo, 3)
    back_up(argo, tmp_path / "backup")
    trade(argo)
    placed = entries(alpaca)
    assert len(placed) == 3, argo.query(REASONS)
    alpaca.exchange.move("AAPL", "100")

    other = Installation(tmp_path / "other", trading_at(alpaca))
    said = restore(other, tmp_path / "backup")
    assert said["halted"] == ["alpaca-paper"]
    assert other.query("SELECT account, code FROM halts WHERE lifted_at IS NULL") == [
        ("alpaca-paper", "restored")
    ]
    compared = other.manage("monitor_positions", "--reconcile", "--json")
    assert "unknown_position" in compared.stdout

    lifted = other.manage("execute_signals", "--resume", "the open orders are its own")
    assert lifted.returncode == 0, lifted.stderr
    trade(other)
    assert executed(other) == 3, other.query(REASONS)
    assert entries(alpaca) == placed
    agreed = other.manage("monitor_positions", "--reconcile", "--json")
    assert json.loads(agreed.stdout) == {"findings": []}, agreed.stderr
    held = other.query("SELECT status, count(*) FROM positions GROUP BY status")
    assert held == [("open", 3)]


def trading_at(alpaca: Alpaca) -> dict[str, str]:
    """Return the settings that trade one share for every signal there, at whatever price."""
    own = {"BROKER": "alpaca", "ALPACA_API_KEY": KEY, "ALPACA_SECRET_KEY": SECRET,
           "ALPACA_TRADING_URL": alpaca.url, "SIZING": "fixed_fraction",
           "SIZING_PERCENT": "0.15"}  # fmt: skip
    return LOOSE | own


def log(argo: Installation, count: int) -> None:
    """Log signals that may be traded at any price of the trader's market."""
    now = datetime.now(UTC).isoformat()
    made = [
        a_signal(signal_id=f"restored-{each}", timestamp=now, confidence=90.0, entry_price=100.0,
                 target_price=110.0, stop_price=90.0)
        for each in range(count)
    ]  # fmt: skip
    lines = "".join(f"{json.dumps(each)}\n" for each in made)
    argo.manage("log_signal", stdin=lines).check_returncode()


WAITING = "SELECT count(*) FROM decisions WHERE status IN ('pending', 'deciding')"


REASONS = "SELECT status, reasons FROM decisions"


def executed(argo: Installation) -> int:
    (row,) = argo.query("SELECT count(*) FROM decisions WHERE status = 'executed'")
    count: int = row[0]
    return count


def trade(argo: Installation) -> None:
    """Let a trader decide on everything that waits, and then end it."""
    pool = ProcessPool(argo)
    pid = pool.start("trader")
    wait_until(lambda: argo.query(WAITING) == [(0,)])
    wait_until(lambda: argo.query(UNSENT) == [(0,)])
    pool.end(pid)
    pool.close()


UNSENT = "SELECT count(*) FROM orders WHERE state IN ('initialized', 'submitted', 'unknown')"


def entries(alpaca: Alpaca) -> list[str]:
    """Return the client ids of the brackets at Alpaca."""
    return [row["client_order_id"] for row in alpaca.exchange.orders if not row["parent"]]
