"""Read execution over the API: who may read, what is shown, and how it is paged."""

from typing import Any

import pytest
from django.test import Client

from execution.accounts import halts
from execution.models import Decision
from signals.keys import create_key
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]
LISTS = ("decisions", "orders", "fills", "positions", "halts")


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("looker", ["read"])})


def items(client: Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/execution/{path}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize("path", [*LISTS, "status", "limits"])
def test_without_a_key_nothing_is_told(path: str) -> None:
    assert Client().get(f"/api/execution/{path}").status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("halt", {"why": "x"}),
        ("resume", {"why": "x"}),
        ("signals/x/execute", {}),
    ],
)
def test_who_may_only_read_changes_nothing(client: Client, path: str, body: object) -> None:
    url = f"/api/execution/{path}"
    assert client.post(url, body, content_type="application/json").status_code == 403
    assert Client().post(url, body, content_type="application/json").status_code == 401
    assert halts.active("paper") == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["statu=open", "limit=0", "limit=1001", f"after={10**20}", "after=-1", "account="]
)
def test_a_misspelt_or_senseless_filter_is_refused(client: Client, path: str, query: str) -> None:
    assert client.get(f"/api/execution/{path}?{query}").status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "decisions?status=decided",
        "decisions?reason=weather",
        "decisions?signal_id=%00",
        "orders?state=gone",
        "orders?leg=arm",
        "positions?status=win",
        "halts?all=perhaps",
        "limits?symbol=AAPL",
        "limits?symbol=AAPL&side=BUY&entry=100&stop=nan",
        "limits?symbol=AAPL&side=BUY&entry=100&stop=-1",
        "limits?symbol=AAPL&side=HOLD&entry=100&stop=95",
        "limits?signal_id=x&symbol=AAPL&side=BUY&entry=100&stop=95",
        "limits?signal=x",
    ],
)
def test_a_value_that_there_is_not_is_refused(client: Client, path: str) -> None:
    assert client.get(f"/api/execution/{path}").status_code == 422


def test_a_refusal_names_the_field_and_what_it_takes(client: Client) -> None:
    (fault,) = client.get("/api/execution/orders?state=gone").json()["errors"]
    assert fault["field"] == "state"
    assert "must be one of open, initialized" in fault["message"]


@pytest.mark.parametrize("path", LISTS)
def test_pages_go_on_where_the_last_one_ended(client: Client, trading: Trading, path: str) -> None:
    for symbol in ("AAPL", "MSFT", "IBM"):
        trading.market.quotes[symbol] = trading.market.quotes["AAPL"]
        trading.log(symbol=symbol)
        trading.decide()
        trading.move(100.0, symbol)
        halts.latch(symbol, "by_hand", "x", trading.clock())
    whole = [item["id"] for item in items(client, f"{path}?limit=100")]
    assert len(whole) >= 3
    assert whole == sorted(whole, reverse=True)
    found, after = [], ""
    while True:
        page = client.get(f"/api/execution/{path}?limit=2{after}").json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == whole


def test_a_position_shows_money_as_exact_texts(client: Client, trading: Trading) -> None:
    signal = trading.trade(100.1)
    (position,) = items(client, "positions?status=open")
    assert (position["signal_id"], position["side"]) == (signal.signal_id, "BUY")
    assert (position["quantity"], position["entry_price"]) == ("100", "100.1")
    assert (position["profit"], position["duration"], position["outcome"]) == (None, None, None)
    trading.move(110.0)
    (position,) = items(client, "positions?status=closed")
    assert (position["exit_reason"], position["profit"]) == ("target", "990")
    assert (position["outcome"], position["duration"]) == ("win", 1.0)
    assert items(client, "positions?status=open") == []


def test_positions_are_filtered(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    for right in ("symbol=aapl", "account=paper", f"signal_id={signal.signal_id}"):
        assert len(items(client, f"positions?{right}")) == 1
    for wrong in ("symbol=MSFT", "account=replay", "signal_id=nothing"):
        assert items(client, f"positions?{wrong}") == []


def test_orders_are_filtered(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    assert {order["leg"] for order in items(client, "orders?state=open")} == {"stop", "target"}
    (entry,) = items(client, "orders?state=filled")
    assert (entry["leg"], entry["filled"], entry["average_price"]) == ("entry", "100", "100")
    assert entry["client_order_id"] == f"argo-{signal.signal_id}-entry"
    assert len(items(client, f"orders?signal_id={signal.signal_id}&leg=stop")) == 1
    assert len(items(client, "orders?state=accepted&symbol=AAPL")) == 2
    assert items(client, "orders?symbol=MSFT") == items(client, "orders?signal_id=x") == []


def test_fills_name_their_order_and_signal(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    (fill,) = items(client, f"fills?signal_id={signal.signal_id}")
    assert (fill["leg"], fill["side"], fill["quantity"], fill["price"]) == (
        "entry", "BUY", "100", "100",
    )  # fmt: skip
    assert items(client, "fills?account=replay") == []


def test_decisions_tell_every_reason(client: Client, trading: Trading) -> None:
    executed = trading.trade()
    skipped = trading.log(confidence=10.0)
    trading.decide()
    (decision,) = items(client, "decisions?status=skipped")
    assert decision["signal_id"] == skipped.signal_id
    codes = {reason["code"] for reason in decision["reasons"]}
    assert {"confidence", "held"} <= codes
    assert "confidence 10 is below 75" in [reason["text"] for reason in decision["reasons"]]
    for code in codes:
        assert len(items(client, f"decisions?reason={code}")) == 1
    assert items(client, "decisions?reason=group") == []
    (decision,) = items(client, "decisions?status=executed")
    assert decision["order_id"] == f"argo-{executed.signal_id}-entry"


def test_a_reason_is_not_found_within_another(client: Client, trading: Trading) -> None:
    trading.log()
    Decision.objects.update(status="skipped", skipped_for="buying_power stop_price")
    assert items(client, "decisions?reason=stop") == items(client, "decisions?reason=price") == []
    assert len(items(client, "decisions?reason=buying_power")) == 1


def test_pending_decisions_are_found(client: Client, trading: Trading) -> None:
    signal = trading.log()
    assert [each["signal_id"] for each in items(client, "decisions?status=pending")] == [
        signal.signal_id
    ]
    assert items(client, "decisions?status=deciding") == []


def test_halts_that_stand_are_told_and_all_when_asked(client: Client, trading: Trading) -> None:
    now = trading.clock()
    halts.latch("paper", "drawdown", "too much is lost", now, figures={"used": 3})
    halts.latch("paper", "by_hand", "a pause", now, by="me")
    halts.lift("paper", by="me", why="over", now=now, code="by_hand")
    (halt,) = items(client, "halts")
    assert (halt["code"], halt["reason"], halt["figures"]) == (
        "drawdown", "too much is lost", {"used": "3"},
    )  # fmt: skip
    assert [each["lifted_why"] for each in items(client, "halts?all=true")] == ["over", ""]


def test_a_look_at_it_makes_nothing(client: Client, trading: Trading) -> None:
    trading.log()
    for path in (*LISTS, "status"):
        client.get(f"/api/execution/{path}")
    assert Decision.objects.get().status == "pending"
