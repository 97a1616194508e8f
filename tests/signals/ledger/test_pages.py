"""Pages of signals by any filter: each signal once, in order, and never an unbounded scan."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argo.errors import InvalidInput
from signals.ledger import by_confidence, scan
from signals.ledger.instants import insert_instants
from signals.ledger.pages import PageQuery, page
from signals.ledger.spellings import learn, seen_between
from signals.ledger.sums.update import update_sums
from signals.models import Signal
from signals.timestamps import instant_text

DAYS = ("2012-01-05", "2012-01-06", "2012-03-01", "2019-07-31")
TIMES = (
    "T00:00:00Z",
    "T10:30:00Z",
    "T10:30:00.500000Z",
    "T23:59:59Z",
    " 10:30:00",
    "T23:59:59-05:00",
)
SIGNALS = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "MSFT", "btcusd", "BTC-USD"]),
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from(["trend", "mine"]),
        st.sampled_from([None, None, "win", "loss"]),
        st.sampled_from([0.0, 61.5, 80.0, 99.0, 100.0]),
        st.builds(str.__add__, st.sampled_from(DAYS), st.sampled_from(TIMES)),
    ),
    max_size=25,
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "symbol": st.sampled_from(["AAPL", "BTC/USD"]),
        "action": st.sampled_from(["BUY", "SELL"]),
        "strategy": st.sampled_from(["trend", "mine", "none"]),
        "outcome": st.sampled_from(["win", "loss", "breakeven", "open"]),
        "min_confidence": st.sampled_from([0.0, 61.5, 62.0, 99.5]),
        "max_confidence": st.sampled_from([0.0, 79.0, 100.0]),
        "since": st.sampled_from(["2012-01-05T10:30:00Z", "2012-01-06T04:59:59Z"]),
        "until": st.sampled_from(["2012-01-06T04:59:59Z", "2012-03-01T12:00:00Z"]),
        "sort": st.sampled_from(["time", "-time", "confidence", "-confidence"]),
        "asset_type": st.sampled_from(["stock", "crypto"]),
        "missing": st.sampled_from(["regime", "outcome,regime"]),
    },
)


_SIGNAL = """
INSERT INTO signals (id, signal_id, symbol, action, confidence, strategy, asset_type, timestamp,
    outcome, entry_price, target_price, stop_price, sha256)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 100, 110, 90, '')
