"""GET /api/signals: filters by every column, two orders, chosen fields."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from argo.signal_list.query import OF_OTHERS, ListQuery
from execution.models import Decision
from execution.types import Reason
from signals.clock import utc_now
from signals.keys import create_key
from signals.ledger.column_filter import ColumnFilter
from signals.ledger.outcomes import record_outcome
from signals.ledger.queries import PATHS
from signals.models import Signal
from sync.models import Delivery
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db(databases=DATABASES)
PATH = "/api/signals"
SOME_SECOND = "2025-01-15T15:00:00Z"


@pytest.fixture
def client(database: str) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


@pytest.fixture
def three(database: str, trading: Trading) -> Trading:
    """Return an account with a trade `a`, a skipped `b` and an undecided `c`."""
    trading.trade(
        signal_id="a", regime="BULL", reasoning="Above its 10-day mean", sources=5, agreement=0.9,
        votes=[{"source": "trend"}], symbol="aapl", confidence=95.0,
    )  # fmt: skip
    trading.log(signal_id="b", confidence=10.0, regime="BEAR", asset_type="etf", note="kept",
                data_source="mine", target_price=120.0)  # fmt: skip
    trading.decide()
    trading.log("import", signal_id="c", confidence=50.0, stop_price=90.0, entry_price=99.0)
    ended = {"outcome": "win", "exit_price": 110.0, "who": "t", "why": "t", "now": utc_now()}
    record_outcome("c", journal=trading.journal, **ended)  # type: ignore[arg-type]
    queued = {"due_at": utc_now(), "queued_at": utc_now()}
    row = Signal.objects.get(signal_id="b")
    Delivery.objects.create(signal=row, status="dead", **queued)
    return trading


def ids(client: Client, **query: Any) -> str:  # noqa: ANN401
    answer = client.get(PATH, query)
    assert answer.status_code == 200, query
    return "".join(item["signal_id"] for item in answer.json()["items"])


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"signal_id": "b"}, "b"),
    ({"signal_id": "b", "regime": "BULL"}, ""),
    ({"regime": "BULL"}, "a"),
    ({"origin": "import"}, "c"),
    ({"asset_type": "etf"}, "b"),
    ({"data_source": "mine"}, "b"),
    ({"symbol_as_sent": "aapl"}, "a"),
    ({"reasoning": "10-DAY"}, "a"),
    ({"reasoning": "%"}, ""),
    ({"min_sources": 5}, "a"),
    ({"max_sources": 4}, ""),
    ({"min_agreement": 0.9, "max_agreement": 0.9}, "a"),
    ({"max_entry_price": 99.5}, "c"),
    ({"min_target_price": 111}, "b"),
    ({"max_stop_price": 90}, "c"),
    ({"min_exit_price": 110}, "c"),
    ({"min_profit_loss_pct": 11}, "c"),
    ({"max_profit_loss_pct": 11}, ""),
    ({"min_raw_confidence": 0}, ""),
    ({"max_calibration_version": 9}, ""),
    ({"missing": "regime"}, "c"),
    ({"present": "regime,votes"}, "a"),
    ({"present": "extra"}, "b"),
    ({"missing": "outcome", "present": "regime"}, "ba"),
    ({"decision": "executed"}, "a"),
    ({"decision": "skipped", "reason": "confidence"}, "b"),
    ({"decision": "none"}, "c"),
    ({"account": "paper"}, "ba"),
    ({"delivery": "dead"}, "b"),
    ({"delivery": "none"}, "ca"),
    ({"received_until": SOME_SECOND}, "a"),
    ({"created_until": SOME_SECOND}, "a"),
    ({"created_since": "2025-01-15T15:00:01Z"}, "cb"),
    ({"stored_since": "2099-01-01T00:00:00Z"}, ""),
    ({"sort": "time"}, "abc"),
    ({"sort": "confidence"}, "bca"),
    ({"sort": "-confidence"}, "acb"),
    ({"sort": "-confidence", "symbol": "AAPL", "decision": "none"}, "c"),
]


@pytest.mark.usefixtures("three")
def test_every_filter_selects_what_it_says(client: Client) -> None:
    wrong = {}
    for query, expected in FILTERS:
        if (found := ids(client, **query)) != expected:
            wrong[str(query)] = (found, expected)
    assert not wrong


def test_every_column_has_a_filter() -> None:
    names = ColumnFilter.model_fields.keys()
    ranges = {name.removeprefix("min_") for name in names if name.startswith("min_")}
    times = {f"{name.removesuffix('_since')}_at" for name in names if name.endswith("_since")}
    found = {*names, *ranges, *times}
    assert PATHS.keys() - found - {"id", "timestamp"} == {"votes", "extra"}  # by `present`
    assert OF_OTHERS.keys() - ListQuery.model_fields.keys() == {"skipped_for"}  # by `reason`


@pytest.mark.usefixtures("three")
def test_pages_by_each_order_hold_each_signal_once(client: Client) -> None:
    for sort, expected in (("time", "abc"), ("-confidence", "acb"), ("confidence", "bca")):
        assert "".join(_walked(client, sort)) == expected


def _walked(client: Client, sort: str) -> Iterator[str]:
    after: dict[str, str] = {}
    for _ in range(9):
        page = client.get(PATH, {"sort": sort, "limit": "1", "fields": "signal_id"} | after).json()
        yield from (item["signal_id"] for item in page["items"])
        if page["next"] is None:
            return
        after = {"after": page["next"]}
    raise AssertionError("the pages do not end")


@pytest.mark.usefixtures("three")
def test_only_the_fields_that_are_chosen_are_answered(client: Client) -> None:
    query: dict[str, Any] = {"fields": "signal_id,decision,delivery,skipped_for", "sort": "time"}
    codes = Decision.objects.get(status="skipped").skipped_for
    assert client.get(PATH, query).json()["items"] == [
        {"signal_id": "a", "decision": "executed", "delivery": None, "skipped_for": ""},
        {"signal_id": "b", "decision": "skipped", "delivery": "dead", "skipped_for": codes},
        {"signal_id": "c", "decision": None, "delivery": None, "skipped_for": None},
    ]
    latest = client.get("/api/signals/latest", {"fields": "confidence,votes"}).json()
    assert latest["items"][0].keys() == {"confidence", "votes"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"fields": "signal_id,nope"}, "has no nope: it takes id, signal_id, "),
        ({"fields": ""}, "it takes id, "),
        ({"missing": "symbol"}, "has no symbol: it takes data_source, "),
        ({"sort": "price"}, "'-time', 'time', '-confidence' or 'confidence'"),
        ({"reason": "conf"}, Reason.CONFIDENCE.value),
        ({"min_sources": 1.5}, "integer"),
        ({"max_entry_price": "inf"}, "finite"),
        ({"min_exit_price": "nan"}, "finite"),
        ({"decision": "made"}, "executed"),
        ({"received_since": "2025-01-15"}, "offset"),
        ({"regimes": "BULL"}, "is unknown; use fields, symbol, "),
        ({"fields_": "id"}, "is unknown; use fields, symbol, "),
        ({"regime": "a\0"}, "pattern"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_and_says_what_can(
    client: Client, query: dict[str, Any], said: str
) -> None:
    answer = client.get(PATH, query)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] in (*query, "fields_")
    assert said in error["message"], json.dumps(error)
