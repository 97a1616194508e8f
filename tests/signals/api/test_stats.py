"""GET /api/signals/stats."""

from typing import Any

import pytest
from django.test import Client

from signals.clock import utc_now
from signals.config import journal
from signals.ledger.outcomes import record_outcome
from signals.tasks import sum_signals
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals

pytestmark = pytest.mark.django_db
PATH = "/api/signals/stats"
NONE = {"open": 0, "win": 0, "loss": 0, "breakeven": 0, "expired": 0, "other": 0}


def _end(signal_id: str, outcome: str, exit_price: float) -> None:
    record_outcome(
        signal_id, outcome=outcome, exit_price=exit_price, who="me", why="so", now=utc_now(),
        journal=journal(),
    )  # fmt: skip


def _stats(client: Client, **query: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = client.get(PATH, query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_no_signals_are_an_answer(reader: Client) -> None:
    assert _stats(reader, by="symbol") == {
        "by": ["symbol"],
        "exact": True,
        "counted": {"since": None, "pending": 0},
        "total": {
            "n": 0, "ended": 0, "outcomes": NONE, "win_rate": None,
            "average_profit_loss_pct": None,
        },
        "groups": 0,
        "items": [],
    }  # fmt: skip


@pytest.mark.parametrize("is_summed", [False, True])
def test_figures_of_all_and_of_each_group(reader: Client, is_summed: bool) -> None:
    ids = SignalTracker("test").log_signals(
        [*signals(3, symbol="AAPL"), a_signal(symbol="MSFT", entry_price=150.0)]
    )
    _end(ids[0], "win", 158.025)
    _end(ids[1], "loss", 146.985)
    if is_summed:
        sum_signals()
    found = _stats(reader, by="symbol")
    assert found["exact"]
    assert found["total"]["outcomes"] == NONE | {"win": 1, "loss": 1, "open": 2}
    assert (found["total"]["win_rate"], found["groups"]) == (0.5, 2)
    apple, microsoft = found["items"]
    assert (apple["symbol"], apple["n"], apple["ended"]) == ("AAPL", 3, 2)
    assert apple["average_profit_loss_pct"] == pytest.approx((5.0 - 2.33555) / 2, abs=1e-4)
    assert (microsoft["symbol"], microsoft["win_rate"]) == ("MSFT", None)


def test_symbols_are_found_in_any_case(reader: Client) -> None:
    SignalTracker("test").log_signals(signals(2))
    assert _stats(reader, symbol="aapl", by="day,outcome")["items"][0] == {
        "day": "2025-01-15", "outcome": "open", "n": 2, "ended": 0,
        "outcomes": NONE | {"open": 2}, "win_rate": None, "average_profit_loss_pct": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {"by": "price"},
        {"by": "symbol,strategy,day"},
        {"by": "symbol,symbol"},
        {"by": ","},
        {"symbl": "AAPL"},
        {"after": "x"},
        {"limit": 0},
        {"limit": 1001},
        {"since": "2025-01-15"},
        {"origin": "a\0b"},
    ],
    ids=str,
)
def test_an_invalid_query_is_refused_and_its_field_named(
    reader: Client, query: dict[str, Any]
) -> None:
    answer = reader.get(PATH, query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_a_key_with_read_is_needed(client: Client) -> None:
    assert client.get(PATH).status_code == 401


@pytest.mark.parametrize("name", ["batch", "latest", "outcomes", "stats"])
def test_no_signal_can_have_the_name_of_a_path(writer: Client, name: str) -> None:
    answer = writer.post("/api/signals", a_signal(signal_id=name), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "signal_id", "message": f"must not be {name}, which is a call of the API"}
    ]