"""
_CHANGE = """
INSERT INTO outcome_changes (signal_id, change_id, journal_id, who, at, why, "before", "after")
VALUES (%s, hex(randomblob(8)), 1, 'me', '2025-01-01T00:00:00Z', 'so', %s, '{"outcome": "win"}')
"""


class _Undo(Exception):
    """Ends an example: what it stored is rolled back."""


def _store(rows: list[Any], first: int) -> None:
    """Insert signals by SQL, with what the flush adds for them."""
    for number, (symbol, action, strategy, outcome, confidence, at) in enumerate(rows, first + 1):
        kind = "stock" if symbol.isalpha() else "crypto"
        _run(_SIGNAL, number, f"s{number}", symbol, action, confidence, strategy, kind, at, outcome)
        insert_instants("default", [(number, symbol, at)])
    learn(seen_between(first, first + len(rows)))


def _change_outcomes(rows: list[Signal]) -> None:
    _run("INSERT INTO journal_cursors VALUES (1, 'test', 1, 0, '') ON CONFLICT DO NOTHING")
    for row in rows:
        before = json.dumps({"outcome": row.outcome})
        _run(_CHANGE, row.pk, before)
        _run("UPDATE signals SET outcome = 'win' WHERE id = %s", row.pk)


def _run(statement: str, *values: int | float | str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=SIGNALS, asked=FILTERS, summed=st.integers(0, 25), changed=st.integers(0, 3),
    stretch=st.integers(1, 6), limit=st.integers(1, 4),
)  # fmt: skip
def test_pages_by_any_filter_have_each_signal_once_in_order(
    rows: list[Any], asked: dict[str, Any], summed: int, changed: int, stretch: int, limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(scan, "STRETCH", stretch)
    monkeypatch.setattr(by_confidence, "MOST", stretch)
    monkeypatch.setattr(by_confidence, "FIRST", 1)
    with suppress(_Undo), transaction.atomic():
        _store(rows[:summed], first=0)
        update_sums()
        _store(rows[summed:], first=len(rows[:summed]))
        _change_outcomes(list(Signal.objects.order_by("id")[:changed]))
        query = PageQuery(limit=limit, **asked)
        assert [row["id"] for row in _all_pages(query)] == _by_hand(query)
        raise _Undo


def _by_hand(query: PageQuery) -> list[int]:
    """Return the rows that pass, in their order, by looking at all of them."""
    chosen = query.apply(Signal.objects.all()).values_list("timestamp", "confidence", "id")
    if query.sort.endswith("confidence"):
        places: list[tuple[Any, int]] = [(confidence, row) for _, confidence, row in chosen]
    else:
        places = [(at if (own := instant_text(at)) is None else own, row) for at, _, row in chosen]
    return [row for _, row in sorted(places, reverse=query.sort.startswith("-"))]


def _all_pages(query: PageQuery) -> Iterator[dict[str, Any]]:
    after = None
    for _ in range(200):
        rows, after = page(query.model_copy(update={"after": after}))
        assert len(rows) <= query.limit
        yield from rows
        if after is None:
            return
    raise AssertionError("the pages do not end")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"outcome": "win"}, [2]),
        ({"outcome": "open"}, [4, 3, 1]),
        ({"min_confidence": 0.0, "max_confidence": 0.0}, [1]),
        ({"min_confidence": 100.0}, [3]),
        ({"max_confidence": 99.99}, [4, 2, 1]),
        ({"min_confidence": 79.99, "max_confidence": 80.0}, [2]),
        ({"strategy": "late"}, [4]),
        ({"strategy": "none"}, []),
        ({"symbol": "MSFT", "action": "SELL"}, [4]),
    ],
)
def test_the_first_page_has_what_passes_though_it_lies_far_back(
    asked: dict[str, Any], expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 2 became a win, and row 4 came, after the sums were made."""
    monkeypatch.setattr(scan, "STRETCH", 2)
    day = "{}T10:30:00Z".format
    rows = [
        ("AAPL", "BUY", "trend", None, 0.0, day("2012-01-05")),
        ("AAPL", "BUY", "trend", None, 80.0, day("2012-01-06")),
        ("MSFT", "BUY", "mine", None, 100.0, day("2012-03-01")),
        ("MSFT", "SELL", "late", None, 61.5, day("2019-07-31")),
    ]
    _store(rows[:3], first=0)
    update_sums()
    _store(rows[3:], first=3)
    _change_outcomes(list(Signal.objects.filter(pk=2)))
    found, following = page(PageQuery(**asked))
    assert [row["id"] for row in found] == expected[: len(found)]
    assert len(found) == len(expected) or following
    assert found or not expected


@pytest.mark.django_db
def test_the_next_of_one_order_is_refused_by_another() -> None:
    day = "{}T10:30:00Z".format
    _store([("AAPL", "BUY", "t", None, each, day("2012-01-05")) for each in (1.0, 2.0)], first=0)
    for one, other in (("-time", "confidence"), ("-confidence", "time")):
        _, following = page(PageQuery(limit=1, sort=one))
        with pytest.raises(InvalidInput, match="another `sort`"):
            page(PageQuery(limit=1, sort=other, after=following))
    for forged in ("MSA9bmFu", "MSA9aW5m", "MSA9eA=="):  # nan, inf and x
        with pytest.raises(InvalidInput, match="unchanged"):
            page(PageQuery(sort="confidence", after=forged))


@pytest.mark.django_db
def test_signals_without_a_readable_time_end_the_list_and_do_not_begin_it_anew() -> None:
    rows: list[Any] = [("AAPL", "BUY", "t", None, 1.0, "2012-01-05T10:30:00Z")]
    rows += [("AAPL", "BUY", "t", None, 1.0, "yesterday")] * 3
    _store(rows, first=0)
    update_sums()
    for sort in ("-time", "time"):
        query = PageQuery(limit=1, strategy="t", sort=sort)
        assert [row["id"] for row in _all_pages(query)] == _by_hand(query)
