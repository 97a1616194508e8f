"""GET /api/signals/export: the signals of the list, as a file that is streamed."""

import csv
import io
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from signals.keys import create_key
from signals.retrieval import reading
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals

pytestmark = pytest.mark.django_db
PATH = "/api/signals/export"


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    SignalTracker("test").log_signals(
        [
            a_signal(signal_id="a", regime="BULL", reasoning='=HYPERLINK("evil")', sources=2),
            a_signal(signal_id="b", regime="BEAR", reasoning="@cmd", confidence=90.0),
            a_signal(signal_id="c", symbol="MSFT", confidence=95.0),
        ]
    )


def get(client: Client, **query: str) -> bytes:
    answer = client.get(PATH, query)
    assert isinstance(answer, StreamingHttpResponse), answer.content
    return b"".join(answer)


def test_every_format_has_the_rows_and_the_columns_that_are_chosen(client: Client) -> None:
    chosen = {"fields": "signal_id,regime,sources"}
    rows = [
        {"signal_id": "a", "regime": "BULL", "sources": 2},
        {"signal_id": "b", "regime": "BEAR", "sources": None},
        {"signal_id": "c", "regime": None, "sources": None},
    ]
    lines = get(client, format="jsonl", **chosen).splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert pq.read_table(io.BytesIO(get(client, format="parquet", **chosen))).to_pylist() == rows
    assert get(client, **chosen) == b"signal_id,regime,sources\r\na,BULL,2\r\nb,BEAR,\r\nc,,\r\n"


def test_the_filters_are_those_of_the_list(client: Client) -> None:
    for query, expected in (
        ({"regime": "BEAR"}, "b"), ({"min_confidence": "90"}, "bc"), ({"symbol": "msft"}, "c"),
        ({"decision": "pending", "missing": "regime"}, "c"), ({"delivery": "dead"}, ""),
    ):  # fmt: skip
        lines = get(client, format="jsonl", fields="signal_id", **query).splitlines()
        assert "".join(json.loads(line)["signal_id"] for line in lines) == expected


def test_a_formula_is_a_text(client: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(get(client).decode())))
    assert [row["reasoning"] for row in rows] == ['\'=HYPERLINK("evil")', "'@cmd", ""]


def test_it_is_read_in_batches(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    SignalTracker("test").log_signals(signals(20))
    monkeypatch.setattr(reading.read_batches, "__defaults__", (5,))
    answer = client.get(PATH, {"format": "jsonl"})
    parts = [part for part in answer if part]
    assert len(parts) == 5
    assert sum(part.count(b"\n") for part in parts) == 23


@pytest.mark.parametrize(
    "query", ["fields=nope", "fields=action,action", "format=arrow", "limit=1", "sort=time"]
)
def test_what_cannot_be_meant_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_the_addresses_load_no_library_of_tables() -> None:
    code = (
        "import django; django.setup(); import argo.urls, sys; "
        "print([name for name in ('pyarrow', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
