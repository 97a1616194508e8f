"""GET /api/signals and below it."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from signals.api.schemas import Refused
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.hashing import Hashed, sha256_of
from signals.ledger.outcomes import record_outcome
from signals.ledger.validation import LITERAL_ROUTES
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.installation import ROOT
from tests.samples import a_signal, signals

Query = dict[str, Any]
pytestmark = pytest.mark.django_db


def _log(*many: dict[str, Any]) -> list[str]:
    return SignalTracker("test").log_signals(many)


def _ids(client: Client, path: str = "/api/signals", **query: Any) -> list[str]:  # noqa: ANN401
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return [item["signal_id"] for item in answer.json()["items"]]


def _at(second: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return a_signal(timestamp=f"2025-01-15T10:30:{second:02d}Z", **changes)


def test_an_empty_ledger_has_an_empty_page(reader: Client) -> None:
    """Fault 44: a GET invented signals if there were none."""
    assert reader.get("/api/signals").json() == {"items": [], "next": None}
    assert reader.get("/api/signals/latest").json() == {"items": [], "next": None}


def test_pages_hold_every_signal_once_newest_first(reader: Client) -> None:
    logged = _log(*(_at(number % 7) for number in range(25)))
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        answer = reader.get("/api/signals", {"limit": 4} | ({"after": after} if after else {}))
        page = answer.json()
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert sorted(item["signal_id"] for item in seen) == sorted(logged)
    keys = [(item["timestamp"], item["id"]) for item in seen]
    assert keys == sorted(keys, reverse=True)


def test_a_page_is_found_by_an_index_however_deep(reader: Client) -> None:
    """Fault 12: a page of a few thousand took seconds."""
    _log(*signals(20))
    first = reader.get("/api/signals", {"limit": 5}).json()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        _ids(reader, limit=5, after=first["next"])
        _ids(reader, limit=5, symbol="AAPL", after=first["next"])
    plans = [_plan(query["sql"]) for query in queries if 'FROM "signals"' in query["sql"]]
    assert "USING INDEX signals_time" in plans[0]
    assert "USING INDEX signals_symbol_time" in plans[1]
    assert not any("SCAN signals\n" in plan or "TEMP B-TREE" in plan for plan in plans)


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(row[3] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"symbol": "msft"}, "b"),
        ({"action": "SELL"}, "c"),
        ({"strategy": "other"}, "d"),
        ({"min_confidence": 70}, "d"),
        ({"max_confidence": 60}, "abc"),
        ({"outcome": "win"}, "a"),
        ({"outcome": "open"}, "bcd"),
        ({"symbol": "AAPL", "outcome": "open"}, "cd"),
    ],
    ids=str,
)
def test_filters(reader: Client, query: Query, expected: str) -> None:
    short = {"action": "SELL", "target_price": 146.0, "stop_price": 158.0}
    _log(
        a_signal(signal_id="a", confidence=50.0),
        a_signal(signal_id="b", confidence=50.0, symbol="MSFT"),
        a_signal(signal_id="c", confidence=50.0, **short),
        a_signal(signal_id="d", confidence=80.0, strategy="other"),
    )
    record_outcome(
        "a", outcome="win", exit_price=158.0, who="t", why="t", now=utc_now(), journal=journal()
    )
    assert set(_ids(reader, **query)) == set(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"since": "2025-01-15T10:30:01Z"}, "bcd"),
        ({"until": "2025-01-15T10:30:01Z"}, "abc"),
        ({"since": "2025-01-15T05:30:01-05:00", "until": "2025-01-15T10:30:01Z"}, "bc"),
    ],
    ids=str,
)
def test_time_ranges_hold_for_every_spelling(reader: Client, query: Query, expected: str) -> None:

    spelled = "2025-01-15T10:30:01.500000+00:00"
    hashed = Hashed("AAPL", "BUY", 150.5, 158.0, 146.0, 80.0, "s", spelled)
    own = hashed._asdict() | {"signal_id": "c", "sha256": sha256_of(hashed, "c")}
    _log(_at(0, signal_id="a"), _at(1, signal_id="b"), own, _at(2, signal_id="d"))
    assert Signal.objects.get(signal_id="c").timestamp == spelled
    assert set(_ids(reader, **query)) == set(expected)


@pytest.mark.parametrize(
    "query",
    [
        {"symbl": "AAPL"},
        {"since": "2025-01-15T10:30:00"},
        {"since": "2012"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"symbol": "A\0"},
        {"limit": 0},
        {"limit": 1001},
        {"after": "x"},
        {"action": "HOLD"},
        {"min_confidence": "nan"},
    ],
    ids=str,
)
def test_an_invalid_query_is_refused_and_its_field_named(reader: Client, query: Query) -> None:
    answer = reader.get("/api/signals", query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_latest_is_not_read_as_an_id(reader: Client) -> None:
    """Fault 45: `latest` was read as a signal id."""
    _log(_at(0), _at(2, signal_id="newest"), _at(1), a_signal(symbol="MSFT", signal_id="msft"))
    assert _ids(reader, "/api/signals/latest") == ["newest"]
    assert _ids(reader, "/api/signals/latest", symbol="MSFT") == ["msft"]
    assert len(_ids(reader, "/api/signals/latest", limit=3)) == 3


def test_every_call_beside_a_signal_id_is_refused_as_one(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    beside = {path.split("/")[3] for path in paths if path.startswith("/api/signals/")}
    assert beside - {"{signal_id}"} <= LITERAL_ROUTES


def test_one_signal_with_its_context_and_changes(reader: Client) -> None:
    votes = [{"source": "trend", "direction": "BUY", "confidence": 80.0}]
    (signal_id,) = _log(a_signal(regime="BULL", sources=1, agreement=1.0, votes=votes, note="kept"))
    record_outcome(
        signal_id, outcome="loss", exit_price=146.0, who="me", why="stop", now=utc_now(),
        journal=journal(),
    )  # fmt: skip
    answer = reader.get(f"/api/signals/{signal_id}").json()
    assert (answer["origin"], answer["regime"], answer["votes"]) == ("test", "BULL", votes)
    assert answer["extra"] == {"note": "kept"}
    (change,) = answer["changes"]
    assert (change["who"], change["why"], change["after"]["outcome"]) == ("me", "stop", "loss")


def test_an_unknown_signal_is_not_found(reader: Client) -> None:
    for path in ("/api/signals/nope", "/api/signals/nope/verify"):
        assert reader.get(path).status_code == 404


def test_a_signal_can_be_verified(reader: Client) -> None:
    (signal_id,) = _log(a_signal())
    path = f"/api/signals/{signal_id}/verify"
    assert reader.get(path).json()["valid"] is True
    Signal._base_manager.filter(signal_id=signal_id).update(entry_price=150.6)
    answer = reader.get(path).json()
    assert answer["valid"] is False
    assert any("hash" in finding for finding in answer["findings"])


def test_the_documentation_is_served(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert "/api/signals/{signal_id}/verify" in paths
    assert client.get("/api/docs").status_code == 200


def test_every_call_says_what_it_does_and_answers(client: Client) -> None:
    """With a summary, a description, and a schema of each good answer."""
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert operation["description"], path
            good = [answer for code, answer in operation["responses"].items() if code[0] == "2"]
            assert good, path
            assert all(answer["content"] for answer in good), f"{method} {path}"


def test_the_committed_description_is_the_present_one(client: Client) -> None:
    """A change of the API is seen in the difference of this file."""
    written = ROOT / "templates/docs/openapi.json"
    is_same = json.loads(written.read_text()) == client.get("/api/openapi.json").json()
    assert is_same, (
        f"run: python manage.py export_openapi_schema --api argo.api.api --sorted --indent 1 "
        f"--output {written}"
    )


def test_the_documentation_lists_every_refusal(client: Client) -> None:
    """A missing key, a missing scope, and invalid parameters."""
    paths = client.get("/api/openapi.json").json()["paths"]
    signals = paths["/api/signals"]["get"]["responses"]
    assert {"200", "304", "401", "403", "412", "422", "429", "503"} == signals.keys()
    refused = client.get("/api/signals")
    assert refused.status_code == 401
    Refused.model_validate(refused.json())
    advice = "send a valid key, as X-API-Key or as Authorization: Bearer KEY"
    assert refused.json()["detail"] == f"Unauthorized: {advice}"
    halt = paths["/api/execution/halt"]["post"]["responses"]
    assert {"400", "408", "409", "413", "422"} <= halt.keys()
    assert "security" not in paths["/api/health"]["get"]
    secured = [operation for path in paths.values() for operation in path.values()
               if "security" in operation]  # fmt: skip
    assert len(secured) > 15
    assert all({"401", "403"} <= operation["responses"].keys() for operation in secured)


@pytest.mark.parametrize("path", ["/api/signals/%00", "/api/signals/%00/verify"])
def test_an_impossible_id_is_not_found(reader: Client, path: str) -> None:
    assert reader.get(path).status_code == 404


def test_the_last_possible_second_can_be_queried(reader: Client) -> None:
    _log(_at(0))
    assert len(_ids(reader, until="9999-12-31T23:59:59Z")) == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/signals", "symbol=AAPL&symbol=IBM"),
        ("/api/signals/stats", "by=symbol&by=strategy"),
        ("/api/sync/deliveries", "status=dead&status=pending"),
        ("/api/execution/orders", "limit=1&limit=2"),
        ("/api/metrics/summary", "window=60&window=600"),
    ],
)
def test_a_parameter_that_is_given_twice_is_refused(reader: Client, path: str, query: str) -> None:
    answer = reader.get(f"{path}?{query}")
    field = query.partition("=")[0]
    error = {"field": field, "message": "is given more than once; use one value"}
    assert (answer.status_code, answer.json()["errors"]) == (422, [error])


def test_an_error_of_a_parameter_begins_with_what_is_wrong(reader: Client) -> None:
    answer = reader.get("/api/signals/stats", {"by": "month"})
    assert answer.json()["detail"].startswith("by: takes one or two of symbol, ")
