"""Traders are killed before, during and after submission, many times each.

There are never two orders for one signal and leg, and never a position without its stop.
The long form: ARGO_CRASH_ROUNDS=100 python -m pytest tests/execution/crash
"""

import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.argo.up.processes import is_alive, wait_until
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.crash.trader import SUBMISSION
from tests.installation import Installation
from tests.samples import a_signal
from tests.signals.crash.pool_client import ProcessPool
from tests.signals.crash.process_pool import IN_DATABASE, NEVER
from tests.signals.market.alpaca_server import KEY, SECRET
from tests.sync.alpine_server import reset

KILLS = int(os.environ.get("ARGO_CRASH_ROUNDS", "30"))
"""How often a trader is killed before, during and after submission, each."""
LIVES = 5
"""How many traders die while one follower lives."""
LOST = 20
"""How many orders Alpaca has accepted, exits included, before a trader gets any answer."""
LOOSE = {
    "AUTO_EXECUTE": "yes",
    "ARGO_LOG_LEVEL": "ERROR",
    "PAPER_DEPOSIT": "1e9",
    "SIZING_PERCENT": "0.001",
    "RISK_MAX_POSITION": "100",
    "RISK_MAX_POSITIONS": "9999",
    "RISK_MAX_PER_SYMBOL": "9999",
    "RISK_ORDERS_A_MINUTE": "99999",
    "RISK_LOSSES_IN_A_ROW": "9999",
    "RISK_MAX_DISTANCE": "100",
}
WAITING = """
SELECT count(*) FROM decisions LEFT JOIN orders ON orders.client_order_id = decisions.order_id
WHERE decisions.status IN ('pending', 'deciding')
    OR orders.state IN ('initialized', 'submitted', 'unknown')
"""

pytestmark = pytest.mark.slow
numbers = itertools.count()


def log(argo: Installation, count: int) -> None:
    """Log signals that buy at 100 and end 3.4 percent from there."""
    now = datetime.now(UTC).isoformat()
    made = [
        a_signal(signal_id=f"crash-{next(numbers)}", timestamp=now, confidence=90.0,
                 entry_price=100.0, target_price=103.4, stop_price=96.6)
        for _ in range(count)
    ]  # fmt: skip
    lines = "".join(f"{json.dumps(each)}\n" for each in made)
    argo.manage("log_signal", stdin=lines).check_returncode()


def die(argo: Installation, pool: ProcessPool, point: str) -> None:
    """Start a trader and wait until it has died at this point.

    While the price is beyond their levels, signals are skipped; then it needs new ones.
    """
    pid = pool.start("trader", point)

    def is_dead() -> bool:
        if argo.query(WAITING) == [(0,)]:
            log(argo, 5)
        return not is_alive(pid)

    wait_until(is_dead)
    pool.end(pid)


def drain(argo: Installation, pool: ProcessPool) -> None:
    """Let a trader and a follower finish everything that waits."""
    living = [pool.start(role) for role in ("trader", "follower")]
    wait_until(lambda: argo.query(WAITING) == [(0,)])
    for pid in living:
        pool.end(pid)


@pytest.fixture
def argo(installation: Installation) -> Installation:
    return Installation(installation.folder, LOOSE)


@pytest.fixture
def pool(argo: Installation) -> Iterator[ProcessPool]:
    pool = ProcessPool(argo)
    yield pool
    pool.close()


