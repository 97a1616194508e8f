"""Imported timestamps of any spelling: lists, ranges, exports and sums go by the instant."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from signals.clock import utc_now
from signals.config import journal
from signals.keys import create_key
from signals.ledger.pages import PageQuery, page
from signals.ledger.rebuild import rebuild
from signals.ledger.sums.answer import stats
from signals.ledger.sums.check import differences
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.update import update_sums
from signals.models import Signal, SignalInstant
from signals.retrieval.reading import read_batches
from signals.retrieval.selection import Selection
from signals.timestamps import instant_text
from signals.tracker import SignalTracker
from signals.transfer.importing import encode_imported
from tests.legacy import legacy_row
from tests.samples import a_signal

pytestmark = pytest.mark.django_db

SPELLINGS = {
    "a": "2012-01-05T20:59:59Z",
    "b": "2012-01-05 21:00:00",
    "c": "2012-01-05T22:00:01.000000+01:00",
    "d": "2012-01-05T21:00:02.123456",
    "e": "2012-01-05T16:00:03-05:00",
    "f": "2012-01-05T21:00:04+00:00",
    "g": "2012-01-06 02:30:05+05:30",
    "h": "2012-01-05T21:00:06.500000Z",
    "i": "20120105T210007Z",
    "j": "2012-01-05T21:01",
    "k": "2012-01-06",
    "l": "2012-01-05T20:00:01-04:00",
    "m": "2012-01-06T00:00:02Z",
}
"""Timestamps in the order of time, by the ids of their signals."""
IN_ORDER = "".join(SPELLINGS)


def _import(rows: dict[str, str], **changes: Any) -> None:  # noqa: ANN401
    tracker = SignalTracker("import", encode=encode_imported)
    shuffled = sorted(rows, key=lambda name: ord(name) * 5 % 13)
    tracker.log_each(
        legacy_row(number, signal_id=name, timestamp=rows[name], outcome=None, **changes)
        for number, name in enumerate(shuffled)
    )


@pytest.fixture
def ledger() -> None:
    _import(SPELLINGS)


def _pages(limit: int, **query: Any) -> str:  # noqa: ANN401
    """Return the ids on all pages, oldest first."""
    found, after = "", None
    while True:
        rows, after = page(PageQuery(limit=limit, after=after, **query))
        found += "".join(row["signal_id"] for row in rows)
        if after is None:
            return found[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
@pytest.mark.usefixtures("ledger")
def test_pages_are_in_the_order_of_time_whatever_the_spelling(limit: int) -> None:
    assert _pages(limit) == IN_ORDER
    assert _pages(limit, symbol="AAPL") == IN_ORDER


@pytest.mark.parametrize("limit", [1, 4])
def test_pages_of_several_spellings_of_a_symbol(limit: int) -> None:
    half = dict(list(SPELLINGS.items())[::2])
    _import(half, symbol="BTC-USD", asset_type="crypto")
    _import({name: SPELLINGS[name] for name in SPELLINGS.keys() - half}, symbol="BTC/USD",
            asset_type="crypto")  # fmt: skip
    assert _pages(limit, symbol="BTCUSD") == IN_ORDER


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2012-01-05T21:00:01Z", None, "cdefghijklm"),
        (None, "2012-01-05T21:00:05Z", "abcdefg"),
        ("2012-01-05T21:00:00Z", "2012-01-05T21:00:06Z", "bcdefgh"),
        ("2012-01-05T22:00:02+01:00", "2012-01-05T21:00:02Z", "d"),
        ("2012-01-06T00:00:00Z", "2012-01-06T23:59:59Z", "klm"),
        ("2012-01-05T00:00:00Z", "2012-01-05T23:59:59Z", "abcdefghij"),
    ],
)
@pytest.mark.parametrize("is_summed", [False, True])
@pytest.mark.usefixtures("ledger")
def test_ranges_go_by_the_instant_everywhere(
    since: str | None, until: str | None, expected: str, is_summed: bool
) -> None:
    if is_summed:
        update_sums()
    query: dict[str, Any] = {"since": since, "until": until}
    assert _pages(2, **query) == expected
    exported = [row["signal_id"] for batch in read_batches(Selection(**query)) for row in batch]
    assert sorted(exported) == list(expected)
    assert Selection(**query).count() == len(expected)
    assert stats(StatsQuery(**query)).total.n == len(expected)
    scanned = stats(StatsQuery(**query, max_confidence=99.0))
    assert scanned.total.n == len(expected)
    days = stats(StatsQuery(**query, by="day")).items
    assert sum(figures.n for _, figures in days) == len(expected)


@pytest.mark.usefixtures("ledger")
def test_days_are_those_of_utc() -> None:
    update_sums()
    counted = {group["day"]: figures.n for group, figures in stats(StatsQuery(by="day")).items}
    assert counted == {"2012-01-05": 10, "2012-01-06": 3}
    assert differences() == []


@pytest.mark.usefixtures("ledger")
def test_every_mark_that_argo_gave_is_valid_for_ever() -> None:
    """An older Argo put the text of the timestamp into its marks."""
    client = Client(headers={"X-API-Key": create_key("reader", ["read"])})
    after = None
    for number in range(len(SPELLINGS)):
        answer = client.get("/api/signals", {"limit": 1} | ({"after": after} if after else {}))
        assert answer.status_code == 200, (number, answer.content)
        after = answer.json()["next"]
    older = base64.urlsafe_b64encode(b"1 2012-01-05T22:00:01.000000+01:00").decode()
    answer = client.get("/api/signals", {"after": older, "symbol": "AAPL"})
    assert [item["signal_id"] for item in answer.json()["items"]][-2:] == ["b", "a"]


@pytest.mark.parametrize("mark", ["x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5IHg=", "NSAAAA==", "LTEgeA=="])
def test_what_is_no_mark_is_refused(mark: str) -> None:
    client = Client(headers={"X-API-Key": create_key("reader", ["read"])})
    assert client.get("/api/signals", {"after": mark}).status_code == 422


def test_signals_in_argos_own_spelling_need_no_instant() -> None:
    SignalTracker("test").log_signals([a_signal(), a_signal(timestamp=utc_now())])
    _import({"a": SPELLINGS["a"], "f": SPELLINGS["f"], "h": SPELLINGS["h"]})
    assert not SignalInstant.objects.exists()


def test_a_time_that_cannot_be_read_is_the_oldest() -> None:
    _import({"a": "yesterday", "b": "", "c": "9999-12-31T23:59:59-14:00", "z": SPELLINGS["b"]})
    assert _pages(1)[-1] == "z"
    assert sorted(_pages(1)) == ["a", "b", "c", "z"]
    assert _pages(2, since="2000-01-01T00:00:00Z") == "z"


@pytest.mark.usefixtures("ledger")
def test_the_text_itself_is_never_changed() -> None:
    stored = dict(Signal.objects.values_list("signal_id", "timestamp"))
    assert stored == SPELLINGS


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2012-01-05T21:00:00Z", None),
        ("2012-01-05T21:00:00.123456789-00:00", None),
        ("2012-01-05T21:00:00.123456789", "2012-01-05T21:00:00.123456Z"),
        ("2012-01-05t21:00:00z", "2012-01-05T21:00:00Z"),
        (" 2012-01-05T21:00:00Z", "2012-01-05T21:00:00Z"),
        ("2012-01-05 21:00:00", "2012-01-05T21:00:00Z"),
        ("20120105T210000.001", "2012-01-05T21:00:00.001000Z"),
        ("2012-02-30 21:00:00", ""),
        ("05/01/2012", ""),
    ],
)
def test_the_instant_of_a_text(text: str, instant: str | None) -> None:
    assert instant_text(text) == instant


@pytest.mark.django_db(databases=["default"], transaction=True)
def test_a_rebuild_makes_the_same_instants() -> None:
    _import(SPELLINGS)
    before = list(SignalInstant.objects.order_by("pk").values_list())
    with connection.cursor() as cursor:
        for table in ("signal_instants", "signal_contexts", "signals", "journal_cursors"):
            cursor.execute(f"DELETE FROM {table}")
    rebuild(journal(), using="default", progress=lambda count: None)
    after = SignalInstant.objects.order_by("pk").values_list("symbol", "at")
    assert list(after) == [row[1:] for row in before]
    assert len(before) == 9


@pytest.mark.usefixtures("ledger")
def test_a_page_with_such_signals_is_found_by_an_index() -> None:
    with CaptureQueriesContext(connection) as queries:
        _pages(3)
        _pages(3, symbol="AAPL", since=datetime(2012, 1, 1, tzinfo=UTC) + timedelta(days=1))
    plans = [_plan(each["sql"]) for each in queries if each["sql"].startswith("SELECT")]
    assert not any("SCAN signals\n" in plan or "TEMP B-TREE" in plan for plan in plans), plans


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(row[3] for row in cursor.fetchall()) + "\n"
