"""The lists of execution: a filter for every column, the order of time, and chosen fields."""

import pytest
from django.test import Client

from execution.accounts import halts
from execution.api.filters import (
    DecisionQuery,
    FillQuery,
    HaltQuery,
    OrderQuery,
    PositionQuery,
)
from execution.types import HaltCode
from signals.keys import create_key
from signals.retrieval.lists import PagedQuery
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading
from tests.lists import check_filters, check_plans, items

pytestmark = pytest.mark.django_db(databases=DATABASES)
LISTS: dict[str, type[PagedQuery]] = {
    "decisions": DecisionQuery,
    "orders": OrderQuery,
    "fills": FillQuery,
    "positions": PositionQuery,
    "halts": HaltQuery,
}


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("looker", ["read"])})


@pytest.mark.usefixtures("database")
def test_every_filter_finds_what_has_its_value_and_nothing_else(
    client: Client, trading: Trading
) -> None:
    trading.trade(100.1)
    trading.move(110.0)
    now = trading.clock()
    halts.latch("paper", HaltCode.BY_HAND, "a pause", now, by="me")
    halts.lift("paper", by="you", why="over", now=now)
    untried = {}
    for name, query in LISTS.items():
        always = {"all": "true"} if name == "halts" else {}
        path = f"/api/execution/{name}"
        first = items(client, path, sort="time", **always)[0]
        untried[name] = check_filters(client, path, query, first, **always)
    assert untried == {
        "decisions": {"signal_id", "status", "reason", "asked_by"},
        "orders": {"signal_id", "state", "reason"},
        "fills": {"signal_id", "counted"},
        "positions": {"signal_id", "status", "closing_for"},
        "halts": set(),
    }
    fills = "/api/execution/fills"
    assert items(client, fills, counted="true") == items(client, fills)
    assert items(client, fills, counted="false") == []


@pytest.mark.parametrize("name", LISTS)
def test_no_filter_makes_a_page_sort_or_scan_without_a_bound(client: Client, name: str) -> None:
    check_plans(client, f"/api/execution/{name}", LISTS[name], name)


def test_oldest_first_is_the_same_rows_the_other_way(client: Client, trading: Trading) -> None:
    trading.trade()
    for path in ("/api/execution/orders", "/api/execution/orders?state=open"):
        newest = [each["id"] for each in client.get(path).json()["items"]]
        assert len(newest) > 1
        oldest = items(client, path.partition("?")[0], sort="time", limit=1,
                       **({"state": "open"} if "state" in path else {}))  # fmt: skip
        assert [each["id"] for each in oldest] == newest[::-1]


def test_an_item_has_the_fields_that_are_chosen(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    (found,) = items(client, "/api/execution/fills", fields="signal_id,price,leg")
    assert found == {"signal_id": signal.signal_id, "price": "100", "leg": "entry"}
    answer = client.get("/api/execution/fills?fields=price,colour")
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["field"]) == (422, "fields")
    assert "has no colour" in fault["message"]


def test_an_unchanged_list_is_answered_with_304(client: Client, trading: Trading) -> None:
    trading.trade()
    for name in LISTS:
        tag = client.get(f"/api/execution/{name}")["ETag"]
        again = client.get(f"/api/execution/{name}", headers={"If-None-Match": tag})
        assert again.status_code == 304, name