def test_after_any_deaths_each_signal_has_one_order_and_each_position_its_stop(
    argo: Installation, pool: ProcessPool
) -> None:
    points = [*SUBMISSION[:3]] * KILLS + [SUBMISSION[3], *IN_DATABASE] * (KILLS // 10)
    random.shuffle(points)
    log(argo, 2 * len(points))
    for begin in range(0, len(points), LIVES):
        follower = pool.start("follower", random.choice((NEVER, *IN_DATABASE)))
        for point in points[begin : begin + LIVES]:
            die(argo, pool, point)
        pool.end(follower)
    drain(argo, pool)
    check(argo)
    check_paper(argo)


def check(argo: Installation) -> None:
    """Check Argo's rows: one order for each leg, each fill once, no halt."""
    assert argo.query("SELECT count(*), max(number) FROM orders WHERE leg != 'close'"
                      " GROUP BY signal_id, leg HAVING count(*) > 1") == []  # fmt: skip
    statuses = dict(argo.query("SELECT status, count(*) FROM decisions GROUP BY status"))
    assert statuses.keys() <= {"executed", "skipped"}
    assert statuses["executed"] > 3 * KILLS / 2
    unlike = "SELECT count(*) FROM decisions JOIN signals USING (id) WHERE "
    assert argo.query(unlike + "decisions.order_id IS NOT signals.order_id") == [(0,)]
    counted = "SELECT orders.id FROM orders LEFT JOIN fills ON order_id = orders.id"
    assert argo.query(f"{counted} GROUP BY orders.id HAVING CAST(filled AS REAL) != "
                      "coalesce(sum(CAST(fills.quantity AS REAL)), 0)") == []  # fmt: skip
    assert argo.query("SELECT code, reason FROM halts") == []
    assert argo.query("PRAGMA integrity_check") == [("ok",)]


def check_paper(argo: Installation) -> None:
    """Compare the broker's records with ours."""
    ours = dict(argo.query("SELECT client_order_id, state FROM orders WHERE leg IN"
                           " ('entry', 'close')"))  # fmt: skip
    theirs = Counter(name for (name,) in argo.query(
        "SELECT client_order_id FROM paper_orders WHERE leg IN ('entry', 'close')"))  # fmt: skip
    assert set(theirs.values()) == {1}
    assert theirs.keys() == {name for name, state in ours.items() if state not in NOT_THERE}
    assert held(argo) == {name for name, stop in stops(argo).items() if stop == "accepted"}
    agreed = argo.manage("monitor_positions", "--reconcile", "--json")
    assert json.loads(agreed.stdout) == {"findings": []}, agreed.stderr


NOT_THERE = {"denied", "rejected"}


def held(argo: Installation) -> set[str]:
    """Return the entries that still hold something, by the broker's fills."""
    totals: Counter[str] = Counter()
    for name, leg, filled in argo.query(
        "SELECT coalesce(entry.client_order_id, own.client_order_id), own.leg, own.filled FROM "
        "paper_orders own LEFT JOIN paper_orders entry ON entry.id = own.parent_id"
    ):
        totals[name] += int(Decimal(filled)) * (1 if leg == "entry" else -1)
    assert min(totals.values()) >= 0
    return {name for name, total in totals.items() if total}


def stops(argo: Installation) -> dict[str, str]:
    return dict(argo.query(
        "SELECT entry.client_order_id, own.state FROM paper_orders own JOIN paper_orders entry "
        "ON entry.id = own.parent_id WHERE own.leg = 'stop' AND CAST(entry.filled AS REAL) > 0"
    ))  # fmt: skip


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        alpaca.exchange.now = datetime.now(UTC)
        yield alpaca


def test_at_a_remote_broker_no_bracket_is_placed_twice(
    installation: Installation, alpaca: Alpaca
) -> None:
    """First all answers are lost after the exchange accepted the orders; then traders die."""
    own = {"BROKER": "alpaca", "ALPACA_API_KEY": KEY, "ALPACA_SECRET_KEY": SECRET,
           "ALPACA_TRADING_URL": alpaca.url, "SIZING_PERCENT": "0.01"}  # fmt: skip
    argo = Installation(installation.folder, LOOSE | own)
    log(argo, 90)
    pool = ProcessPool(argo)
    alpaca.after("POST /orders", reset)
    deaf = pool.start("trader")
    wait_until(lambda: len(alpaca.exchange.orders) > LOST)
    pool.end(deaf)
    alpaca.troubles.clear()
    for point in (SUBMISSION[0], *SUBMISSION[2:]) * 6:
        die(argo, pool, point)
    drain(argo, pool)
    pool.close()
    check_alpaca(argo, alpaca)


def check_alpaca(argo: Installation, alpaca: Alpaca) -> None:
    placed = [row["client_order_id"] for row in alpaca.exchange.orders if not row["parent"]]
    assert len(placed) == len(set(placed)) > 20
    rows = argo.query("SELECT client_order_id FROM orders WHERE leg = 'entry' AND state NOT IN "
                      "('denied', 'rejected')")  # fmt: skip
    assert {name for (name,) in rows} == set(placed)
    resting = "SELECT count(*) FROM orders WHERE leg = 'stop' AND state = 'accepted'"
    assert argo.query(resting) == [(len(placed),)]
