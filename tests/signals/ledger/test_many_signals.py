"""With 200,000 signals no list reads more than a bounded part of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from argo.signal_list.query import ListQuery
from signals.ledger.pages import page
from signals.ledger.sums.update import update_sums
from tests.benchmarks import millions

COUNT = 200_000
FEW = 4_000
"""The last of them are not summed yet."""
MOST_BY_KEY = 1000
"""The same for filters that look another row up for each signal. A scan takes four times that."""
MOST_STEPS = 400
"""Thousands of steps of SQLite's virtual machine for one page. A scan of the table takes 600."""
FILTERS: list[dict[str, Any]] = [
    {},
    {"symbol": "AAPL"},
    {"action": "SELL"},
    {"action": "BUY"},
    {"strategy": "none"},
    {"outcome": "breakeven"},
    {"outcome": "open"},
    {"min_confidence": 99},
    {"max_confidence": 1},
    {"symbol": "AAPL", "outcome": "win"},
    {"strategy": "none", "since": "2020-01-01T00:00:00Z"},
    {"sort": "time"},
    {"sort": "time", "symbol": "AAPL", "outcome": "win"},
    {"sort": "-confidence"},
    {"sort": "confidence", "symbol": "AAPL", "since": "2025-03-01T00:00:00Z"},
    {"sort": "-confidence", "since": "2025-03-01T00:00:00Z", "until": "2025-03-02T00:00:00Z"},
    {"sort": "-confidence", "strategy": "none"},
]
BY_KEY: list[dict[str, Any]] = [
    {"regime": "BEAR"},
    {"regime": "BULL", "min_sources": 9},
    {"origin": "none"},
    {"order_id": "none", "present": "votes"},
    {"signal_id": "none"},
    {"decision": "executed"},
    {"reason": "group", "sort": "time"},
    {"delivery": "dead", "sort": "-confidence"},
    {"delivery": "none", "reasoning": "what nobody wrote"},
]
LISTS = {
    "signals/signal": (
        "action=SELL", "outcome=win", "strategy=none", "confidence=95", "confidence=low",
        "symbol=AAPL", "q=AAPL", "regime=BEAR", "regime=BULL", "decision=executed",
        "decision=none", "reason=group", "delivery=dead", "delivery=none", "days=30",
        "symbol=AAPL&regime=BEAR", "since=2025-03-01&until=2025-04-01&reason=group",
    ),
    "execution/decision": (
        "status__exact=executed", "status__exact=pending", "reason=group", "account=paper",
        "q=AAPL", "q=NONE", "account=other&status__exact=executed",
    ),
    "execution/order": ("state=open", "state=rejected", "leg__exact=stop", "q=AAPL", "q=NONE"),
    "execution/position": (
        "status__exact=open", "outcome=win", "profit=lost", "mfe=5", "days=7-30", "q=AAPL",
    ),
    "sync/delivery": (
        "status__exact=dead", "status__exact=pending", "status__exact=dead&error=5", "error=none",
        "older=60", "q=AAPL", "q=NONE",
    ),
}  # fmt: skip
"""Filters of each list of the admin site."""
MOST_LIST_STEPS = 450
"""Thousands of steps of a list that looks at 20,000 rows, a quarter of those that there are."""
MOST_SIGNAL_STEPS = 1500
"""The same for the list of signals, with the choices of its filters by the sums; it is a tenth."""
BESIDE = (
    """INSERT INTO decisions (id, account, status, queued_at, due_at, decided_at, skipped_for,
    reasons)
    SELECT id, 'paper', 'skipped', '2025-01-15', '2025-01-15', '2025-01-15', 'confidence', '[]'
    FROM signals WHERE id > 120000""",
    """INSERT INTO deliveries (id, status, attempts, due_at, queued_at, delivered_at, last_answer)
    SELECT id, 'delivered', 1, '2025-01-15', '2025-01-15', '2025-01-15', ''
    FROM signals WHERE id > 120000""",
    """INSERT INTO orders (account, signal_id, leg, number, client_order_id, symbol, side, quantity,
    state, filled, created_at, due_at, updated_at)
    SELECT 'paper', id, 'entry', 1, id, symbol, 'BUY', '1', 'filled', '1', '2025-01-15',
    '2025-01-15', '2025-01-15' FROM signals WHERE id > 120000""",
    """INSERT INTO positions (id, account, status, symbol, side, quantity, closed_quantity,
    settled_quantity, entry_price, stop, target, opened_at, expires_at, closed_at, fees, profit)
    SELECT id, 'paper', 'closed', symbol, 'BUY', '1', '1', '0', '1', '1', '2', '2025-01-15',
    '2025-01-15', '2025-01-16', '0', '1' FROM signals WHERE id > 120000""",
)
"""A decision, a delivery, an order and a position for the newest 80,000; none is open."""


@pytest.mark.django_db
def test_a_page_or_list_by_any_filter_takes_a_bounded_number_of_steps() -> None:
    _fill()
    taken = _taken(FILTERS)
    assert max(taken.values()) < MOST_STEPS, taken
    taken = _taken(BY_KEY)
    assert max(taken.values()) < MOST_BY_KEY, taken
    assert not _list_faults()
    with _steps() as count, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM signals WHERE strategy = 'none'")
    assert count() > MOST_STEPS, "the limit would let a scan pass"


def _taken(filters: list[dict[str, Any]]) -> dict[str, int]:
    """Return the thousands of steps of the first page, and of the next one."""
    taken = {}
    for asked in filters:
        query = ListQuery.model_validate(asked)
        with _steps() as count:
            _, following = page(query)
        taken[str(asked)] = count()
        if following is not None:
            with _steps() as count:
                page(query.model_copy(update={"after": following}))
            taken[f"{asked}, next"] = count()
    return taken


def _list_faults() -> dict[str, int]:
    """Return the lists of the admin site that take too many steps, with their thousands."""
    client = Client()
    client.force_login(User.objects.create_superuser("clerk"))
    taken = {
        (path, query): _loaded(client, f"/admin/{path}/?{query}")
        for path, filters in LISTS.items()
        for query in ("", *filters)
    }
    return {
        f"{path}?{query}": steps
        for (path, query), steps in taken.items()
        if steps > (MOST_SIGNAL_STEPS if path == "signals/signal" else MOST_LIST_STEPS)
    }


def _loaded(client: Client, address: str) -> int:
    with _steps() as count:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return count()


def _fill() -> None:
    with transaction.atomic():
        connection.connection.execute(
            f"INSERT INTO journal_cursors VALUES ({millions.JOURNAL}, 'filled', 1, 0, '')"
        )
        millions.insert(connection.connection, 0, COUNT - FEW)
        update_sums()
        millions.insert(connection.connection, COUNT - FEW, FEW)
        for statement in BESIDE:
            connection.connection.execute(statement)


@contextmanager
def _steps() -> Iterator[Callable[[], int]]:
    """Count the thousands of steps that SQLite takes."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.connection.set_progress_handler(step, 1000)
    try:
        yield lambda: taken
    finally:
        connection.connection.set_progress_handler(None, 0)
